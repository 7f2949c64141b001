//! What a stored matrix looks like, judged by a few of its rows.

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::{Kind, Source, elements, is_null, length, whole_size as whole};
use crate::data::{DType, Layout, Looks, Sample, Values};
use crate::data::{LOOK_ROWS as ROWS, LOOK_VALUES as VALUES};
use crate::io::error::ReadError;

/// A chunk above this is not read for a few values.
pub(super) const LARGE_CHUNK: u64 = 32 << 20;

/// Whether a few values can be had without reading a large chunk.
fn cheap(source: &Source, d: &Dataset, dtype: DType) -> bool {
    let chunk = d.chunk().map_or(0, |c| elements(&c)).saturating_mul(dtype.size() as u64);
    chunk <= LARGE_CHUNK && source.check_filters(d).is_ok()
}

/// What a dense matrix looks like, by some rows at its start and in its middle; `None` when telling would take long.
pub(in crate::io) fn judge_dense(source: &Source, d: &Dataset) -> Result<Option<Looks>, ReadError> {
    let Kind::Number(dtype) = source.kind(d) else { return Ok(None) };
    let shape = d.shape();
    let (rows, columns) = (shape.first().copied().unwrap_or(0), shape.get(1).copied().unwrap_or(1));
    if !cheap(source, d, dtype) || columns == 0 {
        return Ok(None);
    }
    let run = (VALUES / columns).clamp(1, ROWS).min(rows);
    let mut sample = Sample::new(true, true);
    for start in [0, rows / 2] {
        let values = source.number_rows(d, dtype, start..(start + run).min(rows))?;
        sample.note(&values);
        let values: Vec<f64> = values.iter().collect();
        for (i, row) in values.chunks(columns).enumerate() {
            sample.push_line(start + i, row.iter().copied(), Some);
        }
    }
    Ok(Some(sample.looks()))
}

/// What the compressed matrix of a group looks like, by some rows at its start and in its middle (columns of a CSC);
/// `None` when telling would take long.
pub(in crate::io) fn judge_compressed(
    source: &Source,
    g: &Group,
    layout: Layout,
) -> Result<Option<Looks>, ReadError> {
    let (data, indptr) = (source.dataset(g, "data")?, source.dataset(g, "indptr")?);
    let (Kind::Number(dtype), Kind::Number(pointer)) = (source.kind(&data), source.kind(&indptr)) else {
        return Ok(None);
    };
    let cheap = cheap(source, &data, dtype) && cheap(source, &indptr, pointer);
    if !cheap || indptr.ndim() != 1 || (data.ndim() != 1 && !is_null(&data)) {
        return Ok(None);
    }
    let mut sample = Sample::new(layout == Layout::Csr, false);
    let count = length(&indptr).saturating_sub(1);
    let across = |entry: usize| {
        let indices = source.dataset(g, "indices").ok()?;
        let Kind::Number(dtype) = source.kind(&indices) else { return None };
        let one = source.number_rows(&indices, dtype, entry..entry + 1).ok()?;
        one.get(0).and_then(whole)
    };
    for start in [0, count / 2] {
        let end = (start + ROWS).min(count);
        let pointers = source.number_rows(&indptr, pointer, start..end + 1)?;
        lines(source, (&mut sample, start), (&data, dtype), &pointers, &across)?;
    }
    Ok(Some(sample.looks()))
}

/// Adds the stored values between pointers, line by line, the first of which has the number `number`; `across` tells the
/// index of a stored entry.
fn lines(
    source: &Source,
    (to, number): (&mut Sample, usize),
    (data, dtype): (&Dataset, DType),
    pointers: &Values,
    across: &dyn Fn(usize) -> Option<usize>,
) -> Result<(), ReadError> {
    let at: Vec<usize> = pointers.iter().map(|p| p as usize).collect();
    let (Some(&first), n) = (at.first(), length(data)) else { return Ok(()) };
    let last = at.iter().copied().take_while(|p| *p >= first && *p - first <= VALUES && *p <= n).last();
    // One long line is cut: its beginning says as much.
    let end = last.filter(|end| *end > first || at.len() < 2).unwrap_or((first + VALUES).min(n));
    if first >= end {
        return Ok(());
    }
    let values = source.number_rows(data, dtype, first..end)?;
    to.note(&values);
    let values: Vec<f64> = values.iter().collect();
    let sound = at.windows(2).take_while(|w| w[0] < end && w[0] >= first && w[1] >= w[0]);
    for (i, w) in sound.enumerate() {
        let line = values.get(w[0] - first..w[1].min(end) - first).unwrap_or(&[]);
        to.push_line(number + i, line.iter().copied(), |k| across(w[0] + k));
    }
    Ok(())
}
