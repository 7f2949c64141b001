//! `$DATATYPE` A: numbers written as text, in fields of fixed width or with blanks between them.

use std::path::Path;

use super::layout::Layout;
use super::packing::Packing;
use super::store::Store;
use crate::data::DType;
use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;

/// Events between two remembered places.
pub(super) const EVENTS_PER_MARK: u64 = 1024;
/// Bytes looked at in one go.
const RUN: usize = 1 << 20;
/// Characters of the longest number.
const LONGEST: usize = 64;

/// Where every 1,024th event of free text begins.
#[derive(Debug)]
pub(super) struct TextIndex {
    /// Bytes from the beginning of the file.
    marks: Vec<u64>,
    /// First byte after DATA.
    end: u64,
}

impl TextIndex {
    /// The bytes that hold events from mark `first` to before mark `last`.
    pub(super) fn span(&self, first: u64, last: u64) -> std::ops::Range<u64> {
        let at = |mark: u64| usize::try_from(mark).ok().and_then(|m| self.marks.get(m)).copied();
        at(first).unwrap_or(self.end)..at(last).unwrap_or(self.end)
    }
}

/// What may stand between two numbers.
fn separates(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b',' | b'\r' | b'\n' | 0)
}

/// The numbers of a run of free text, as written.
pub(super) fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&b| separates(b)).filter(|t| !t.is_empty())
}

/// A whole number, with blanks around it.
pub(super) fn integer(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.trim_matches(super::split::blank).parse().ok()
}

/// A number of any kind.
pub(super) fn decimal(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Counts the numbers of free text, remembers where events begin, and completes the layout: number of events and
/// element type. Nothing is done for other layouts.
pub(super) fn index(
    path: &Path,
    store: &Store,
    layout: &mut Layout,
    limits: &ReadLimits,
) -> Result<Option<TextIndex>, ReadError> {
    if layout.packing != Packing::FreeText {
        return Ok(None);
    }
    let par = layout.channels.len() as u64;
    let end = layout.begin + layout.len;
    let mut scan = Scan::new(path, limits, par * EVENTS_PER_MARK);
    if layout.n_events != Some(0) {
        scan.run(store, layout.begin, layout.len)?;
    }
    let whole = scan.count / par;
    let wanted = layout.n_events.unwrap_or(whole);
    if wanted.checked_mul(par) != Some(scan.count) {
        let what = format!(
            "{wanted} events of {par} numbers were expected, DATA holds {} numbers; export the file again",
            scan.count
        );
        return Err(ReadError::malformed(path, "$TOT", what));
    }
    layout.n_events = Some(wanted);
    layout.dtype = scan.dtype();
    Ok(Some(TextIndex { marks: scan.marks, end }))
}

/// One walk through free text.
struct Scan<'a> {
    path: &'a Path,
    limits: &'a ReadLimits,
    per_mark: u64,
    marks: Vec<u64>,
    count: u64,
    largest: u64,
    whole: bool,
}

impl<'a> Scan<'a> {
    fn new(path: &'a Path, limits: &'a ReadLimits, per_mark: u64) -> Self {
        Self { path, limits, per_mark, marks: Vec::new(), count: 0, largest: 0, whole: true }
    }

    fn run(&mut self, store: &Store, begin: u64, len: u64) -> Result<(), ReadError> {
        let io = |e| ReadError::io(self.path, e);
        let mut token = Vec::with_capacity(LONGEST);
        let mut buffer = vec![0; RUN.min(usize::try_from(len).unwrap_or(RUN))];
        let mut at = begin;
        while at < begin + len {
            let n = buffer.len().min(usize::try_from(begin + len - at).unwrap_or(usize::MAX));
            let run = buffer.get_mut(..n).unwrap_or_default();
            store.read_exact_at(run, at).map_err(io)?;
            for &b in run.iter() {
                if separates(b) {
                    self.take(&mut token, at)?;
                } else if token.len() < LONGEST {
                    token.push(b);
                } else {
                    return Err(self.odd(&token, at));
                }
                at += 1;
            }
        }
        self.take(&mut token, at)
    }

    /// One number that ends before byte `at`, if there is one.
    fn take(&mut self, token: &mut Vec<u8>, at: u64) -> Result<(), ReadError> {
        if token.is_empty() {
            return Ok(());
        }
        match integer(token) {
            Some(v) => self.largest = self.largest.max(v),
            None if decimal(token).is_some() => self.whole = false,
            None => return Err(self.odd(token, at)),
        }
        if self.count.is_multiple_of(self.per_mark) {
            self.limits.check(self.path, "DATA", self.marks.len() as u64 + 1, 8)?;
            self.marks.push(at - token.len() as u64);
        }
        self.count += 1;
        token.clear();
        Ok(())
    }

    fn odd(&self, token: &[u8], at: u64) -> ReadError {
        let what = format!(
            "`{}` before byte {at} found where a number was expected",
            String::from_utf8_lossy(token)
        );
        ReadError::malformed(self.path, "DATA", what)
    }

    fn dtype(&self) -> DType {
        match self.largest {
            _ if !self.whole => DType::F64,
            0..=0xff => DType::U8,
            0x100..=0xffff => DType::U16,
            0x1_0000..=0xffff_ffff => DType::U32,
            _ => DType::U64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_spacing_are_told_apart() {
        let all: Vec<_> = tokens(b"  1,2\r\n30\t4.5\0").collect();
        assert_eq!(all, [&b"1"[..], b"2", b"30", b"4.5"]);
        assert_eq!((integer(b" 125"), integer(b"1.5"), decimal(b"1.5e3")), (Some(125), None, Some(1500.0)));
        assert_eq!(integer(b"    "), None);
    }
}
