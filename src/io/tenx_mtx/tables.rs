//! The tables of barcodes and of features: tab-separated text without a header.

use std::path::Path;

use super::text::Text;
use crate::data::{Column, Frame, Index};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;
use crate::io::tenx::{IDS, TYPES};

/// Columns of a table, each with one text per line.
struct Columns(Vec<Vec<String>>);

/// Reads the cells: the first column names them.
pub(super) fn cells(path: &Path, options: &ReadOptions) -> Result<Frame, ReadError> {
    let mut columns = read(path, options)?.0.into_iter();
    let obs = Frame::new(Index::names(columns.next().unwrap_or_default()));
    Ok(further(obs, columns, 2))
}

/// How many columns a table of cells has behind the first, by its first line.
pub(super) fn further_columns(path: &Path) -> Result<usize, ReadError> {
    let first = Text::open(path)?.line()?.unwrap_or_default();
    Ok(first.iter().filter(|b| **b == b'\t').count())
}

/// Reads the features: ids, names, kinds. A table of one column holds names.
pub(super) fn features(path: &Path, options: &ReadOptions) -> Result<Frame, ReadError> {
    let mut columns = read(path, options)?.0.into_iter();
    let first = columns.next().unwrap_or_default();
    let Some(names) = columns.next() else { return Ok(Frame::new(Index::names(first))) };
    let mut var = Frame::new(Index::names(names)).with(IDS, Column::Strings(first));
    if let Some(types) = columns.next() {
        var = var.with(TYPES, Column::Strings(types));
    }
    Ok(further(var, columns, 4))
}

fn further(mut table: Frame, columns: impl Iterator<Item = Vec<String>>, first: usize) -> Frame {
    for (i, column) in columns.enumerate() {
        table = table.with(&format!("column_{}", first + i), Column::Strings(column));
    }
    table
}

fn read(path: &Path, options: &ReadOptions) -> Result<Columns, ReadError> {
    let limit = options.limits.max_bytes.min(options.memory / 2);
    let bytes = Text::open(path)?.whole(limit)?;
    let text = String::from_utf8(bytes).unwrap_or_else(|e| {
        tracing::warn!(
            "{}: not all text is UTF-8; the bytes in question are shown as \u{fffd}",
            path.display()
        );
        String::from_utf8_lossy(e.as_bytes()).into_owned()
    });
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut columns: Vec<Vec<String>> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        // Blanks at the end, and carriage returns, are no part of a name; tabs keep empty columns.
        let line = line.trim_end_matches([' ', '\r']);
        if line.is_empty() {
            continue;
        }
        let mut found = 0;
        for word in line.split('\t') {
            if columns.len() == found && (i == 0 || columns.first().is_none_or(Vec::is_empty)) {
                columns.push(Vec::new());
            }
            if let Some(column) = columns.get_mut(found) {
                column.push(plain(word).to_owned());
            }
            found += 1;
        }
        if found != columns.len() {
            let what = format!("{found} columns, but {} in the lines before", columns.len());
            return Err(ReadError::malformed(path, format!("line {}", i + 1), what));
        }
    }
    Ok(Columns(columns))
}

/// A field without blanks around it and without quotes that other programs put there.
fn plain(word: &str) -> &str {
    let word = word.trim_matches([' ', '\r']);
    word.strip_prefix('"').and_then(|w| w.strip_suffix('"')).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &[u8]) -> Result<Frame, ReadError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("features.tsv");
        std::fs::write(&path, bytes).unwrap();
        features(&path, &ReadOptions::default())
    }

    #[test]
    fn quotes_blanks_and_carriage_returns_are_no_part_of_a_name() {
        let var = table(b"\xef\xbb\xbf\"E1\"\t\"A\"  \r\nE2\tB b \r\n\r\n").unwrap();
        assert_eq!(var.index, Index::names(vec!["A".into(), "B b".into()]));
        assert_eq!(var.columns, [(IDS.into(), Column::Strings(vec!["E1".into(), "E2".into()]))]);
    }

    #[test]
    fn six_columns_of_a_multiome_are_kept() {
        let var = table(b"E1\tA\tGene Expression\tchr1\t10\t20\n").unwrap();
        let names: Vec<&str> = var.columns.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, [IDS, TYPES, "column_4", "column_5", "column_6"]);
    }

    #[test]
    fn a_line_with_other_columns_is_named() {
        let e = table(b"E1\tA\nE2\n").unwrap_err().to_string();
        assert!(e.contains("line 2: 1 columns, but 2 in the lines before"), "{e}");
    }
}
