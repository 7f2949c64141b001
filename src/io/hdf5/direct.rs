//! Reading a dataset past the HDF5 library: chunks are found through it, then read and decoded by all threads at once.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

use hdf5_metno as hdf5;

use hdf5::dataset::Layout as Storage;
use hdf5::plist::dataset_create::FillTime;
use hdf5::{Dataset, Datatype};
use rayon::prelude::*;

use super::codec::Pipeline;
use super::store::descriptor;
use super::{Source, elements};
use crate::data::scratch::read_exact_at;
use crate::data::{DType, Values, Word};
use crate::io::error::ReadError;

/// Bytes one thread reads at a time from a contiguous dataset.
const PIECE: usize = 1 << 20;
/// Bytes of chunks side by side that are decoded at once.
const BESIDE: usize = 16 << 20;

/// Where a chunk lies in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    /// Its number, counted row by row over all chunks the dataset could have.
    pub(super) cell: u64,
    at: u64,
    /// Bytes it takes there.
    pub(super) stored: u64,
    /// Filters that were not applied to it.
    pub(super) mask: u32,
}

#[derive(Debug)]
enum Pieces {
    Contiguous(u64),
    /// In order of their cell; those that were never written are missing.
    Chunks(Vec<Chunk>),
}

/// A dataset of numbers along one or two axes that needs no library to be read.
#[derive(Debug)]
pub(super) struct Direct {
    file: File,
    path: PathBuf,
    at: String,
    /// Rows and columns; one column when there is one axis.
    shape: [usize; 2],
    /// Rows and columns of a chunk.
    pub(super) chunk: [usize; 2],
    axes: usize,
    pieces: Pieces,
    pub(super) pipeline: Pipeline,
    /// Bytes of the element that stands where nothing was written.
    fill: Vec<u8>,
}

impl Direct {
    /// `None` when the dataset is of a kind only the library should read.
    pub(super) fn open(source: &Source, d: &Dataset, dtype: DType) -> Option<Self> {
        // A file open for writing may have chunks that are not on disk yet.
        if !d.file().ok()?.is_read_only() {
            return None;
        }
        // Byte order, precision and padding are all those of this machine.
        if d.dtype().ok()? != Datatype::from_descriptor(&descriptor(dtype)).ok()? {
            return None;
        }
        let shape = two(&d.shape())?;
        let path = PathBuf::from(d.filename());
        let file = File::open(&path).ok()?;
        let length = file.metadata().ok()?.len();
        let dcpl = d.dcpl().ok()?;
        let bytes = elements(&shape).checked_mul(dtype.size() as u64)?;
        let pipeline = Pipeline::of(&dcpl.get_filters().ok()?, dtype.size())?;
        let mut fill = vec![0; dtype.size()];
        let (pieces, chunk) = match dcpl.get_layout().ok()? {
            Storage::Contiguous if dcpl.get_external().ok()?.is_empty() => {
                let at = d.offset()?;
                (at.checked_add(bytes)? <= length).then_some(())?;
                (Pieces::Contiguous(at), shape)
            }
            Storage::Chunked if dcpl.get_chunk_opts().ok()?.is_none_or(|o| o.is_empty()) => {
                let chunk = two(&dcpl.get_chunk().ok()??)?;
                let chunks = list(source, d, shape, chunk, length)?;
                let all = cells(shape, chunk)?;
                if (chunks.len() as u64) < elements(&all) {
                    fill = filling(&dcpl, dtype)?;
                }
                let size = elements(&chunk).checked_mul(dtype.size() as u64)?;
                source.limits.check(&source.path, &d.name(), size, 1).ok()?;
                (Pieces::Chunks(chunks), chunk)
            }
            _ => return None,
        };
        Some(Self { file, path, at: d.name(), shape, chunk, axes: d.ndim(), pieces, pipeline, fill })
    }

    /// Rows that belong together: those of a chunk, or 1 when there are none.
    pub(super) fn band(&self) -> usize {
        match self.pieces {
            Pieces::Contiguous(_) => 1,
            Pieces::Chunks(_) => self.chunk[0],
        }
    }

    /// The chunks that were written, in order; `None` when the dataset is contiguous.
    pub(super) fn chunks(&self) -> Option<&[Chunk]> {
        match &self.pieces {
            Pieces::Contiguous(_) => None,
            Pieces::Chunks(chunks) => Some(chunks),
        }
    }

    /// Rows and columns; one column when there is one axis.
    pub(super) fn extent(&self) -> [usize; 2] {
        self.shape
    }

    /// Path of the dataset inside the file.
    pub(super) fn name(&self) -> &str {
        &self.at
    }

    /// Bytes the dataset takes in the file.
    pub(super) fn stored_bytes(&self) -> u64 {
        match &self.pieces {
            Pieces::Contiguous(_) => elements(&self.shape).saturating_mul(self.fill.len() as u64),
            Pieces::Chunks(chunks) => chunks.iter().fold(0, |n, c| n.saturating_add(c.stored)),
        }
    }

    /// Whether everything that was never written is zero.
    pub(super) fn fills_with_zero(&self) -> bool {
        self.fill.iter().all(|b| *b == 0)
    }

    /// Row and column of the first element of a chunk.
    fn place(&self, chunk: &Chunk) -> [u64; 2] {
        let columns = self.shape[1].div_ceil(self.chunk[1]).max(1) as u64;
        [chunk.cell / columns * self.chunk[0] as u64, chunk.cell % columns * self.chunk[1] as u64]
    }

    /// Position of the first element of a chunk, along each axis of the dataset.
    pub(super) fn offset(&self, chunk: &Chunk) -> Vec<u64> {
        self.place(chunk).into_iter().take(self.axes).collect()
    }

    /// The elements of a chunk that lie within the dataset.
    pub(super) fn inside(&self, chunk: &Chunk) -> usize {
        let [row, column] = self.place(chunk).map(|at| usize::try_from(at).unwrap_or(usize::MAX));
        let rows = self.chunk[0].min(self.shape[0].saturating_sub(row));
        rows * self.chunk[1].min(self.shape[1].saturating_sub(column))
    }

    /// The bytes of a chunk as they are stored.
    pub(super) fn stored(&self, chunk: &Chunk) -> Result<Vec<u8>, ReadError> {
        // At most the length of the file, checked when the chunks were listed.
        let mut bytes = vec![0; chunk.stored as usize];
        read_exact_at(&self.file, &mut bytes, chunk.at).map_err(|e| ReadError::io(&self.path, e))?;
        Ok(bytes)
    }

    fn damaged(&self, chunk: &Chunk, what: &str) -> ReadError {
        let place = self.offset(chunk);
        ReadError::malformed(&self.path, &self.at, format!("the chunk at {place:?} is damaged: {what}"))
    }

    /// Decodes the stored bytes of a chunk into `out`, which is as long as a chunk.
    pub(super) fn decode<W: Word>(
        &self,
        chunk: &Chunk,
        stored: &[u8],
        out: &mut [W],
    ) -> Result<(), ReadError> {
        let out: &mut [u8] = bytemuck::cast_slice_mut(out);
        self.pipeline.decode(stored, chunk.mask, out).map_err(|what| self.damaged(chunk, &what))
    }

    /// An empty chunk to decode into, when the stored bytes can hold one.
    pub(super) fn room<W: Word>(&self, chunk: &Chunk) -> Result<Vec<W>, ReadError> {
        self.plausible(chunk, size_of::<W>())?;
        Ok(vec![W::default(); self.chunk[0] * self.chunk[1]])
    }

    fn plausible(&self, chunk: &Chunk, width: usize) -> Result<(), ReadError> {
        let n = self.chunk[0] * self.chunk[1];
        if self.pipeline.plausible(chunk.stored, (n * width) as u64, chunk.mask) {
            return Ok(());
        }
        Err(self.damaged(chunk, &format!("{} bytes cannot hold {n} elements", chunk.stored)))
    }

    /// Rows `rows`, row-major.
    pub(super) fn rows(&self, dtype: DType, rows: Range<usize>) -> Result<Values, ReadError> {
        let values = match dtype.size() {
            1 => u8::wrap(dtype, self.read(rows)?),
            2 => u16::wrap(dtype, self.read(rows)?),
            4 => u32::wrap(dtype, self.read(rows)?),
            _ => u64::wrap(dtype, self.read(rows)?),
        };
        values.ok_or_else(|| ReadError::malformed(&self.path, &self.at, "elements of another width"))
    }

    /// `head`, then rows `rows`, then `tail`: what is known already around what is decoded in its final place.
    pub(super) fn join(
        &self,
        dtype: DType,
        head: &[u8],
        rows: Range<usize>,
        tail: &[u8],
    ) -> Result<Values, ReadError> {
        let values = match dtype.size() {
            1 => u8::wrap(dtype, self.joined(head, rows, tail)?),
            2 => u16::wrap(dtype, self.joined(head, rows, tail)?),
            4 => u32::wrap(dtype, self.joined(head, rows, tail)?),
            _ => u64::wrap(dtype, self.joined(head, rows, tail)?),
        };
        values.ok_or_else(|| ReadError::malformed(&self.path, &self.at, "elements of another width"))
    }

    fn joined<W: Word>(&self, head: &[u8], rows: Range<usize>, tail: &[u8]) -> Result<Vec<W>, ReadError> {
        let width = size_of::<W>();
        let (before, after) = (head.len() / width, tail.len() / width);
        let within = self.clipped(&rows).len() * self.shape[1];
        let mut out = vec![W::default(); before + within + after];
        bytemuck::cast_slice_mut::<W, u8>(&mut out[..before]).copy_from_slice(head);
        self.read_into(rows, &mut out[before..before + within])?;
        bytemuck::cast_slice_mut::<W, u8>(&mut out[before + within..]).copy_from_slice(tail);
        Ok(out)
    }

    fn clipped(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start.min(self.shape[0])..rows.end.min(self.shape[0])
    }

    fn read<W: Word>(&self, rows: Range<usize>) -> Result<Vec<W>, ReadError> {
        let mut out = vec![W::default(); self.clipped(&rows).len() * self.shape[1]];
        self.read_into(rows, &mut out)?;
        Ok(out)
    }

    /// Fills `out` with rows `rows`.
    fn read_into<W: Word>(&self, rows: Range<usize>, out: &mut [W]) -> Result<(), ReadError> {
        let rows = self.clipped(&rows);
        match &self.pieces {
            Pieces::Contiguous(at) => {
                let first = at + (rows.start * self.shape[1] * size_of::<W>()) as u64;
                let bytes: &mut [u8] = bytemuck::cast_slice_mut(out);
                bytes.par_chunks_mut(PIECE).enumerate().try_for_each(|(i, piece)| {
                    read_exact_at(&self.file, piece, first + (i * PIECE) as u64)
                        .map_err(|e| ReadError::io(&self.path, e))
                })?;
            }
            Pieces::Chunks(chunks) => {
                let mut bands = Vec::new();
                let mut rest = out;
                let mut row = rows.start;
                while row < rows.end && !rest.is_empty() {
                    let end = (row / self.chunk[0] + 1).saturating_mul(self.chunk[0]).min(rows.end);
                    let (now, later) = rest.split_at_mut((end - row) * self.shape[1]);
                    bands.push((row..end, now));
                    (row, rest) = (end, later);
                }
                bands.into_par_iter().try_for_each(|(rows, out)| self.band_into(chunks, rows, out))?;
            }
        }
        Ok(())
    }

    /// Fills `out` with rows that all lie in one row of chunks.
    fn band_into<W: Word>(
        &self,
        chunks: &[Chunk],
        rows: Range<usize>,
        out: &mut [W],
    ) -> Result<(), ReadError> {
        let columns = self.shape[1].div_ceil(self.chunk[1]);
        let first = (rows.start / self.chunk[0] * columns) as u64;
        let from = chunks.partition_point(|c| c.cell < first);
        let to = chunks.partition_point(|c| c.cell < first + columns as u64);
        let here = chunks.get(from..to).unwrap_or(&[]);
        if here.len() < columns {
            let fill: &[W] = bytemuck::try_cast_slice(&self.fill).unwrap_or(&[]);
            out.fill(fill.first().copied().unwrap_or_default());
        }
        if let ([chunk], 1) = (here, columns)
            && out.len() == self.chunk[0] * self.chunk[1]
        {
            self.plausible(chunk, size_of::<W>())?;
            return self.decode(chunk, &self.stored(chunk)?, out);
        }
        let skip = rows.start % self.chunk[0];
        let at_once = BESIDE / (self.chunk[0] * self.chunk[1] * size_of::<W>()).max(1);
        for here in here.chunks(at_once.max(1)) {
            let decoded = here.par_iter().map(|chunk| {
                let mut values = self.room::<W>(chunk)?;
                self.decode(chunk, &self.stored(chunk)?, &mut values)?;
                Ok(values)
            });
            let decoded = decoded.collect::<Result<Vec<_>, ReadError>>()?;
            for (chunk, values) in here.iter().zip(decoded) {
                let column = (chunk.cell - first) as usize * self.chunk[1];
                let width = self.chunk[1].min(self.shape[1] - column);
                let stored = values.chunks_exact(self.chunk[1]).skip(skip);
                for (to, from) in out.chunks_exact_mut(self.shape[1]).zip(stored) {
                    to[column..column + width].copy_from_slice(&from[..width]);
                }
            }
        }
        Ok(())
    }
}

/// One or two axes as rows and columns.
fn two(axes: &[usize]) -> Option<[usize; 2]> {
    match *axes {
        [n] => Some([n, 1]),
        [rows, columns] => Some([rows, columns]),
        _ => None,
    }
}

/// Chunks along each axis.
fn cells(shape: [usize; 2], chunk: [usize; 2]) -> Option<[usize; 2]> {
    (chunk[0] > 0 && chunk[1] > 0).then(|| [shape[0].div_ceil(chunk[0]), shape[1].div_ceil(chunk[1])])
}

/// All chunks in order; `None` when one of them is where none can be.
fn list(
    source: &Source,
    d: &Dataset,
    shape: [usize; 2],
    chunk: [usize; 2],
    length: u64,
) -> Option<Vec<Chunk>> {
    let all = cells(shape, chunk)?;
    let most = source.limits.max_bytes / size_of::<Chunk>() as u64;
    let mut chunks = Vec::new();
    let mut sound = true;
    d.chunks_visit(|c| {
        let (row, column) = match *c.offset {
            [row] => (row, 0),
            [row, column] => (row, column),
            _ => (1, 1),
        };
        let [rows, columns] = chunk.map(|n| n as u64);
        sound = row % rows == 0
            && column % columns == 0
            && row / rows < all[0] as u64
            && column / columns < all[1] as u64
            && c.addr.checked_add(c.size).is_some_and(|end| end <= length)
            && (chunks.len() as u64) < most;
        if !sound {
            return 1;
        }
        let cell = row / rows * all[1] as u64 + column / columns;
        chunks.push(Chunk { cell, at: c.addr, stored: c.size, mask: c.filter_mask });
        0
    })
    .ok()?;
    chunks.sort_unstable_by_key(|c| c.cell);
    let twice = chunks.windows(2).any(|w| w[0].cell == w[1].cell);
    (sound && !twice).then_some(chunks)
}

/// Bytes of the fill value; `None` when what was not written has no defined value.
fn filling(dcpl: &hdf5::plist::DatasetCreate, dtype: DType) -> Option<Vec<u8>> {
    if dcpl.get_fill_time().ok()? == FillTime::Never {
        return None;
    }
    macro_rules! of {
        ($($variant:ident: $t:ty),*) => {
            match dtype {
                // Any byte may stand in a damaged boolean: the library decides.
                DType::Bool => None,
                $(DType::$variant => dcpl.get_fill_value_as::<$t>().ok()?.map(|v| Values::from(vec![v])),)*
            }
        };
    }
    let fill = of!(I8: i8, I16: i16, I32: i32, I64: i64, U8: u8, U16: u16, U32: u32, U64: u64,
        F16: half::f16, F32: f32, F64: f64)?;
    Some(fill.bytes().to_vec())
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
