//! The arrays of any HDF5 file: where they lie, whether they can be unpacked, and all their values when asked for.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::types::{TypeDescriptor as TD, VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, Group, LocationToken};

use super::report::{CheckReport, Level};
use crate::data::{DType, Element, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, elements, extent};
use crate::io::options::ReadOptions;
use crate::with_values;

/// Bytes read at a time.
const RUN: u64 = 16 << 20;
/// Chunks whose place is looked at unless the check is deep: all of them in most files.
const CHUNKS: u64 = 200_000;
/// A claim of more bytes than this needs stored bytes that could hold it.
const UNBACKED: u64 = 64 << 20;
/// No filter inflates better than this.
const BEST_RATIO: u64 = 1 << 17;
/// Groups inside groups: an end for a file that links to itself.
const DEEPEST: usize = 64;
/// Objects in a file: an end for a file that links to itself in many ways.
const MOST: usize = 1_000_000;

/// Checks how every array of an HDF5 file is stored.
///
/// # Errors
/// [`ReadError`] when the library cannot open the file.
pub(in crate::io) fn storage(
    path: &Path,
    options: &ReadOptions,
    report: &mut CheckReport,
) -> Result<(), ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    Arrays::new(&source, report).group(&file, "");
    Ok(())
}

/// Goes through the arrays of a file.
pub(in crate::io) struct Arrays<'a> {
    source: &'a Source,
    report: &'a mut CheckReport,
    file_len: u64,
    seen: usize,
    /// Arrays whose values have been read.
    read: Vec<String>,
    /// The groups around the one looked at.
    around: Vec<(LocationToken, String)>,
}

impl<'a> Arrays<'a> {
    /// Checks for a file that is open.
    pub(in crate::io) fn new(source: &'a Source, report: &'a mut CheckReport) -> Self {
        let file_len = std::fs::metadata(&source.path).map_or(u64::MAX, |m| m.len());
        Self { source, report, file_len, seen: 0, read: Vec::new(), around: Vec::new() }
    }

    /// Values of these arrays have been read: they are not read again.
    pub(in crate::io) fn passing_over(self, read: Vec<String>) -> Self {
        Self { read, ..self }
    }

    /// Checks all arrays of a group and of the groups in it.
    pub(in crate::io) fn group(&mut self, g: &Group, at: &str) {
        let token = match g.loc_info() {
            Ok(info) => info.token,
            Err(e) => {
                let e = self.source.library(at, &e);
                return self.report.refused(at, &e);
            }
        };
        if let Some((_, outer)) = self.around.iter().find(|(t, _)| *t == token) {
            let outer = if outer.is_empty() { "/" } else { outer };
            return self.report.fault(at, format!("leads back to the group {outer} it lies in"));
        }
        if self.around.len() > DEEPEST {
            return self.report.fault(at, format!("groups lie inside each other more than {DEEPEST} deep"));
        }
        self.around.push((token, at.to_owned()));
        match self.source.members(g) {
            Ok(names) => names.iter().for_each(|name| self.member(g, name, &format!("{at}/{name}"))),
            Err(e) => self.report.refused(at, &e),
        }
        self.around.pop();
    }

    fn member(&mut self, g: &Group, name: &str, at: &str) {
        self.seen += 1;
        if self.seen > MOST {
            return;
        }
        match self.source.node(g, name) {
            Ok(Some(Node::Group(g))) => self.group(&g, at),
            Ok(Some(Node::Dataset(d))) => self.dataset(&d, at),
            Ok(None) => {}
            // A named type is neither, and harmless.
            Err(e) if e.to_string().contains("neither a group nor a dataset") => {}
            Err(e) => self.report.refused(at, &e),
        }
    }

    fn dataset(&mut self, d: &Dataset, at: &str) {
        self.report.elements += 1;
        if let Err(e) = self.source.check_filters(d) {
            return self.report.refused(at, &e);
        }
        if let Some(what) = unbacked(d) {
            // A reader may have said so already.
            if !self.report.findings.iter().any(|f| f.level == Level::Fault && f.element == at) {
                self.report.fault(at, what);
            }
            return;
        }
        if !self.in_place(d, at) || !self.report.deep || self.read.iter().any(|r| r == at) {
            return;
        }
        if let Err(e) = self.values(d, at) {
            self.report.refused(at, &e);
        }
    }

    /// Whether all parts of an array lie inside the file.
    fn in_place(&mut self, d: &Dataset, at: &str) -> bool {
        let end = self.file_len;
        let outside = |addr: u64, size: u64| addr.saturating_add(size) > end;
        let mut wrong = None;
        if let Some(chunk) = d.chunk() {
            let chunks: u64 = chunk
                .iter()
                .zip(d.shape())
                .map(|(c, n)| (n as u64).div_ceil((*c).max(1) as u64))
                .fold(1, u64::saturating_mul);
            if chunks > CHUNKS && !self.report.deep {
                return true;
            }
            let visited = d.chunks_visit(|c| {
                if outside(c.addr, c.size) {
                    wrong = Some((c.addr, c.size, c.offset.to_vec()));
                }
                i32::from(wrong.is_some())
            });
            if let (Err(e), None) = (visited, &wrong) {
                let e = self.source.library(at, &e);
                self.report.refused(at, &e);
                return false;
            }
        } else if let Some(addr) = d.offset()
            && outside(addr, d.storage_size())
        {
            wrong = Some((addr, d.storage_size(), Vec::new()));
        }
        let Some((addr, size, offset)) = wrong else { return true };
        let what = format!(
            "the chunk at {offset:?} lies at bytes {addr} to {}, the file has {end}: it is cut short",
            addr.saturating_add(size)
        );
        self.report.fault(at, what);
        false
    }

    /// Reads everything.
    fn values(&mut self, d: &Dataset, at: &str) -> Result<(), ReadError> {
        match self.source.kind(d) {
            Kind::Number(dtype) => self.numbers(d, dtype, at),
            Kind::Text(ty) => self.texts(d, &ty, at),
            Kind::Compound(fields) => {
                for (name, ty) in fields {
                    match Kind::of(&ty) {
                        Kind::Text(ty) => drop(self.source.field_strings(d, &name, &ty)?),
                        _ => drop(self.source.field_numbers(d, &name, &ty)?),
                    }
                }
                Ok(())
            }
            Kind::Other(what) => {
                let what =
                    format!("elements of a kind scx does not read ({what}): their bytes were not looked at");
                self.report.add(Level::Note, at, what, "nothing");
                Ok(())
            }
        }
    }

    fn numbers(&mut self, d: &Dataset, dtype: DType, at: &str) -> Result<(), ReadError> {
        let mut odd = NonFinite::default();
        if extent(d).is_empty() {
            odd.look(&self.source.numbers(d, dtype)?);
        } else {
            let shape = extent(d);
            let row = elements(shape.get(1..).unwrap_or(&[])).saturating_mul(dtype.size() as u64);
            let rows = shape.first().copied().unwrap_or(0);
            let step = run(d, row);
            for start in (0..rows).step_by(step) {
                odd.look(&self.source.number_rows(d, dtype, start..start.saturating_add(step).min(rows))?);
            }
        }
        odd.tell(at, self.report);
        Ok(())
    }

    fn texts(&mut self, d: &Dataset, ty: &TD, at: &str) -> Result<(), ReadError> {
        let vary = matches!(ty, TD::VarLenUnicode | TD::VarLenAscii);
        if d.ndim() != 1 || !vary {
            return self.source.strings(d, ty).map(drop);
        }
        let (rows, step) = (d.size(), run(d, 64));
        let mut broken = 0usize;
        for start in (0..rows).step_by(step) {
            let part = start..start.saturating_add(step).min(rows);
            let bad = |v: &[u8]| usize::from(std::str::from_utf8(v).is_err());
            let found = match ty {
                TD::VarLenAscii => d
                    .read_slice_1d::<VarLenAscii, _>(part)
                    .map(|v| v.iter().map(|s| bad(s.as_bytes())).sum::<usize>()),
                _ => d
                    .read_slice_1d::<VarLenUnicode, _>(part)
                    .map(|v| v.iter().map(|s| bad(s.as_bytes())).sum::<usize>()),
            };
            broken += found.map_err(|e| self.source.library(at, &e))?;
        }
        if broken > 0 {
            let what = format!("{broken} texts are not UTF-8");
            self.report.add(Level::Warning, at, what, "write them anew as UTF-8; scx shows � in their place");
        }
        Ok(())
    }
}

/// What is wrong with an array that claims far more than its stored bytes can hold: reading it would take for ever.
pub(in crate::io) fn unbacked(d: &Dataset) -> Option<String> {
    let claimed = elements(&extent(d)).saturating_mul(d.dtype().map_or(1, |t| t.size()) as u64);
    let stored = d.storage_size();
    (claimed > UNBACKED && claimed > stored.saturating_mul(BEST_RATIO))
        .then(|| format!("asks for {claimed} bytes but only {stored} are stored"))
}

/// Rows to read at a time: whole chunks, in bounded memory.
pub(super) fn run(d: &Dataset, row_bytes: u64) -> usize {
    let most = usize::try_from(RUN / row_bytes.max(1)).unwrap_or(usize::MAX).max(1);
    match d.chunk().and_then(|c| c.first().copied()) {
        Some(chunk) if chunk > 0 && chunk <= most => most - most % chunk,
        _ => most,
    }
}

/// Counts values that are no finite numbers.
#[derive(Debug, Default)]
pub(super) struct NonFinite {
    nan: u64,
    infinite: u64,
    seen: u64,
    first: Option<u64>,
}

impl NonFinite {
    /// Looks at the next values.
    pub(super) fn look(&mut self, values: &Values) {
        if values.dtype().is_float() {
            with_values!(values, v => self.look_at(v));
        }
    }

    fn look_at<T: Element>(&mut self, values: &[T]) {
        for (i, v) in values.iter().enumerate() {
            let v = v.to_f64();
            if !v.is_finite() {
                self.first.get_or_insert(self.seen + i as u64);
                if v.is_nan() { self.nan += 1 } else { self.infinite += 1 }
            }
        }
        self.seen += values.len() as u64;
    }

    /// Tells of what was found.
    pub(super) fn tell(&self, at: &str, report: &mut CheckReport) {
        if let Some(first) = self.first {
            let what = format!(
                "{} of {} values are NaN and {} infinite, the first at position {first}",
                self.nan, self.seen, self.infinite
            );
            report.add(Level::Note, at, what, "nothing, unless a method asks for finite values");
        }
    }
}
