//! An array beside a table: every value is stored, and memory holds a few rows, or a part of one.

use std::ops::Range;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group, Hyperslab, SliceOrIndex};
use ndarray::ArrayView2;

use super::attrs::without_booleans;
use super::turn;
use crate::data::{Block, DType, DataError, Element, Layout, Matrix, Sparse, Values, in_runs, rows_per_run};
use crate::io::error::WriteError;
use crate::io::hdf5::{Storage, create, write_error, write_rows};
use crate::io::options::WriteOptions;
use crate::with_values;

/// Bytes of a row from which on chunks are parts of one.
const WIDE: u64 = 8 << 20;
/// Bytes of such a chunk.
const CHUNK: usize = 1 << 20;

/// Writes a matrix as the dataset `group/name` in its own element type; booleans become bytes.
///
/// # Errors
/// [`WriteError`] when the matrix cannot be read or the file not be written.
pub(super) fn write(
    m: &Matrix,
    group: &Group,
    name: &str,
    options: &WriteOptions,
    out: &Path,
) -> Result<(), WriteError> {
    let (rows, columns) = m.shape();
    let dtype = if m.dtype() == DType::Bool { DType::U8 } else { m.dtype() };
    let shape = [rows, columns];
    let mut storage = Storage::for_array(&shape, dtype);
    let row = (columns as u64).saturating_mul(dtype.size() as u64);
    if row > WIDE && storage.chunk.is_some() {
        storage.chunk = Some(vec![1, CHUNK / dtype.size()]);
    }
    let d = create(group, name, dtype, &shape, &storage).map_err(|e| write_error(out, &e))?;
    let failed = |e: hdf5::Error| DataError::stopped(write_error(out, &e));
    // Runs of sparse rows are cut to what they take with their zeros.
    let step = if m.layout() == Layout::Dense { usize::MAX } else { rows_per_run(options.memory, row) };
    let part = usize::try_from(options.memory / 16).unwrap_or(usize::MAX) / dtype.size();
    m.stream(options.memory, &mut |start, block| {
        in_runs(start, block, step, &mut |start, block| match block {
            Block::Dense(b) => write_rows(&d, start, &without_booleans(b.values())).map_err(failed),
            Block::Csr(s) if s.shape().0 > 1 || columns <= part => {
                write_rows(&d, start, &without_booleans(&turn::with_zeros(&s))).map_err(failed)
            }
            Block::Csr(s) => in_parts(&d, start, &s, (part - part % (CHUNK / dtype.size())).max(1)),
        })
    })
    .map_err(|e| WriteError::streamed(out, e))
}

/// Writes one long row, `part` values at a time.
fn in_parts(d: &Dataset, row: usize, s: &Sparse, part: usize) -> Result<(), DataError> {
    let columns = s.shape().1;
    for first in (0..columns).step_by(part) {
        let range = first..first.saturating_add(part).min(columns);
        let values = without_booleans(&turn::with_zeros(&within(s, range.clone())?));
        with_values!(&values, v => {
            let view = ArrayView2::from_shape((1, range.len()), v.as_slice());
            let slab = vec![SliceOrIndex::from(row..row + 1), SliceOrIndex::from(range)];
            view.map_err(hdf5::Error::from).and_then(|view| d.write_slice(view, Hyperslab::from(slab)))
        })
        .map_err(DataError::stopped)?;
    }
    d.flush().map_err(DataError::stopped)
}

/// Some columns of one row.
fn within(s: &Sparse, range: Range<usize>) -> Result<Sparse, DataError> {
    let kept: Vec<usize> =
        (0..s.indices().len()).filter(|i| range.contains(&(s.indices()[*i] as usize))).collect();
    let indices = kept.iter().map(|i| s.indices()[*i] - range.start as u32).collect();
    let values: Values = with_values!(s.values(), v => Element::wrap(kept.iter().map(|i| v[*i]).collect()));
    Sparse::new(Layout::Csr, (1, range.len()), vec![0, kept.len() as u64], indices, values)
}
