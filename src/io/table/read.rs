//! From a file of delimited text to a [`Dataset`].

use std::path::Path;

use super::matrix::TextMatrix;
use super::records::Record;
use super::scan::{Entry, Scan, Texts, common_type, entry, scan, weight};
use crate::data::{Column, Dataset, Frame, Index, Source, Values};
use crate::io::{ReadError, ReadLimits, ReadOptions};

/// Part of the memory that X may take at once; a larger one stays in the file.
const X_SHARE: u64 = 8;

/// Reads a table of cells: tab, comma or semicolon between fields, gzip around it or not.
///
/// - The first column holds the names of cells when its own name is empty or missing, or when it is text that never
///   repeats; otherwise cells are numbered. (anndata looks at the first two rows only, and takes repeated text too.)
/// - The first line is a header unless its last field is a number, as for anndata; an empty corner makes it one too.
/// - Columns of numbers make X, those of text and of truth values obs. Entries that pandas takes for missing are NaN;
///   text in quotes is never missing.
/// - Whole numbers stay whole (`int32`, else `int64`, else `uint64`); fractions are `float32` when every value is exact
///   in it, else `float64`. X is CSR when two thirds of it are zero. Whole numbers that a float rounds are told, and a
///   number larger than any float is an error.
/// - Nothing is transposed: rows are cells.
///
/// # Errors
/// [`ReadError`] with line and column.
pub(in crate::io) fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let mut found = scan(path, options)?;
    let inner = |e: crate::data::DataError| match e {
        crate::data::DataError::Read(e) => match e.downcast::<ReadError>() {
            Ok(own) => *own,
            Err(e) => ReadError::malformed(path, "the table", e.to_string()),
        },
        e => ReadError::malformed(path, "the table", e.to_string()),
    };
    let n_rows = options.limits.check(path, "the rows of the table", found.n_rows, 1)?;
    let first = usize::from(found.names);
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for (i, column) in found.columns.iter().enumerate().skip(first) {
        if column.is_numeric() { numbers.push(i) } else { texts.push(i) }
    }
    if numbers.is_empty() && found.columns.len() == 1 {
        return Err(no_variable(path, &found));
    }
    fits(path, &found, &numbers)?;
    collect(path, options, &mut found, &texts)?;
    let mut obs = Frame::new(index(&mut found, n_rows));
    for &i in &texts {
        let Some(seen) = found.columns.get_mut(i) else { continue };
        let column = column(seen.texts.take().unwrap_or_default(), seen.bools && !seen.text && !seen.numbers);
        obs.columns.push((unique(&obs, name(&found, i)), column));
    }
    let var = Frame::new(match &found.header {
        Some(_) => Index::names(numbers.iter().map(|&i| name(&found, i)).collect()),
        None => Index::Range(numbers.len()),
    });
    let mut dataset = Dataset::new(obs, var);
    if !numbers.is_empty() {
        let x = TextMatrix::new(path, &found, numbers, n_rows);
        dataset.x = Some(x.into_matrix(options.memory / X_SHARE).map_err(inner)?);
    }
    dataset.source = Source { path: path.to_owned(), dialect: dialect(&found).into(), keywords: Vec::new() };
    dataset.check().map_err(inner)?;
    Ok(dataset)
}

fn dialect(found: &Scan) -> &'static str {
    match found.dialect.delimiter {
        b'\t' => "separated by tabs",
        b';' => "separated by semicolons",
        _ => "separated by commas",
    }
}

fn no_variable(path: &Path, found: &Scan) -> ReadError {
    let first: String = name(found, 0).chars().take(40).collect();
    let what = format!(
        "one column of text ({first:?}) and no variable; fields are looked for between `,`, tabs and `;`: if others \
         separate them, replace those"
    );
    ReadError::malformed(path, "the first line", what)
}

/// Refuses numbers larger than any double and says which whole numbers are rounded.
fn fits(path: &Path, found: &Scan, numbers: &[usize]) -> Result<(), ReadError> {
    let columns = || numbers.iter().filter_map(|&i| Some((i, found.columns.get(i)?)));
    let place = |i: usize, e: &Entry| format!("line {}, column {} ({})", e.line, i + 1, name(found, i));
    let short = |e: &Entry| e.text.chars().take(40).collect::<String>();
    let over = columns().filter_map(|(i, c)| Some((i, c.over.as_ref()?))).min_by_key(|(_, e)| e.line);
    if let Some((i, e)) = over {
        let what = format!("{} is larger than any 64-bit float (1.8e308); mend it, or write inf", short(e));
        return Err(ReadError::malformed(path, place(i, e), what));
    }
    let rounded: u64 = columns().map(|(_, c)| c.rounded).sum();
    let first =
        columns().filter_map(|(i, c)| Some((i, c.first_rounded.as_ref()?))).min_by_key(|(_, e)| e.line);
    if let Some((i, e)) = first
        && common_type(columns().map(|(_, c)| c)).is_float()
    {
        tracing::warn!(
            "{}: {}: {} becomes the nearest 64-bit float, as do {} more whole numbers too large for one",
            path.display(),
            place(i, e),
            short(e),
            rounded - 1
        );
    }
    Ok(())
}

/// Name of a column: that of the header, or its position.
fn name(found: &Scan, i: usize) -> String {
    match found.header.as_ref().and_then(|h| h.get(i)) {
        // As pandas calls it.
        Some(name) if name.is_empty() => format!("Unnamed: {i}"),
        Some(name) => name.clone(),
        None => i.to_string(),
    }
}

/// Two columns of a table cannot share a name: the later one gets `.1`, `.2`, … as in pandas.
fn unique(frame: &Frame, name: String) -> String {
    if frame.column(&name).is_none() {
        return name;
    }
    let made = (1..).map(|n: u64| format!("{name}.{n}"));
    made.into_iter().find(|n| frame.column(n).is_none()).unwrap_or(name)
}

/// Names of the rows. `0`, `1`, … under an empty name are what a table without names is written as.
fn index(found: &mut Scan, n_rows: usize) -> Index {
    if !found.names {
        return Index::Range(n_rows);
    }
    let texts = found.columns.first_mut().and_then(|c| c.texts.take()).unwrap_or_default();
    let values: Vec<String> = texts.into_iter().map(Option::unwrap_or_default).collect();
    let own = found.header.as_ref().and_then(|h| h.first()).filter(|n| !n.is_empty());
    if own.is_none() && values.len() == n_rows && values.iter().enumerate().all(|(i, v)| *v == i.to_string())
    {
        return Index::Range(n_rows);
    }
    Index::Names { name: own.cloned().unwrap_or_else(|| "_index".into()), values: values.into() }
}

/// Reads the text of columns that turned out to be text only after their first row.
fn collect(path: &Path, options: &ReadOptions, found: &mut Scan, texts: &[usize]) -> Result<(), ReadError> {
    let late: Vec<usize> =
        texts.iter().copied().filter(|&i| found.columns.get(i).is_some_and(|c| c.texts.is_none())).collect();
    // The first column was kept as it stands, in case it holds names.
    if let Some(seen) = found.columns.first_mut()
        && texts.contains(&0)
        && let Some(kept) = &mut seen.texts
    {
        for t in
            kept.iter_mut().filter(|t| t.as_ref().is_some_and(|t| super::number::is_missing(t.as_bytes())))
        {
            *t = None;
        }
    }
    let Some((mut place, _)) = Scan::place(&found.places, 0).filter(|_| !late.is_empty()) else {
        return Ok(());
    };
    if place.1 == 0 {
        place = (1, 0);
    }
    let limits = ReadLimits { max_bytes: options.memory.min(options.limits.max_bytes) };
    let mut kept = vec![Texts::new(); late.len()];
    let mut records = found.dialect.records(path, place)?;
    let (mut record, mut bytes) = (Record::default(), 0);
    while (kept.first().map_or(0, Vec::len) as u64) < found.n_rows && records.next(&mut record)? {
        for (to, &i) in kept.iter_mut().zip(&late) {
            let Some(field) = record.get(i) else {
                let what = "the file was changed while it was read; start again";
                return Err(ReadError::malformed(path, format!("line {}", record.line), what));
            };
            bytes += weight(field);
            to.push(entry(field));
        }
        limits.check(path, "the text of the table", bytes, 1)?;
    }
    for (texts, i) in kept.into_iter().zip(late) {
        if let Some(seen) = found.columns.get_mut(i) {
            seen.texts = Some(texts);
        }
    }
    Ok(())
}

/// Text, or truth values, with or without missing entries.
fn column(texts: Texts, bools: bool) -> Column {
    let missing: Vec<bool> = texts.iter().map(Option::is_none).collect();
    let some = missing.contains(&true);
    if bools {
        let is = |t: &Option<String>| t.as_ref().is_some_and(|t| t.eq_ignore_ascii_case("true"));
        let values = Values::Bool(texts.iter().map(is).collect());
        return if some { Column::Nullable { values, missing } } else { Column::Numbers(values) };
    }
    if some {
        return Column::NullableStrings(texts);
    }
    Column::Strings(texts.into_iter().map(Option::unwrap_or_default).collect())
}
