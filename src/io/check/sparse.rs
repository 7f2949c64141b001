//! The three arrays of a compressed matrix in HDF5, whatever format they belong to.

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::arrays::unbacked;
use super::report::CheckReport;
use crate::data::DType;
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Source, elements, extent, length};

/// Entries of an array looked at in one go.
const RUN: usize = 1 << 20;

/// Checks compressed matrices: lengths agree, pointers never go back and end where values do, indices lie in range (all of
/// them when the check is deep, else the first, middle and last million).
pub(in crate::io) struct Compressed<'a> {
    pub(in crate::io) source: &'a Source,
    pub(in crate::io) report: &'a mut CheckReport,
}

impl Compressed<'_> {
    fn tried<T>(&mut self, at: &str, result: Result<T, ReadError>) -> Option<T> {
        result.map_err(|e| self.report.refused(&format!("/{at}"), &e)).ok()
    }

    /// Checks the arrays `data`, `indices` and `indptr` in `g`, which is called `at` (without the first slash). Lengths
    /// that are not known are not held against them.
    pub(in crate::io) fn check(&mut self, at: &str, g: &Group, major: Option<usize>, minor: Option<usize>) {
        let data = self.array(at, g, "data");
        let indices = self.array(at, g, "indices");
        let indptr = self.array(at, g, "indptr");
        let stored = data.as_ref().or(indices.as_ref()).map(|(d, _)| length(d) as u64);
        if let (Some((data, _)), Some((indices, _))) = (&data, &indices)
            && length(data) != length(indices)
        {
            let what = format!("{} indices but {} values in data", length(indices), length(data));
            self.report.fault(&format!("/{at}"), what);
        }
        if let Some((d, dtype)) = indptr {
            let done = self.pointers(&format!("/{at}/indptr"), &d, dtype, major, stored);
            self.tried(at, done);
        }
        if let (Some((d, dtype)), Some(minor)) = (indices, minor) {
            let done = self.indices(&format!("/{at}/indices"), &d, dtype, minor);
            self.tried(at, done);
        }
    }

    /// An array along one axis that can be unpacked.
    fn array(&mut self, at: &str, g: &Group, name: &str) -> Option<(Dataset, DType)> {
        let d = self.tried(at, self.source.dataset(g, name))?;
        self.tried(at, self.source.check_filters(&d))?;
        if unbacked(&d).is_some() {
            // Told when the arrays are looked at.
            return None;
        }
        match (self.source.kind(&d), extent(&d).len()) {
            (Kind::Number(dtype), 1) if name == "data" || !dtype.is_float() => Some((d, dtype)),
            (kind, axes) => {
                let what = format!("{} along {axes} axes, expected whole numbers along one", kind.words());
                self.report.fault(&format!("/{at}/{name}"), what);
                None
            }
        }
    }

    /// Pointers start at 0, never go back, and end at the number of stored values.
    fn pointers(
        &mut self,
        at: &str,
        d: &Dataset,
        dtype: DType,
        major: Option<usize>,
        stored: Option<u64>,
    ) -> Result<(), ReadError> {
        let n = length(d);
        if let Some(wanted) = major.map(|m| m.saturating_add(1)).filter(|w| *w != n) {
            self.report.fault(at, format!("{n} entries, expected {wanted}"));
        }
        let mut last = None;
        for start in (0..n).step_by(RUN) {
            let run = self.source.number_rows(d, dtype, start..(start + RUN).min(n))?;
            for (i, p) in run.iter().enumerate() {
                let entry = start + i;
                match last {
                    _ if p < 0.0 => {
                        self.report.fault(at, format!("{p} at entry {entry} is negative"));
                        return Ok(());
                    }
                    None if p != 0.0 => {
                        self.report.fault(at, format!("starts at {p} instead of 0 (entry 0)"));
                    }
                    Some(before) if p < before => {
                        self.report.fault(at, format!("decreases from {before} to {p} at entry {entry}"));
                        return Ok(());
                    }
                    _ => {}
                }
                last = Some(p);
            }
        }
        if let (Some(end), Some(stored)) = (last, stored)
            && end != stored as f64
        {
            let what = format!("ends at {end} but {stored} values are stored (entry {})", n - 1);
            self.report.fault(at, what);
        }
        Ok(())
    }

    /// Indices lie within the other axis.
    fn indices(&mut self, at: &str, d: &Dataset, dtype: DType, minor: usize) -> Result<(), ReadError> {
        let n = length(d);
        let runs: Vec<usize> = if self.report.deep || n <= 3 * RUN {
            (0..n).step_by(RUN).collect()
        } else {
            // A chunk larger than this would be unpacked whole for a look.
            let chunk = d.chunk().map_or(0, |c| elements(&c));
            if chunk > 64 * RUN as u64 { vec![0] } else { vec![0, n / 2, n - RUN] }
        };
        for start in runs {
            let run = self.source.number_rows(d, dtype, start..(start + RUN).min(n))?;
            let bad = run.iter().enumerate().find(|(_, i)| *i < 0.0 || *i >= minor as f64);
            if let Some((k, index)) = bad {
                let what = format!("index {index} at position {} is outside 0..{minor}", start + k);
                self.report.fault(at, what);
                return Ok(());
            }
        }
        Ok(())
    }
}
