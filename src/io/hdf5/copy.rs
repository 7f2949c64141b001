//! Arrays of one HDF5 file into another. Chunks are copied as they are stored where the target may hold them so, and
//! everything else is decoded and encoded again; indices are checked either way.

use std::ops::Range;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};
use rayon::prelude::*;

use super::array::Array;
use super::array_out::ArrayOut;
use super::direct::{Chunk, Direct};
use super::matrix::{Compressed, Stored};
use super::meter::Meter;
use super::pointers::write_pointers;
use super::raw::write_chunk;
use super::sparse::{all_below, whole, wide_enough};
use super::walk::{ahead, run_bytes};
use super::{Storage, create, extent};
use crate::data::{DType, DataError, Values, Word};
use crate::io::error::{ReadError, WriteError};
use crate::io::options::{Compression, WriteOptions};

/// Stored bytes copied at a time.
const BATCH: u64 = 8 << 20;

/// What is asked of the elements of an array.
#[derive(Clone, Copy)]
enum Asked<'a> {
    /// Nothing: values may be anything.
    Nothing,
    /// They are indices into the other axis of a matrix.
    Indices(&'a Stored, &'a Compressed),
}

/// Writes the arrays of a compressed matrix as `data`, `indices` and `indptr` of `group`, in the order they are stored.
pub(super) fn compressed(
    from: &Stored,
    m: &Compressed,
    group: &Group,
    options: &WriteOptions,
    meter: &mut Meter,
) -> Result<(), WriteError> {
    array(&m.data, m.data.dtype, group, "data", Asked::Nothing, options, meter)?;
    // Readers of sparse matrices know these two types of indices.
    let known = |dtype| matches!(dtype, DType::I32 | DType::I64);
    let index =
        if known(m.indices.dtype) { m.indices.dtype } else { wide_enough(DType::I32, m.minor() as u64) };
    array(&m.indices, index, group, "indices", Asked::Indices(from, m), options, meter)?;
    let pointer = if known(m.indptr_dtype) { m.indptr_dtype } else { DType::I64 };
    write_pointers(group, pointer, &m.indptr, options).map_err(|e| meter.library(&e))
}

/// Writes a dense matrix as the dataset `group/name`.
pub(super) fn dense(
    d: &Array,
    group: &Group,
    name: &str,
    options: &WriteOptions,
    meter: &mut Meter,
) -> Result<Dataset, WriteError> {
    array(d, d.dtype, group, name, Asked::Nothing, options, meter)
}

fn array(
    from: &Array,
    dtype: DType,
    group: &Group,
    name: &str,
    asked: Asked,
    options: &WriteOptions,
    meter: &mut Meter,
) -> Result<Dataset, WriteError> {
    let shape = extent(&from.dataset);
    let kept = from.direct().filter(|d| dtype == from.dtype && may_stay(d, &shape, options.compression));
    let Some(direct) = kept else {
        let storage = Storage::for_options(&shape, dtype, options.compression);
        return encoded(from, dtype, group, name, &storage, asked, options, meter);
    };
    let storage = Storage::like(&from.dataset);
    let Some(chunks) = direct.chunks() else {
        return encoded(from, dtype, group, name, &storage, asked, options, meter);
    };
    if let Asked::Indices(_, m) = asked
        && m.minor() == 0
    {
        // Chunks that were never written hold index 0, which is too large here: the checks of the other way find it.
        return encoded(from, dtype, group, name, &storage, asked, options, meter);
    }
    let to = create(group, name, dtype, &shape, &storage).map_err(|e| meter.library(&e))?;
    as_stored(direct, chunks, dtype, &to, asked, meter)?;
    Ok(to)
}

/// Whether an array may be stored in the target as it is in its own file.
fn may_stay(d: &Direct, shape: &[usize], asked: Option<Compression>) -> bool {
    let same = match asked {
        None => true,
        Some(Compression::Gzip(level)) => d.pipeline.level() == Some(level),
        Some(Compression::Lzf) => false,
        Some(Compression::None) => d.pipeline.is_plain(),
    };
    // In a dataset of fixed size no chunk may be longer than the dataset.
    let fits = d.chunk.iter().zip(shape).all(|(chunk, length)| chunk <= length);
    same && (d.chunks().is_none() || (fits && d.fills_with_zero()))
}

/// Copies chunks without undoing their filters.
fn as_stored(
    from: &Direct,
    chunks: &[Chunk],
    dtype: DType,
    to: &Dataset,
    asked: Asked,
    meter: &mut Meter,
) -> Result<(), WriteError> {
    let mut rest = chunks;
    let mut next = || {
        let (now, later) = rest.split_at(batch(rest));
        rest = later;
        (!now.is_empty()).then(|| {
            let read = now.par_iter().map(|chunk| -> Result<_, DataError> {
                let bytes = from.stored(chunk)?;
                check(from, chunk, dtype, &bytes, asked)?;
                Ok((*chunk, bytes))
            });
            read.collect::<Result<Vec<_>, _>>()
        })
    };
    let out = meter.out().to_owned();
    let copied = ahead(&mut next, |batch: Vec<(Chunk, Vec<u8>)>| {
        let mut done = 0;
        for (chunk, bytes) in batch {
            write_chunk(to, &from.offset(&chunk), chunk.mask, &bytes)
                .map_err(|e| DataError::stopped(meter.library(&e)))?;
            done += from.inside(&chunk) as u64;
        }
        meter.advance(done)
    });
    copied.map_err(|e| WriteError::streamed(&out, e))
}

/// How many of the chunks make a batch.
fn batch(chunks: &[Chunk]) -> usize {
    let mut bytes = 0u64;
    let fitting = chunks.iter().take_while(|c| {
        let fits = bytes < BATCH;
        bytes = bytes.saturating_add(c.stored);
        fits
    });
    fitting.count()
}

/// Checks the elements of one chunk.
fn check(from: &Direct, chunk: &Chunk, dtype: DType, stored: &[u8], asked: Asked) -> Result<(), ReadError> {
    fn values<W: Word>(
        from: &Direct,
        chunk: &Chunk,
        dtype: DType,
        stored: &[u8],
    ) -> Result<Option<Values>, ReadError> {
        let mut words = from.room::<W>(chunk)?;
        from.decode(chunk, stored, &mut words)?;
        words.truncate(from.inside(chunk));
        Ok(W::wrap(dtype, words))
    }
    let Asked::Indices(matrix, m) = asked else { return Ok(()) };
    let values = match dtype.size() {
        1 => values::<u8>(from, chunk, dtype, stored),
        2 => values::<u16>(from, chunk, dtype, stored),
        4 => values::<u32>(from, chunk, dtype, stored),
        _ => values::<u64>(from, chunk, dtype, stored),
    }?;
    match values {
        Some(values) if all_below(&values, m.minor()) => Ok(()),
        Some(values) => {
            let first = from.offset(chunk).first().copied().unwrap_or(0);
            matrix.checked(m, &values, first).map(|_| ())
        }
        None => Err(matrix.source.malformed(from.name(), "elements of another width")),
    }
}

/// Decodes an array and encodes it as `storage` says.
#[expect(clippy::too_many_arguments, reason = "the two arrays and what is asked of them")]
fn encoded(
    from: &Array,
    dtype: DType,
    group: &Group,
    name: &str,
    storage: &Storage,
    asked: Asked,
    options: &WriteOptions,
    meter: &mut Meter,
) -> Result<Dataset, WriteError> {
    let shape = extent(&from.dataset);
    let mut to = ArrayOut::create(group, name, dtype, &shape, storage).map_err(|e| meter.library(&e))?;
    let step = rows_at_once(from, options.memory);
    let length = from.len();
    let mut start = 0;
    let next = || {
        (start < length).then(|| {
            let rows = start..from.whole_bands(start.saturating_add(step).min(length));
            let rows = if rows.len() > step { start..(start + step).min(length) } else { rows };
            start = rows.end;
            converted(from, dtype, rows, asked)
        })
    };
    let out = meter.out().to_owned();
    ahead(next, |values: Values| {
        to.push(&values).map_err(|e| DataError::stopped(meter.library(&e)))?;
        meter.advance(values.len() as u64)
    })
    .map_err(|e| WriteError::streamed(&out, e))?;
    to.finish().map_err(|e| meter.library(&e))
}

/// Rows read at once: whole chunks, unless these are too long for memory.
fn rows_at_once(from: &Array, memory: u64) -> usize {
    let rows = |bytes: u64| usize::try_from(bytes / from.row_bytes().max(1)).unwrap_or(usize::MAX).max(1);
    let (few, most) = (rows(run_bytes(memory)), rows(memory / 4));
    match from.band() {
        band if band <= few => few - few % band,
        band => band.min(most),
    }
}

fn converted(from: &Array, dtype: DType, rows: Range<usize>, asked: Asked) -> Result<Values, DataError> {
    let values = from.rows(rows.clone())?;
    let Asked::Indices(matrix, m) = asked else { return Ok(values) };
    if dtype == values.dtype() && all_below(&values, m.minor()) {
        return Ok(values);
    }
    let indices = matrix.checked(m, &values, rows.start as u64)?;
    Ok(whole(dtype, indices.into_iter().map(u64::from)))
}
