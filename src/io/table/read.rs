//! From a file of delimited text to a [`Dataset`].

use std::collections::HashSet;
use std::path::Path;

use super::id_names::is_id;
use super::ids::{self, Names, Roles};
use super::matrix::TextMatrix;
use super::number::{FromText, number, with_type};
use super::records::Record;
use super::scan::{Entry, Scan, Seen, Texts, common_type, entry, scan, utf8, weight};
use super::transpose::turned;
use crate::data::{Column, DType, DataError, Dataset, Frame, Index, Source, Values};
use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;
use crate::io::options::ReadOptions;

/// Part of the memory that X may take at once; a larger one stays in the file.
const X_SHARE: u64 = 8;

/// Reads a table of cells: tab, comma or semicolon between fields, gzip around it or not.
///
/// - The first column holds the names of cells when its own name is empty or missing, or when it is text that never
///   repeats; else a column of ids does (`cell`, `barcode`, `Cell_Index` …), or the number of a cell and its field of view
///   together (CosMx: `cell_ID` 7 of `fov` 2 is `7_2`, as in Seurat and squidpy); otherwise cells are numbered.
///   [`ReadOptions::index_column`] names another. (anndata looks at the first two rows only, and takes repeated text too.)
/// - Other columns of ids, and those of [`ReadOptions::obs_columns`], are columns of obs. Ids are kept digit by digit.
/// - The first line is a header unless its last field is a number, as for anndata; an empty corner makes it one too.
/// - Columns of numbers make X, those of text and of truth values obs. Entries that pandas takes for missing are NaN;
///   text in quotes is never missing.
/// - Whole numbers stay whole (`int32`, else `int64`, else `uint64`); fractions are `float32` when every value is exact
///   in it, else `float64`. X is CSR when two thirds of it are zero. Whole numbers that a float rounds are told, and a
///   number larger than any float is an error.
/// - Rows are cells; with [`ReadOptions::transpose`] they are genes, and what was said of obs goes for var.
///
/// # Errors
/// [`ReadError`] with line and column; [`ReadError::NotThere`] for a column that was asked for and is not there.
pub(in crate::io) fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let mut found = scan(path, options)?;
    let n_rows = options.limits.check(path, "the rows of the table", found.n_rows, 1)?;
    let mut roles = ids::roles(path, &found, options, true)?;
    if roles.x.is_empty() && found.columns.len() == 1 {
        return Err(no_variable(path, &found));
    }
    fits(path, &found, &roles.x)?;
    ids::suspicions(path, &found, &roles);
    if !options.transpose {
        ids::remark(path, &found, &roles);
    }
    collect(path, options, &mut found, &roles)?;
    let mut own = Vec::new();
    for &i in &roles.obs {
        let texts = found.columns.get_mut(i).and_then(|c| c.texts.take()).unwrap_or_default();
        let Some(seen) = found.columns.get(i) else { continue };
        let ids = is_id(&found.name(i));
        own.push((i, entries(texts, seen, found.dialect.comma(), ids)));
    }
    let pair = pair_names(path, roles.names, &own);
    if matches!(roles.names, Names::CellOfField(..)) && pair.is_none() {
        roles.names = ids::roles(path, &found, options, false)?.names;
    }
    let index = match (pair, roles.names) {
        (Some(values), _) => Index::names(values),
        (None, Names::Column(i)) => match own.iter().position(|(k, _)| *k == i) {
            // Only now it is known that it names the rows.
            Some(at) => Index::Names { name: found.name(i), values: texts_of(&own.remove(at).1).into() },
            None => index(&mut found, i, n_rows),
        },
        (None, _) => Index::Range(n_rows),
    };
    let mut rows = Frame::new(index);
    for (i, column) in own {
        let name = unique(&rows, found.name(i));
        rows.columns.push((name, column));
    }
    let columns = Frame::new(match &found.header {
        Some(_) => Index::names(roles.x.iter().map(|&i| found.name(i)).collect()),
        None => Index::Range(roles.x.len()),
    });
    let x = (!roles.x.is_empty()).then(|| TextMatrix::new(path, &found, roles.x, n_rows));
    let mut dataset = whole(rows, columns, x, options).map_err(|e| damaged(path, e))?;
    dataset.source = Source { path: path.to_owned(), dialect: dialect(&found).into(), keywords: Vec::new() };
    dataset.check().map_err(|e| damaged(path, e))?;
    Ok(dataset)
}

/// The data set of a table, turned when its rows are genes.
fn whole(
    rows: Frame,
    columns: Frame,
    x: Option<TextMatrix>,
    options: &ReadOptions,
) -> Result<Dataset, DataError> {
    let most = options.memory / X_SHARE;
    let (x, obs, var) = if options.transpose {
        (x.map(|x| turned(x, most, options)), columns, rows)
    } else {
        (x.map(|x| x.into_matrix(most)), rows, columns)
    };
    let mut dataset = Dataset::new(obs, var);
    dataset.x = x.transpose()?;
    Ok(dataset)
}

/// An error about the values of a table.
fn damaged(path: &Path, e: DataError) -> ReadError {
    match e {
        DataError::Read(e) => match e.downcast::<ReadError>() {
            Ok(own) => *own,
            Err(e) => ReadError::malformed(path, "the table", e.to_string()),
        },
        e => ReadError::malformed(path, "the table", e.to_string()),
    }
}

/// Names made of the number of a cell and its field of view, as Seurat and squidpy make them; `None` when some are equal.
fn pair_names(path: &Path, names: Names, own: &[(usize, Column)]) -> Option<Vec<String>> {
    let Names::CellOfField(cell, field) = names else { return None };
    let texts = |i: usize| own.iter().find(|(k, _)| *k == i).map(|(_, c)| texts_of(c));
    let (cells, fields) = (texts(cell)?, texts(field)?);
    let made: Vec<String> = cells.iter().zip(&fields).map(|(c, f)| format!("{c}_{f}")).collect();
    let distinct: HashSet<&String> = made.iter().collect();
    if distinct.len() < made.len() {
        return None;
    }
    let outside = cells.iter().filter(|c| *c == "0").count();
    if outside > 0 {
        tracing::warn!(
            "{}: {outside} rows have cell_ID 0: counts outside of all cells, one row for each field of view. They are \
             kept; Seurat and squidpy leave them out",
            path.display()
        );
    }
    Some(made)
}

fn texts_of(column: &Column) -> Vec<String> {
    (0..column.len()).map(|i| column.text(i).unwrap_or_default().into_owned()).collect()
}

fn dialect(found: &Scan) -> &'static str {
    match found.dialect.delimiter {
        b'\t' => "separated by tabs",
        b';' => "separated by semicolons",
        _ => "separated by commas",
    }
}

fn no_variable(path: &Path, found: &Scan) -> ReadError {
    let first: String = found.name(0).chars().take(40).collect();
    let what = format!(
        "one column of text ({first:?}) and no variable; fields are looked for between `,`, tabs and `;`: if others \
         separate them, replace those"
    );
    ReadError::malformed(path, "the first line", what)
}

/// Refuses numbers larger than any double and says which whole numbers are rounded.
fn fits(path: &Path, found: &Scan, numbers: &[usize]) -> Result<(), ReadError> {
    let columns = || numbers.iter().filter_map(|&i| Some((i, found.columns.get(i)?)));
    let place = |i: usize, e: &Entry| format!("line {}, column {} ({})", e.line, i + 1, found.name(i));
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
            "{}: {}: {} becomes the nearest 64-bit float, as do {} more whole numbers too large for one; if these are \
             ids, add `--index-column {name}` or `--obs-columns {name}`",
            path.display(),
            place(i, e),
            short(e),
            rounded - 1,
            name = found.name(i)
        );
    }
    Ok(())
}

/// Two columns of a table cannot share a name: the later one gets `.1`, `.2`, … as in pandas.
fn unique(frame: &Frame, name: String) -> String {
    if frame.column(&name).is_none() {
        return name;
    }
    let made = (1..).map(|n: u64| format!("{name}.{n}"));
    made.into_iter().find(|n| frame.column(n).is_none()).unwrap_or(name)
}

/// Names of the rows, from column `i`. `0`, `1`, … under an empty name are what a table without names is written as.
fn index(found: &mut Scan, i: usize, n_rows: usize) -> Index {
    let texts = found.columns.get_mut(i).and_then(|c| c.texts.take()).unwrap_or_default();
    let values: Vec<String> = texts.into_iter().map(Option::unwrap_or_default).collect();
    let named = found.header.is_some() && !(i == 0 && found.unnamed());
    if !named && values.len() == n_rows && values.iter().enumerate().all(|(i, v)| *v == i.to_string()) {
        return Index::Range(n_rows);
    }
    Index::Names { name: if named { found.name(i) } else { "_index".into() }, values: values.into() }
}

/// Reads the entries of columns of obs that were not known to be some from their first row on, and the names of rows as
/// they stand.
fn collect(path: &Path, options: &ReadOptions, found: &mut Scan, roles: &Roles) -> Result<(), ReadError> {
    // The first column was kept as it stands, in case it holds names.
    if let Some(seen) = found.columns.first_mut()
        && roles.obs.contains(&0)
        && let Some(kept) = &mut seen.texts
    {
        for t in
            kept.iter_mut().filter(|t| t.as_ref().is_some_and(|t| super::number::is_missing(t.as_bytes())))
        {
            *t = None;
        }
    }
    let names = match roles.names {
        Names::Column(i) if i > 0 => Some(i),
        _ => None,
    };
    let missing = |i: &usize| found.columns.get(*i).is_some_and(|c| c.texts.is_none());
    let late: Vec<usize> = roles.obs.iter().copied().filter(missing).chain(names).collect();
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
            to.push(if names == Some(i) { Some(utf8(field.text)) } else { entry(field) });
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

/// A column of obs: text, truth values, or numbers; ids that a number does not hold digit by digit stay text.
fn entries(texts: Texts, seen: &Seen, comma: bool, ids: bool) -> Column {
    if !seen.is_numeric() || !seen.numbers || !seen.is_exact(ids) {
        return column(texts, seen.bools && !seen.text && !seen.numbers);
    }
    let missing: Vec<bool> = texts.iter().map(Option::is_none).collect();
    let (dtype, some) = (seen.own_type(), missing.contains(&true));
    let values = with_type!(dtype, T => {
        fn of<T: FromText>(texts: &Texts, comma: bool) -> Values {
            let one = |t: &Option<String>| {
                let n = t.as_ref().and_then(|t| number(t.as_bytes(), comma)).and_then(T::from_number);
                n.or_else(T::missing).unwrap_or_default()
            };
            T::wrap(texts.iter().map(one).collect())
        }
        of::<T>(&texts, comma)
    });
    if some && !dtype.is_float() { Column::Nullable { values, missing } } else { Column::Numbers(values) }
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
