//! The first lines of a Matrix Market file.

use std::path::Path;

use super::text::Text;
use crate::io::error::ReadError;

/// First word of every Matrix Market file.
pub(super) const BANNER: &[u8] = b"%%MatrixMarket";

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Whole numbers.
    Integer,
    /// Any numbers.
    Real,
    /// No values: an entry is there or not.
    Pattern,
}

impl Field {
    /// The word of the format.
    pub(super) fn word(self) -> &'static str {
        match self {
            Field::Integer => "integer",
            Field::Real => "real",
            Field::Pattern => "pattern",
        }
    }
}

/// What the first lines say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) field: Field,
    pub(super) n_features: usize,
    pub(super) n_cells: usize,
    pub(super) nnz: u64,
}

/// Whether a text starts like a Matrix Market file.
pub(super) fn is_banner(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.get(..BANNER.len()).is_some_and(|b| b.eq_ignore_ascii_case(BANNER))
}

/// Reads up to and with the line of sizes; the text then stands at the first entry.
pub(super) fn read(path: &Path, text: &mut Text) -> Result<Header, ReadError> {
    let at = |line: u64| format!("line {line}");
    let banner = text.line()?.unwrap_or_default();
    if !is_banner(&banner) {
        let shown = shown(&banner);
        let what = format!("{shown}, expected %%MatrixMarket matrix coordinate integer general");
        return Err(ReadError::malformed(path, at(1), what));
    }
    let field = kind(path, &banner)?;
    loop {
        let Some(line) = text.line()? else {
            return Err(ReadError::malformed(path, at(text.lines), "the file ends before its sizes"));
        };
        if line.starts_with(b"%") || line.is_empty() {
            continue;
        }
        let numbers: Option<Vec<u64>> =
            line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).map(whole).collect();
        let Some([features, cells, nnz]) = numbers.as_deref() else {
            let what = format!("{}, expected three sizes: features, cells, entries", shown(&line));
            return Err(ReadError::malformed(path, at(text.lines), what));
        };
        let (Ok(n_features), Ok(n_cells)) = (u32::try_from(*features), u32::try_from(*cells)) else {
            let what = format!("{features} features × {cells} cells, scx reads up to {} of each", u32::MAX);
            return Err(ReadError::unsupported(path, what));
        };
        let header = Header { field, n_features: n_features as usize, n_cells: n_cells as usize, nnz: *nnz };
        plausible(path, text, &header)?;
        return Ok(header);
    }
}

/// The words behind the banner.
fn kind(path: &Path, banner: &[u8]) -> Result<Field, ReadError> {
    let words: Vec<String> =
        String::from_utf8_lossy(banner).split_whitespace().skip(1).map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let field = match words.as_slice() {
        ["matrix", "coordinate", "integer" | "unsigned-integer", ..] => Field::Integer,
        ["matrix", "coordinate", "real" | "double", ..] => Field::Real,
        ["matrix", "coordinate", "pattern", ..] => Field::Pattern,
        ["matrix", "coordinate", "complex", ..] => {
            return Err(ReadError::unsupported(path, "complex numbers are no counts"));
        }
        ["matrix", "array", ..] => {
            let what = "a dense Matrix Market file (array); write it as coordinate";
            return Err(ReadError::unsupported(path, what));
        }
        _ => {
            let what = format!("{}, expected matrix coordinate integer|real|pattern", shown(banner));
            return Err(ReadError::malformed(path, "line 1", what));
        }
    };
    match words.get(3) {
        None | Some(&"general") => Ok(field),
        Some(other) => {
            let what =
                format!("a {other} matrix: that of features × cells is never {other}; write it as general");
            Err(ReadError::unsupported(path, what))
        }
    }
}

/// The number of entries must fit the matrix and the bytes of the file, before anything is allocated for it.
fn plausible(path: &Path, text: &Text, header: &Header) -> Result<(), ReadError> {
    let places = (header.n_features as u64).saturating_mul(header.n_cells as u64);
    // `1 1` or `1 1 1`, and the end of the line but for the last.
    let least = if header.field == Field::Pattern { 4 } else { 6 };
    let nnz = header.nnz;
    let at = format!("line {}", text.lines);
    if nnz > places {
        let what = format!("{nnz} entries in a matrix of {} × {}", header.n_features, header.n_cells);
        return Err(ReadError::malformed(path, at, what));
    }
    if nnz.saturating_mul(least) > text.most.saturating_add(1) {
        let what = format!("{nnz} entries, more than a file of this size can hold; it may be cut short");
        return Err(ReadError::malformed(path, at, what));
    }
    Ok(())
}

fn whole(word: &[u8]) -> Option<u64> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// The start of a line, for messages.
pub(super) fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.get(..line.len().min(60)).unwrap_or(line)).into_owned();
    format!("{:?}", text.trim_end())
}
