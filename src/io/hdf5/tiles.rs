//! Some columns of a dataset of two axes, chunk by chunk: what a matrix stored the other way round is made of. Chunks are
//! decoded and encoded by whoever asks, so that many threads may do so at once.

use std::ops::Range;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group, Hyperslab, SliceOrIndex};

use super::array::Array;
use super::codec::Pipeline;
use super::direct::{Chunk, Direct};
use super::raw::write_chunk;
use super::{Source, Storage, create, elements};
use crate::data::{DType, Values, Word};
use crate::io::error::ReadError;
use crate::with_values;

/// A piece of some columns: whole rows of them, or of a chunk's part of them.
#[derive(Debug)]
pub(in crate::io) struct Tile {
    /// The first row.
    pub(in crate::io) first: usize,
    /// How many rows.
    pub(in crate::io) rows: usize,
    /// The first column, counted from the first one asked for.
    pub(in crate::io) column: usize,
    /// How many columns.
    pub(in crate::io) width: usize,
    /// Values from one row to the next; those behind the columns are of no meaning.
    pub(in crate::io) stride: usize,
    /// The values.
    pub(in crate::io) values: Values,
}

impl Array {
    /// The way to a dataset of numbers.
    pub(in crate::io) fn open(source: &Source, dataset: &Dataset, dtype: DType) -> Self {
        Self::new(source, dataset.clone(), dtype)
    }

    /// All rows of columns `columns` as the chunks they lie in, by their first rows. Chunks of nothing but zeros may be
    /// left out. `None` when only the library can read the dataset, or when chunks would be decoded in part.
    pub(in crate::io) fn tiles(&self, columns: Range<usize>) -> Result<Option<Vec<Tile>>, ReadError> {
        let Some(direct) = self.direct() else { return Ok(None) };
        let Some(chunks) = direct.chunks() else { return Ok(None) };
        let [rows, all] = direct.extent();
        let [_, width] = direct.chunk;
        let whole =
            columns.start.is_multiple_of(width) && (columns.end.is_multiple_of(width) || columns.end == all);
        if !whole || !direct.fills_with_zero() {
            return Ok(None);
        }
        let across = all.div_ceil(width) as u64;
        let wanted = (columns.start / width) as u64..columns.end.div_ceil(width) as u64;
        let mut tiles = Vec::new();
        for row in 0..rows.div_ceil(direct.chunk[0]) as u64 {
            let first = row * across + wanted.start;
            let last = row * across + wanted.end;
            let from = chunks.partition_point(|c| c.cell < first);
            let here = chunks.get(from..).unwrap_or(&[]).iter().take_while(|c| c.cell < last);
            for chunk in here {
                tiles.push(self.tile(direct, chunk, &columns, [rows, all])?);
            }
        }
        Ok(Some(tiles))
    }

    fn tile(
        &self,
        direct: &Direct,
        chunk: &Chunk,
        columns: &Range<usize>,
        [rows, all]: [usize; 2],
    ) -> Result<Tile, ReadError> {
        let across = all.div_ceil(direct.chunk[1]).max(1) as u64;
        let first = (chunk.cell / across) as usize * direct.chunk[0];
        let column = (chunk.cell % across) as usize * direct.chunk[1];
        let values = match self.dtype.size() {
            1 => u8::wrap(self.dtype, decoded(direct, chunk)?),
            2 => u16::wrap(self.dtype, decoded(direct, chunk)?),
            4 => u32::wrap(self.dtype, decoded(direct, chunk)?),
            _ => u64::wrap(self.dtype, decoded(direct, chunk)?),
        };
        Ok(Tile {
            first,
            rows: direct.chunk[0].min(rows - first),
            column: column - columns.start,
            width: direct.chunk[1].min(all - column),
            stride: direct.chunk[1],
            values: values.unwrap_or(Values::empty(self.dtype)),
        })
    }
}

fn decoded<W: Word>(direct: &Direct, chunk: &Chunk) -> Result<Vec<W>, ReadError> {
    let mut out = direct.room::<W>(chunk)?;
    direct.decode(chunk, &direct.stored(chunk)?, &mut out)?;
    Ok(out)
}

/// A new dataset of two axes that is written in bands: all rows of the columns of one chunk.
pub(in crate::io) struct TilesOut {
    dataset: Dataset,
    shape: [usize; 2],
    chunk: [usize; 2],
    dtype: DType,
    pipeline: Option<Pipeline>,
}

/// A band ready to be written.
pub(in crate::io) enum Band {
    /// Its chunks; one of nothing but zeros is not stored.
    Encoded(Vec<Option<Vec<u8>>>),
    /// As it is, for the library.
    Plain(Values),
}

impl TilesOut {
    /// Makes the dataset `group/name` with chunks of `chunk` rows and columns at most.
    pub(in crate::io) fn create(
        group: &Group,
        name: &str,
        dtype: DType,
        shape: [usize; 2],
        storage: &Storage,
    ) -> hdf5::Result<Self> {
        let dataset = create(group, name, dtype, &shape, storage)?;
        // The chunk shape may have been cut to that of the dataset.
        let chunk = match dataset.chunk().as_deref() {
            Some([rows, columns]) => [(*rows).max(1), (*columns).max(1)],
            _ => shape.map(|n| n.max(1)),
        };
        let chunked = dataset.is_chunked();
        let pipeline = Pipeline::of(&storage.filters, dtype.size()).filter(|p| chunked && p.encodes());
        Ok(Self { dataset, shape, chunk, dtype, pipeline })
    }

    /// Columns of a band.
    pub(in crate::io) fn width(&self) -> usize {
        self.chunk[1]
    }

    /// Values of a band: whole chunks, one below the other.
    pub(in crate::io) fn band_len(&self) -> usize {
        self.shape[0].next_multiple_of(self.chunk[0]).saturating_mul(self.chunk[1])
    }

    /// Encodes a band of [`TilesOut::band_len`] values.
    pub(in crate::io) fn encode(&self, band: Values) -> hdf5::Result<Band> {
        let Some(pipeline) = &self.pipeline else { return Ok(Band::Plain(band)) };
        let bytes = (elements(&self.chunk) as usize).saturating_mul(self.dtype.size()).max(1);
        let chunks = band.bytes().chunks(bytes).map(|chunk| {
            let zero = chunk.iter().fold(0, |any, b| any | b) == 0;
            if zero { Ok(None) } else { pipeline.encode(chunk).map(Some) }
        });
        Ok(Band::Encoded(chunks.collect::<Result<_, String>>().map_err(hdf5::Error::from)?))
    }

    /// Writes the band whose first column is `column`.
    pub(in crate::io) fn write(&self, column: usize, band: &Band) -> hdf5::Result<()> {
        match band {
            Band::Encoded(chunks) => {
                for (chunk, row) in chunks.iter().zip((0u64..).step_by(self.chunk[0])) {
                    if let Some(bytes) = chunk {
                        write_chunk(&self.dataset, &[row, column as u64], 0, bytes)?;
                    }
                }
                Ok(())
            }
            Band::Plain(values) => {
                let end = column.saturating_add(self.chunk[1]).min(self.shape[1]);
                let part = ndarray::s![..self.shape[0], ..end - column];
                let rows = self.shape[0].next_multiple_of(self.chunk[0]);
                let slab = [SliceOrIndex::from(0..self.shape[0]), SliceOrIndex::from(column..end)];
                let slab = Hyperslab::from(slab.to_vec());
                with_values!(values, v => {
                    let all = ndarray::ArrayView2::from_shape((rows, self.chunk[1]), v.as_slice())
                        .map_err(hdf5::Error::from)?;
                    self.dataset.write_slice(&all.slice(part).as_standard_layout().into_owned(), slab)
                })?;
                // What closing would write is not heard of when it fails.
                if end == self.shape[1] { self.dataset.flush() } else { Ok(()) }
            }
        }
    }
}
