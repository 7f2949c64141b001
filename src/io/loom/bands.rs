//! A matrix of cells × genes written as genes × cells: rows come in runs and leave in bands of cells, so that memory
//! holds a few bands and never the matrix.

use std::ops::Range;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group, Hyperslab, SliceOrIndex};
use rayon::prelude::*;

use super::attrs::without_booleans;
use super::turn;
use crate::data::{Block, DType, DataError, Dense, Matrix, Sparse, Values};
use crate::io::hdf5::{Storage, create, write_error};
use crate::io::{Compression, WriteError, WriteOptions};
use crate::with_values;

/// Genes and cells of a chunk, as loompy has them.
const CHUNK: usize = 64;

/// Where the matrix goes.
struct Target<'a> {
    d: Dataset,
    genes: usize,
    cells: usize,
    dtype: DType,
    options: &'a WriteOptions<'a>,
    out: &'a Path,
}

/// A band being filled: genes × [`CHUNK`] cells.
struct Band {
    first: usize,
    values: Values,
}

/// Writes a matrix (cells × genes) as the dataset `group/name` (genes × cells) in its own element type; booleans become
/// bytes.
pub(super) fn write(
    m: &Matrix,
    group: &Group,
    name: &str,
    options: &WriteOptions,
    out: &Path,
) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let (cells, genes) = m.shape();
    let dtype = if m.dtype() == DType::Bool { DType::U8 } else { m.dtype() };
    let filters = match options.compression {
        Some(Compression::None) => Vec::new(),
        Some(Compression::Lzf) => vec![hdf5::filters::Filter::shuffle(), hdf5::filters::Filter::lzf()],
        Some(Compression::Gzip(level)) => {
            vec![hdf5::filters::Filter::shuffle(), hdf5::filters::Filter::deflate(level)]
        }
        None => vec![hdf5::filters::Filter::shuffle(), hdf5::filters::Filter::deflate(4)],
    };
    let storage = Storage { chunk: Some(vec![CHUNK, CHUNK]), filters };
    let d = create(group, name, dtype, &[genes, cells], &storage).map_err(lib)?;
    if genes == 0 || cells == 0 {
        return Ok(());
    }
    let target = Target { d, genes, cells, dtype, options, out };
    options.progress.start(name, cells as u64);
    let done = target.fill(m);
    options.progress.finish();
    done
}

impl Target<'_> {
    fn fill(&self, m: &Matrix) -> Result<(), WriteError> {
        let mut open: Option<Band> = None;
        m.stream(self.options.memory, &mut |start, block| {
            if self.options.progress.cancelled() {
                return Err(DataError::stopped(WriteError::Cancelled { path: self.out.to_owned() }));
            }
            let block = plain(block)?;
            self.take(start, &block, &mut open).map_err(DataError::stopped)?;
            self.options.progress.advance((start + block.len()) as u64, "");
            Ok(())
        })
        .map_err(|e| WriteError::streamed(self.out, e))?;
        match open {
            Some(band) => self.put(&band),
            None => Ok(()),
        }
    }

    /// Takes a run of rows: what completes an open band, whole bands, and the beginning of the next.
    fn take(&self, start: usize, block: &Block, open: &mut Option<Band>) -> Result<(), WriteError> {
        let end = start + block.len();
        let mut at = start;
        let mut whole: Vec<Range<usize>> = Vec::new();
        while at < end {
            let first = at - at % CHUNK;
            let to = (first + CHUNK).min(end);
            if at == first && to == first + CHUNK {
                whole.push(at..to);
            } else {
                let band = open.get_or_insert_with(|| self.band(first));
                turn::put(&mut band.values, CHUNK, at - first, block, at - start..to - start);
                if to == first + CHUNK
                    && let Some(band) = open.take()
                {
                    self.put(&band)?;
                }
            }
            at = to;
        }
        for few in whole.chunks(2 * rayon::current_num_threads()) {
            let bands: Vec<Band> = few
                .par_iter()
                .map(|cells| {
                    let mut band = self.band(cells.start);
                    turn::put(&mut band.values, CHUNK, 0, block, cells.start - start..cells.end - start);
                    band
                })
                .collect();
            bands.iter().try_for_each(|band| self.put(band))?;
        }
        Ok(())
    }

    fn band(&self, first: usize) -> Band {
        Band { first, values: turn::zeros(self.dtype, self.genes.saturating_mul(CHUNK)) }
    }

    fn put(&self, band: &Band) -> Result<(), WriteError> {
        let width = CHUNK.min(self.cells - band.first);
        let slab = || {
            Hyperslab::from(vec![
                SliceOrIndex::from(0..self.genes),
                SliceOrIndex::from(band.first..band.first + width),
            ])
        };
        with_values!(&band.values, v => {
            ndarray::ArrayView2::from_shape((self.genes, CHUNK), v.as_slice())
                .map_err(hdf5::Error::from)
                .and_then(|all| {
                    let some = all.slice(ndarray::s![.., ..width]).as_standard_layout().into_owned();
                    self.d.write_slice(&some, slab())
                })
        })
        .map_err(|e| write_error(self.out, &e))
    }
}

/// Loom has no booleans.
fn plain(block: Block) -> Result<Block, DataError> {
    if block.dtype() != DType::Bool {
        return Ok(block);
    }
    match block {
        Block::Dense(d) => {
            let (rows, columns) = d.shape();
            Ok(Block::Dense(Dense::new(rows, columns, without_booleans(d.values()))?))
        }
        Block::Csr(s) => {
            let values = without_booleans(s.values());
            let m = Sparse::new(s.layout(), s.shape(), s.indptr().to_vec(), s.indices().to_vec(), values)?;
            Ok(Block::Csr(m))
        }
    }
}
