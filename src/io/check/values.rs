//! The values of a matrix: those that are no finite numbers, and those below zero.

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::arrays::run;
use super::unbacked;
use crate::data::{DType, Element, Layout, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Source, elements, extent, is_null, length, whole_size};
use crate::with_values;

/// Values looked at in one go.
const RUN: usize = 1 << 20;

/// A value and where it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::io) struct Spot {
    /// Its row, from 0.
    pub(in crate::io) row: usize,
    /// Its column, from 0; `None` when it cannot be told.
    pub(in crate::io) column: Option<usize>,
    /// The value.
    pub(in crate::io) value: f64,
}

/// What was found among the values of a matrix.
#[derive(Debug, Clone, Default)]
pub(in crate::io) struct Found {
    /// How many are NaN.
    pub(in crate::io) nan: u64,
    /// How many are infinite.
    pub(in crate::io) infinite: u64,
    /// The first that is not finite.
    pub(in crate::io) odd: Option<Spot>,
    /// How many are below zero.
    pub(in crate::io) below: u64,
    /// The first below zero.
    pub(in crate::io) negative: Option<Spot>,
    /// Whether a finite one is no whole number.
    pub(in crate::io) fractions: bool,
    /// The largest finite one.
    pub(in crate::io) max: f64,
    /// Values looked at, and all that are stored.
    pub(in crate::io) seen: [u64; 2],
}

impl Found {
    /// Whether every stored value was looked at.
    pub(in crate::io) fn all(&self) -> bool {
        self.seen[0] == self.seen[1]
    }

    /// How many values were looked at, in words.
    pub(in crate::io) fn words(&self) -> String {
        let [seen, all] = self.seen;
        if seen == all {
            format!("{all} stored values")
        } else {
            format!("{seen} of {all} stored values looked at")
        }
    }

    /// Looks at values, the first of which is number `start`; returns the numbers of the first that is not finite and the
    /// first below zero, where no earlier values had one.
    fn look<T: Element>(&mut self, start: u64, values: &[T]) -> [Option<(u64, f64)>; 2] {
        let mut first = [None; 2];
        for (i, v) in values.iter().enumerate() {
            let v = v.to_f64();
            if !v.is_finite() {
                if v.is_nan() {
                    self.nan += 1
                } else {
                    self.infinite += 1
                }
                first[0].get_or_insert((start + i as u64, v));
                continue;
            }
            if v < 0.0 {
                self.below += 1;
                first[1].get_or_insert((start + i as u64, v));
            }
            self.fractions |= v.fract() != 0.0;
            self.max = self.max.max(v);
        }
        self.seen[0] += values.len() as u64;
        first
    }

    /// As [`Found::look`], placing what was found.
    fn see(
        &mut self,
        start: u64,
        values: &Values,
        place: impl Fn(u64, f64) -> Result<Spot, ReadError>,
    ) -> Result<(), ReadError> {
        let [odd, negative] = with_values!(values, v => self.look(start, v));
        for (first, slot) in [(odd, &mut self.odd), (negative, &mut self.negative)] {
            if let (Some((number, value)), None) = (first, slot.as_ref()) {
                *slot = Some(place(number, value)?);
            }
        }
        Ok(())
    }
}

/// Rows to look at, `step` at a time: all of them, or some at the start, in the middle and at the end.
fn runs(n: usize, step: usize, deep: bool) -> Vec<std::ops::Range<usize>> {
    let starts: Vec<usize> = match deep || n <= step.saturating_mul(3) {
        true => (0..n).step_by(step).collect(),
        false => vec![0, n / 2, n - step],
    };
    starts.into_iter().map(|start| start..start.saturating_add(step).min(n)).collect()
}

/// Whether the values of an array can be read as numbers; what is wrong with it is told elsewhere.
fn readable(source: &Source, d: &Dataset, deep: bool) -> Option<DType> {
    let Kind::Number(dtype) = source.kind(d) else { return None };
    // A chunk larger than this would be unpacked whole for a look.
    let small = deep || d.chunk().is_none_or(|c| elements(&c) <= 64 * RUN as u64);
    (small && !is_null(d) && unbacked(d).is_none() && source.check_filters(d).is_ok()).then_some(dtype)
}

/// Looks at the values of a dense matrix: all of a deep check or of a small matrix, else some rows at the start, in the
/// middle and at the end.
pub(in crate::io) fn dense(source: &Source, d: &Dataset, deep: bool) -> Result<Option<Found>, ReadError> {
    let Some(dtype) = readable(source, d, deep) else { return Ok(None) };
    let shape = extent(d);
    let (rows, columns) = match shape[..] {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => return Ok(None),
    };
    let mut found = Found { seen: [0, elements(&shape)], ..Found::default() };
    let width = columns.max(1);
    let step = if deep { run(d, elements(&[width, dtype.size()])) } else { (RUN / width).max(1) };
    for rows in runs(rows, step, deep) {
        let start = (rows.start as u64).saturating_mul(width as u64);
        let values = source.number_rows(d, dtype, rows)?;
        found.see(start, &values, |number, value| {
            let width = width as u64;
            Ok(Spot { row: (number / width) as usize, column: Some((number % width) as usize), value })
        })?;
    }
    Ok(Some(found))
}

/// As [`dense`], of the compressed matrix in `g`.
pub(in crate::io) fn compressed(
    source: &Source,
    g: &Group,
    layout: Layout,
    deep: bool,
) -> Result<Option<Found>, ReadError> {
    let data = source.dataset(g, "data")?;
    let Some(dtype) = readable(source, &data, deep).filter(|_| data.ndim() == 1) else { return Ok(None) };
    let n = length(&data);
    let mut found = Found { seen: [0, n as u64], ..Found::default() };
    let step = if deep { run(&data, dtype.size() as u64) } else { RUN };
    for entries in runs(n, step, deep) {
        let start = entries.start as u64;
        let values = source.number_rows(&data, dtype, entries)?;
        found.see(start, &values, |number, value| {
            let major = major_of(source, g, number)?;
            let minor = index_of(source, g, number)?;
            Ok(match (layout, minor) {
                (Layout::Csr, column) => Spot { row: major, column, value },
                (_, Some(row)) => Spot { row, column: Some(major), value },
                (_, None) => Spot { row: 0, column: Some(major), value },
            })
        })?;
    }
    Ok(Some(found))
}

/// The row (column of a CSC) that stored entry `number` belongs to.
fn major_of(source: &Source, g: &Group, number: u64) -> Result<usize, ReadError> {
    let indptr = source.dataset(g, "indptr")?;
    let Kind::Number(dtype) = source.kind(&indptr) else { return Ok(0) };
    let n = length(&indptr);
    let mut major = 0;
    for start in (0..n).step_by(RUN) {
        let run = source.number_rows(&indptr, dtype, start..(start + RUN).min(n))?;
        let below = run.iter().take_while(|p| *p <= number as f64).count();
        major = (start + below).saturating_sub(1);
        if below < run.len() {
            break;
        }
    }
    Ok(major)
}

/// The index of stored entry `number` along the other axis.
fn index_of(source: &Source, g: &Group, number: u64) -> Result<Option<usize>, ReadError> {
    let indices = source.dataset(g, "indices")?;
    let Kind::Number(dtype) = source.kind(&indices) else { return Ok(None) };
    let at = number as usize;
    if at >= length(&indices) {
        return Ok(None);
    }
    Ok(source.number_rows(&indices, dtype, at..at + 1)?.get(0).and_then(whole_size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_matrix_is_looked_at_in_three_places_and_a_deep_check_misses_nothing() {
        assert_eq!(runs(10, 2, false), [0..2, 5..7, 8..10]);
        assert_eq!(runs(5, 2, true), [0..2, 2..4, 4..5]);
        assert_eq!(runs(5, 2, false), [0..2, 2..4, 4..5]);
        assert!(runs(0, 2, false).is_empty());
    }
}
