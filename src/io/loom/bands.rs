//! A matrix of cells × genes written as genes × cells: rows come in runs and leave in bands of cells, so that memory
//! holds a few bands and never the matrix.

use std::ops::Range;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;
use hdf5::filters::Filter;
use rayon::prelude::*;

use super::attrs::without_booleans;
use super::turn;
use crate::data::{Block, DType, DataError, Dense, Matrix, Sparse, Values};
use crate::io::error::WriteError;
use crate::io::hdf5::{Band, Meter, Storage, TilesOut};
use crate::io::loss::in_units;
use crate::io::options::{Compression, WriteOptions};

/// Bytes that a band may take however little memory is allowed.
const LEAST_BAND: u64 = 64 << 20;
/// Genes and cells of a chunk, as loompy has them.
const CHUNK: [usize; 2] = [64, 64];

/// Refuses a matrix of which one band does not fit: it is filled, and packed beside that.
///
/// # Errors
/// [`WriteError::CannotHold`].
pub(super) fn fit(m: &Matrix, out: &Path, memory: u64) -> Result<(), WriteError> {
    let (cells, genes) = m.shape();
    let width = CHUNK[1].min(cells) as u64;
    let band = (genes as u64).saturating_mul(width).saturating_mul(m.dtype().size() as u64);
    if band <= (memory / 2).max(LEAST_BAND) {
        return Ok(());
    }
    let what = format!(
        "loom stores every value, and a band of {width} cells × {genes} genes takes {}, more than half of what --memory \
         allows ({}); allow more with --memory, or write h5ad",
        in_units(band),
        in_units(memory)
    );
    Err(WriteError::CannotHold { path: out.to_owned(), what })
}

/// Where the matrix goes.
struct Target {
    to: TilesOut,
    dtype: DType,
    /// Bands that may be in memory at once.
    at_once: usize,
}

/// A band being filled: genes × cells of one chunk.
struct Open {
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
    let (cells, genes) = m.shape();
    let dtype = if m.dtype() == DType::Bool { DType::U8 } else { m.dtype() };
    let mut meter = Meter::start(options, out, name, (cells as u64).saturating_mul(genes as u64));
    let filters = match options.compression {
        Some(Compression::None) => Vec::new(),
        Some(Compression::Lzf) => vec![Filter::shuffle(), Filter::lzf()],
        Some(Compression::Gzip(level)) => vec![Filter::shuffle(), Filter::deflate(level.min(9))],
        None => vec![Filter::shuffle(), Filter::deflate(4)],
    };
    let storage = Storage { chunk: Some(CHUNK.to_vec()), filters };
    let to = TilesOut::create(group, name, dtype, [genes, cells], &storage).map_err(|e| meter.library(&e))?;
    if genes == 0 || cells == 0 {
        return Ok(());
    }
    let band = to.band_len().saturating_mul(dtype.size()) as u64;
    let fit = usize::try_from(options.memory / 8 / band.max(1)).unwrap_or(usize::MAX);
    let target = Target { to, dtype, at_once: fit.clamp(1, 2 * rayon::current_num_threads()) };
    let mut open: Option<Open> = None;
    m.stream(options.memory / 2, &mut |start, block| {
        let rows = block.len() as u64;
        let block = plain(block)?;
        target.take(start, &block, &mut open).map_err(|e| DataError::stopped(meter.library(&e)))?;
        meter.advance(rows * genes as u64)
    })
    .map_err(|e| WriteError::streamed(out, e))?;
    match open {
        Some(band) => target.put(vec![band]).map_err(|e| meter.library(&e)),
        None => Ok(()),
    }
}

impl Target {
    /// Takes a run of rows: what completes an open band, whole bands, and the beginning of the next.
    fn take(&self, start: usize, block: &Block, open: &mut Option<Open>) -> hdf5::Result<()> {
        let width = self.to.width();
        let end = start + block.len();
        let mut at = start;
        let mut whole: Vec<Range<usize>> = Vec::new();
        while at < end {
            let first = at - at % width;
            let to = (first + width).min(end);
            if at == first && to == first + width {
                whole.push(at..to);
            } else {
                // Bands are written in order, whatever runs the rows come in.
                self.fill(&std::mem::take(&mut whole), start, block)?;
                let band = open.get_or_insert_with(|| self.open(first));
                turn::put(&mut band.values, width, at - first, block, at - start..to - start);
                if to == first + width {
                    self.put(open.take().into_iter().collect())?;
                }
            }
            at = to;
        }
        self.fill(&whole, start, block)
    }

    /// Writes bands whose rows are all in `block`.
    fn fill(&self, bands: &[Range<usize>], start: usize, block: &Block) -> hdf5::Result<()> {
        let encode = |few: &[Range<usize>]| -> hdf5::Result<Vec<_>> {
            few.par_iter()
                .map(|cells| {
                    let mut band = self.open(cells.start);
                    let rows = cells.start - start..cells.end - start;
                    turn::put(&mut band.values, self.to.width(), 0, block, rows);
                    Ok((band.first, self.to.encode(band.values)?))
                })
                .collect()
        };
        // The next bands are packed while the last ones are written.
        let mut ready = Vec::new();
        for few in bands.chunks(self.at_once) {
            let (next, written) = rayon::join(|| encode(few), || self.write_all(&ready));
            written?;
            ready = next?;
        }
        self.write_all(&ready)
    }

    fn write_all(&self, bands: &[(usize, Band)]) -> hdf5::Result<()> {
        bands.iter().try_for_each(|(first, band)| self.to.write(*first, band))
    }

    fn open(&self, first: usize) -> Open {
        Open { first, values: turn::zeros(self.dtype, self.to.band_len()) }
    }

    fn put(&self, bands: Vec<Open>) -> hdf5::Result<()> {
        bands.into_iter().try_for_each(|b| self.to.write(b.first, &self.to.encode(b.values)?))
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
