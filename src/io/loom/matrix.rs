//! A matrix of genes × cells left on disk and seen as cells × genes, in bands of cells.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use hdf5_metno as hdf5;

use hdf5::{Dataset, Hyperslab, SliceOrIndex};
use ndarray::{Array2, Ix2};
use rayon::prelude::*;

use super::{attrs, turn};
use crate::data::{Block, BlockSink, DType, DataError, Layout, Matrix, RowSource, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Array, BEST_RATIO, Kind, Source, Tile, UNBACKED};

/// Bytes of stored values one band may take.
const BAND_BYTES: usize = 32 << 20;
/// Memory for a count of the entries, and for reading columns.
const SCAN_BYTES: u64 = 256 << 20;
/// Places looked at to tell whether a matrix is mostly zeros, and the length of each side.
const LOOKS: usize = 32;
const LOOK: usize = 64;
/// Times that a few cells are read through the library.
const GLIMPSES: usize = 4;
/// Chunks whose bytes are added up.
const COUNTED: u64 = 20_000;
/// A matrix with fewer entries than this share that are not zero is handed over as a sparse one.
const SPARSE_BELOW: f64 = 0.4;

/// A loom matrix: genes × cells on disk, cells × genes to everybody else. Every value is stored; a matrix of mostly
/// zeros is handed over in compressed rows all the same, so that whoever writes it elsewhere need not store the zeros.
#[derive(Debug)]
pub(super) struct Turned {
    source: Source,
    d: Dataset,
    array: Array,
    at: String,
    genes: usize,
    cells: usize,
    dtype: DType,
    layout: Layout,
    /// Genes and cells of a chunk; one each where the values lie in one piece.
    chunk: (usize, usize),
    /// How often a few cells were asked for.
    glimpses: AtomicUsize,
    /// Entries that are not zero, once somebody walked through all.
    nnz: OnceLock<u64>,
}

/// Bands of cells.
type Bands = Vec<Range<usize>>;

/// Opens a matrix of genes × cells; `backed` says that its size must be made good by stored bytes.
pub(super) fn open(source: &Source, d: &Dataset, backed: bool) -> Result<Turned, ReadError> {
    let at = d.name();
    let dtype = match source.kind(d) {
        // Loom has no booleans; a file with some is read as the bytes they are.
        Kind::Number(DType::Bool) => DType::U8,
        Kind::Number(dtype) => dtype,
        kind => {
            let what = format!("holds {}, expected numbers", attrs::words(&kind));
            return Err(source.malformed(at, what));
        }
    };
    let [genes, cells] = d.shape()[..] else {
        let what = format!("has {} axes, expected two (genes × cells)", d.ndim());
        return Err(source.malformed(at, what));
    };
    if u32::try_from(genes).is_err() {
        let what = format!("{at}: {genes} genes, scx reads up to {}", u32::MAX);
        return Err(ReadError::unsupported(&source.path, what));
    }
    source.check_filters(d)?;
    // Most of a claim must be stored somewhere: a layer made and never filled has the shape of a matrix that is.
    let claimed = (genes as u64).saturating_mul(cells as u64).saturating_mul(dtype.size() as u64);
    let chunk = match d.chunk().as_deref() {
        Some([g, c]) => ((*g).max(1), (*c).max(1)),
        _ => (1, 1),
    };
    let chunks = (genes.div_ceil(chunk.0) as u64).saturating_mul(cells.div_ceil(chunk.1) as u64);
    let stored = || match chunks {
        // Adding up very many chunks takes longer than anything else that opening does.
        n if n > COUNTED && d.chunk().is_some() => {
            std::fs::metadata(&source.path).map_or(u64::MAX, |m| m.len())
        }
        _ => d.storage_size(),
    };
    if backed && claimed > UNBACKED && claimed > stored().saturating_mul(BEST_RATIO) {
        let what = format!("claims {claimed} bytes but only {} are stored", d.storage_size());
        return Err(source.malformed(at, what));
    }
    let mut m = Turned {
        source: source.clone(),
        d: d.clone(),
        array: Array::open(source, d, dtype),
        at,
        genes,
        cells,
        dtype,
        layout: Layout::Dense,
        chunk,
        glimpses: AtomicUsize::new(0),
        nnz: OnceLock::new(),
    };
    if m.looks_sparse()? {
        m.layout = Layout::Csr;
    }
    Ok(m)
}

impl Turned {
    /// As a matrix left on disk.
    pub(super) fn into_matrix(self) -> Matrix {
        Matrix::OnDisk(std::sync::Arc::new(self))
    }

    /// Genes and cells.
    pub(super) fn stored_shape(&self) -> (usize, usize) {
        (self.genes, self.cells)
    }

    /// Looks at a few places spread over the matrix.
    fn looks_sparse(&self) -> Result<bool, ReadError> {
        let (mut seen, mut kept) = (0u64, 0u64);
        let side = |n: usize, chunk: usize| n.min(chunk.clamp(LOOK, 4 * LOOK));
        let (genes, cells) = (side(self.genes, self.chunk.0), side(self.cells, self.chunk.1));
        if genes == 0 || cells == 0 {
            return Ok(false);
        }
        // A step that shares no factor with the number of places meets every row and column of them.
        let places = (self.genes.div_ceil(genes), self.cells.div_ceil(cells));
        let all = (places.0 as u64).saturating_mul(places.1 as u64);
        let looks = all.min(LOOKS as u64);
        for i in 0..looks {
            let place = (u128::from(i) * u128::from(all) / u128::from(looks)) as u64;
            let cell = (place / places.0 as u64) as usize * cells;
            // Every column of places begins at another row.
            let gene = ((place + i * 7) % places.0 as u64) as usize * genes;
            let (g, c) = (gene..(gene + genes).min(self.genes), cell..(cell + cells).min(self.cells));
            seen += (g.len() as u64) * (c.len() as u64);
            kept += turn::non_zero(&[self.tile(g, c)?]);
        }
        Ok((kept as f64) < SPARSE_BELOW * seen as f64)
    }

    /// The stored values of some genes and cells.
    fn tile(&self, genes: Range<usize>, cells: Range<usize>) -> Result<Tile, ReadError> {
        let count = (genes.len() as u64).saturating_mul(cells.len() as u64);
        self.source.fits(&self.d, count, self.dtype.size())?;
        let slab =
            || Hyperslab::from(vec![SliceOrIndex::from(genes.clone()), SliceOrIndex::from(cells.clone())]);
        macro_rules! read {
            ($t:ty) => {
                Values::from(
                    self.d
                        .read_slice::<$t, _, Ix2>(slab())
                        .map_err(|e| self.source.library(&self.at, &e))?
                        .into_raw_vec_and_offset()
                        .0,
                )
            };
        }
        let values = if count == 0 {
            Values::empty(self.dtype)
        } else {
            match self.dtype {
                DType::I8 => read!(i8),
                DType::I16 => read!(i16),
                DType::I32 => read!(i32),
                DType::I64 => read!(i64),
                DType::Bool | DType::U8 => read!(u8),
                DType::U16 => read!(u16),
                DType::U32 => read!(u32),
                DType::U64 => read!(u64),
                DType::F16 => read!(half::f16),
                DType::F32 => read!(f32),
                DType::F64 => read!(f64),
            }
        };
        let width = cells.len();
        Ok(Tile { first: genes.start, rows: genes.len(), column: 0, width, stride: width, values })
    }

    /// All genes of some cells.
    fn tiles(&self, cells: Range<usize>) -> Result<Vec<Tile>, ReadError> {
        match self.array.tiles(cells.clone())? {
            Some(tiles) => Ok(tiles),
            None => Ok(vec![self.tile(0..self.genes, cells)?]),
        }
    }

    /// The rows of some cells.
    fn block(&self, cells: Range<usize>) -> Result<Block, DataError> {
        let shape = (cells.len(), self.genes);
        self.turned(shape, &self.tiles(cells)?)
    }

    fn turned(&self, shape: (usize, usize), tiles: &[Tile]) -> Result<Block, DataError> {
        match self.layout {
            Layout::Dense => turn::dense(self.dtype, shape, tiles),
            _ => turn::csr(self.dtype, shape, tiles),
        }
    }

    /// Bands of whole chunks, and how many to have in memory at once.
    fn bands(&self, memory: u64) -> (usize, usize) {
        let cell = self.genes.saturating_mul(self.dtype.size()).max(1);
        let budget = usize::try_from(memory / 8).unwrap_or(usize::MAX);
        let most = (budget / cell).max(1);
        let chunk = self.chunk.1;
        // One band at least must fit; chunks wider than that are read in parts, slower but within memory.
        if chunk > most {
            return (most, 1);
        }
        // Values in one piece are read best in wide bands, since each gene of a band is a read of its own.
        let least = if chunk == 1 { (BAND_BYTES / cell).clamp(LOOK, 8192) } else { LOOK };
        let width = (least.div_ceil(chunk) * chunk).min(most - most % chunk).max(chunk);
        let at_once = (most / width).clamp(1, 2 * rayon::current_num_threads());
        (width, at_once)
    }

    /// Runs of bands to be worked on at once.
    fn runs(&self, memory: u64) -> impl Iterator<Item = Bands> + use<> {
        let (width, at_once) = self.bands(memory);
        let cells = self.cells;
        let step = width.saturating_mul(at_once);
        (0..cells).step_by(step.max(1)).map(move |start| {
            let end = start.saturating_add(step).min(cells);
            (start..end).step_by(width).map(|a| a..a.saturating_add(width).min(end)).collect()
        })
    }

    /// Counts the entries that are not zero.
    fn count(&self) -> Result<u64, ReadError> {
        let mut total = 0;
        for bands in self.runs(SCAN_BYTES) {
            let counts: Result<Vec<u64>, ReadError> =
                bands.into_par_iter().map(|b| Ok(turn::non_zero(&self.tiles(b)?))).collect();
            total += counts?.iter().sum::<u64>();
        }
        Ok(total)
    }
}

impl RowSource for Turned {
    fn shape(&self) -> (usize, usize) {
        (self.cells, self.genes)
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    /// Counted when first asked for, unless [`RowSource::stream`] has been through all rows before.
    fn nnz(&self) -> Option<u64> {
        if self.layout == Layout::Dense {
            return None;
        }
        if let Some(n) = self.nnz.get() {
            return Some(*n);
        }
        match self.count() {
            Ok(n) => Some(*self.nnz.get_or_init(|| n)),
            // Walking through the rows fails at the same place, and that can say why.
            Err(_) => Some((self.genes as u64).saturating_mul(self.cells as u64)),
        }
    }

    fn nnz_known(&self) -> Option<u64> {
        self.nnz.get().copied()
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        if range.start > range.end || range.end > self.cells {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: self.cells });
        }
        // For a few cells of a file just opened it does not pay to list all chunks.
        let few = range.len() <= LOOK && !self.array.listed();
        if few && self.glimpses.fetch_add(1, Ordering::Relaxed) < GLIMPSES {
            return self.turned((range.len(), self.genes), &[self.tile(0..self.genes, range)?]);
        }
        self.block(range)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let mut entries = 0;
        for bands in self.runs(memory) {
            let starts: Vec<usize> = bands.iter().map(|b| b.start).collect();
            let blocks: Result<Vec<Block>, DataError> =
                bands.into_par_iter().map(|b| self.block(b)).collect();
            for (start, block) in starts.into_iter().zip(blocks?) {
                if let Block::Csr(s) = &block {
                    entries += s.indices().len() as u64;
                }
                sink(start, block)?;
            }
        }
        if self.layout != Layout::Dense {
            self.nnz.get_or_init(|| entries);
        }
        Ok(())
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        if let Some(&index) = columns.iter().find(|&&c| c >= self.genes) {
            return Err(DataError::OutOfRange { what: "column", index, len: self.genes });
        }
        let groups = self.groups(columns);
        // What one cell takes: the genes of the largest group as stored, and the chosen columns.
        let most = groups.iter().map(|(genes, _)| genes.len()).max().unwrap_or(0);
        let cell = most.saturating_mul(self.dtype.size()).max(columns.len().saturating_mul(8)).max(1);
        let fit = (BAND_BYTES / cell).max(1);
        let width = if fit > self.chunk.1 { fit - fit % self.chunk.1 } else { fit };
        for start in (0..self.cells).step_by(width) {
            let cells = start..start.saturating_add(width).min(self.cells);
            let mut out = Array2::zeros((cells.len(), columns.len()));
            for (genes, chosen) in &groups {
                let tile = self.tile(genes.clone(), cells.clone())?;
                for &k in chosen {
                    let gene = columns.get(k).map_or(0, |c| c - genes.start) * tile.stride;
                    for (slot, i) in out.column_mut(k).iter_mut().zip(gene..) {
                        *slot = tile.values.get(i).unwrap_or(0.0);
                    }
                }
            }
            sink(start, out)?;
        }
        Ok(())
    }
}

impl Turned {
    /// The chosen genes by the chunks they lie in: genes to read, and positions in `columns`.
    fn groups(&self, columns: &[usize]) -> Vec<(Range<usize>, Vec<usize>)> {
        let gene = |k: &usize| columns.get(*k).copied().unwrap_or(0);
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(gene);
        let mut groups: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
        for k in order {
            let g = gene(&k);
            match groups.last_mut() {
                Some((genes, chosen)) if genes.start / self.chunk.0 == g / self.chunk.0 => {
                    genes.end = g + 1;
                    chosen.push(k);
                }
                _ => groups.push((g..g + 1, vec![k])),
            }
        }
        groups
    }
}
