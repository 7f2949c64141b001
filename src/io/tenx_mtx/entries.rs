//! A block of lines as entries of the matrix.

use super::header::Header;
use super::number::{Fault, Number, digits};

/// Entries in the order of their lines. Cells and features count from 0.
#[derive(Debug, PartialEq)]
pub(super) struct Entries<T> {
    pub(super) cells: Vec<u32>,
    pub(super) features: Vec<u32>,
    pub(super) values: Vec<T>,
    /// Lines of the block.
    pub(super) lines: u64,
}

/// What is wrong with a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A value needs the wider type.
    Wide,
    /// Line of the block, from 1, and what is wrong with it.
    Line(u64, String),
}

/// Feature, cell, value, and what follows them.
type Found<'a, T> = (u32, u32, T, &'a [u8]);

/// A line as numbers of type `T`; `None` for comments and empty lines.
fn line<'a, T>(
    text: &'a [u8],
    header: &Header,
    value: impl Fn(&'a [u8]) -> Result<(T, &'a [u8]), Fault>,
) -> Result<Option<Found<'a, T>>, Fault> {
    let text = blanks(text);
    if let [] | [b'\n' | b'%', ..] = text {
        return Ok(None);
    }
    let (feature, rest) = digits(text).ok_or(Fault::Text)?;
    let (cell, rest) = digits(blanks(rest)).ok_or(Fault::Text)?;
    let (value, rest) = value(blanks(rest))?;
    let rest = blanks(rest);
    // An index of 0 becomes one far outside.
    let (feature, cell) = (feature.wrapping_sub(1), cell.wrapping_sub(1));
    let inside = feature < header.n_features as u64 && cell < header.n_cells as u64;
    match rest {
        [] | [b'\n', ..] if inside => Ok(Some((feature as u32, cell as u32, value, rest))),
        _ => Err(Fault::Text),
    }
}

/// What follows blanks; the end of a line is none.
fn blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r', rest @ ..] = text {
        text = rest;
    }
    text
}

/// Reads a block of whole lines with values of type `T`.
pub(super) fn parse<T: Number>(block: &[u8], header: &Header) -> Result<Entries<T>, Wrong> {
    lines(block, header, T::take)
}

/// Reads a block of whole lines without values; each is a 1.
pub(super) fn parse_pattern(block: &[u8], header: &Header) -> Result<Entries<i32>, Wrong> {
    lines(block, header, |rest| Ok((1, rest)))
}

fn lines<'a, T>(
    block: &'a [u8],
    header: &Header,
    value: impl Fn(&'a [u8]) -> Result<(T, &'a [u8]), Fault>,
) -> Result<Entries<T>, Wrong> {
    let guess = block.len() / 8;
    let (mut cells, mut features) = (Vec::with_capacity(guess), Vec::with_capacity(guess));
    let mut values = Vec::with_capacity(guess);
    let mut lines = 0;
    let mut rest = block;
    while !rest.is_empty() {
        lines += 1;
        let after = match line(rest, header, &value) {
            Ok(Some((feature, cell, value, after))) => {
                cells.push(cell);
                features.push(feature);
                values.push(value);
                after
            }
            Ok(None) => rest,
            Err(Fault::Wide) => return Err(Wrong::Wide),
            Err(fault) => return Err(Wrong::Line(lines, words(first_line(rest), header, &fault))),
        };
        rest = match after {
            [b'\n', next @ ..] => next,
            // A comment, or blanks at the end.
            _ => {
                after.iter().position(|&b| b == b'\n').map_or(&[], |end| after.get(end + 1..).unwrap_or(&[]))
            }
        };
    }
    Ok(Entries { cells, features, values, lines })
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|&b| b == b'\n').next().unwrap_or(text)
}

/// Looks at a bad line again, slowly, to say what is wrong with it.
fn words(line: &[u8], header: &Header, fault: &Fault) -> String {
    use super::header::{Field, shown};
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).collect();
    let shown = shown(line);
    let wanted = if header.field == Field::Pattern { 2 } else { 3 };
    if words.len() != wanted {
        let what = match (wanted, words.len()) {
            (2, _) => "feature and cell",
            (_, 5) => {
                "feature, cell and value; three values in a line are spliced, unspliced and ambiguous counts of a STARsolo \
                 before 2.7.9: write each into a matrix of its own"
            }
            _ => "feature, cell and value",
        };
        return format!("{shown} holds {} words, expected {wanted}: {what}", words.len());
    }
    let axes = [("feature", header.n_features), ("cell", header.n_cells)];
    for (word, (what, n)) in words.iter().zip(axes) {
        match digits(word) {
            Some((i, [])) if i >= 1 && i <= n as u64 => {}
            Some((0, [])) => return format!("{shown}: {what} 0, but they are counted from 1"),
            Some((_, [])) => return format!("{shown}: a {what} outside 1..{n}"),
            _ => return format!("{shown}: no whole number where the {what} belongs"),
        }
    }
    match (fault, header.field) {
        (Fault::Large, _) => format!("{shown}: the value does not fit 64 bits"),
        (_, Field::Integer) => format!("{shown}: the value is no whole number, as the first line promises"),
        _ => format!("{shown}: the value is no number"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::header::Field;
    use super::*;

    const HEADER: Header = Header { field: Field::Integer, n_features: 30, n_cells: 20, nnz: 4 };

    #[test]
    fn lines_may_end_in_blanks_and_carriage_returns_and_comments_are_passed_over() {
        let found = parse::<i32>(b"3 1 7\r\n% x\n\n 30\t20   -2  \n1 2 11", &HEADER).unwrap();
        assert_eq!((found.features, found.cells, found.lines), (vec![2, 29, 0], vec![0, 19, 1], 5));
        assert_eq!(found.values, [7, -2, 11]);
    }

    #[test]
    fn a_bad_line_is_named_with_what_is_wrong() {
        let wrong = |text: &str| match parse::<i32>(text.as_bytes(), &HEADER) {
            Err(Wrong::Line(2, what)) => what,
            other => panic!("{text}: {other:?}"),
        };
        for (line, what) in [
            ("0 1 1", "feature 0, but they are counted from 1"),
            ("1 21 1", "a cell outside 1..20"),
            ("31 1 1", "a feature outside 1..30"),
            ("1 1", "holds 2 words, expected 3"),
            ("1 1 1 1", "holds 4 words"),
            ("1 1 1.5", "no whole number, as the first line promises"),
            ("1 x 1", "no whole number where the cell belongs"),
            ("1 -1 1", "no whole number where the cell belongs"),
            ("1 1 99999999999999999999", "does not fit 64 bits"),
            ("1 1 1x", "no whole number"),
            ("184467440737095516160 1 1", "no whole number where the feature belongs"),
        ] {
            let text = wrong(&format!("1 1 1\n{line}\n1 1 1\n"));
            assert!(text.contains(what), "{line}: {text}");
        }
        assert_eq!(parse::<i32>(b"1 1 3000000000\n", &HEADER), Err(Wrong::Wide));
    }
}
