//! Tables and matrices into a Parquet file.

use std::collections::HashSet;
use std::path::Path;

use super::column::{Data, Field, Physical};
use super::file::Writer;
use super::{GROUP, Group, SHARE, pandas};
use crate::data::{Column, DataError, Dataset, Frame, Index, Matrix, Values};
use crate::io::error::WriteError;
use crate::io::loss::table_of;
use crate::io::options::{Table, WriteOptions};
use crate::io::table::{advance, write_folder};
use crate::io::writers::need_x;

/// Writes one table of a data set: the one asked for, else obs when it has columns, else X.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub(in crate::io) fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    if path.is_dir() {
        return write_folder(dataset, path, options, "parquet", write);
    }
    match table_of(dataset, options) {
        Table::Obs => write_frame_parquet(&dataset.obs, path, options),
        Table::Var => write_frame_parquet(&dataset.var, path, options),
        Table::X => write_matrix_parquet(
            need_x(dataset, path)?,
            &dataset.obs.index,
            &dataset.var.index,
            path,
            options,
        ),
    }
}

/// Refuses two columns of one name: Parquet finds columns by name.
fn distinct(fields: &[Field], path: &Path) -> Result<(), WriteError> {
    let mut seen = HashSet::new();
    match fields.iter().find(|f| !seen.insert(f.name.as_str())) {
        None => Ok(()),
        Some(f) => Err(WriteError::CannotHold {
            path: path.to_owned(),
            what: format!(
                "two columns called {}, and Parquet finds columns by name; make names unique first",
                f.name
            ),
        }),
    }
}

/// The column of names, unless rows are only numbered.
pub(super) fn names(index: &Index, others: &[&str]) -> Option<Field> {
    let Index::Names { name, .. } = index else { return None };
    let plain = name == "_index" || others.contains(&name.as_str());
    let stored = if plain { "__index_level_0__" } else { name.as_str() };
    let shown = (name != "_index").then(|| name.clone());
    Some(Field { label: shown, ..Field::new(stored, Physical::Text, false) })
}

/// Names of rows `range`.
pub(super) fn name_run(index: &Index, range: std::ops::Range<usize>) -> Data<'_> {
    match index {
        Index::Names { values, .. } => {
            Data::Names(values, range.start.min(values.len())..range.end.min(values.len()))
        }
        Index::Range(_) => Data::Strings(&[]),
    }
}

/// Writes a table with its names: categories keep their order and unused ones, missing entries are null.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn write_frame_parquet(frame: &Frame, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let kept: Vec<(&str, &Column)> = frame
        .columns
        .iter()
        .filter(|(_, c)| !matches!(c, Column::Opaque { .. }))
        .map(|(n, c)| (n.as_str(), c))
        .collect();
    let others: Vec<&str> = kept.iter().map(|(n, _)| *n).collect();
    let index = names(&frame.index, &others);
    let mut fields: Vec<Field> = kept.iter().filter_map(|(n, c)| Field::of(n, c)).collect();
    let has_names = index.is_some();
    fields.extend(index);
    distinct(&fields, path)?;
    let io = |e| WriteError::io(path, e);
    let metadata = pandas::metadata(&fields, has_names, frame.len());
    let mut writer = Writer::create(path, &fields).map_err(io)?;
    options.progress.start("writing", frame.len() as u64);
    for start in (0..frame.len()).step_by(GROUP) {
        let rows = start..(start + GROUP).min(frame.len());
        writer.begin(rows.len());
        for (field, (_, column)) in fields.iter().zip(&kept) {
            writer.column(field, &Data::of(column, rows.clone())).map_err(io)?;
        }
        if let (true, Some(field)) = (has_names, fields.last()) {
            writer.column(field, &name_run(&frame.index, rows.clone())).map_err(io)?;
        }
        advance(options, path, rows.end)?;
    }
    options.progress.finish();
    writer.finish(metadata).map_err(io)
}

/// Writes a matrix with the names of its rows and columns, one column a variable, in row groups that fit into memory.
/// Entries a sparse matrix does not store are 0.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn write_matrix_parquet(
    m: &Matrix,
    rows: &Index,
    columns: &Index,
    path: &Path,
    options: &WriteOptions,
) -> Result<(), WriteError> {
    let (n_rows, n_cols) = m.shape();
    let titles: Vec<String> = columns.iter().map(|n| n.into_owned()).collect();
    let others: Vec<&str> = titles.iter().map(String::as_str).collect();
    let index = names(rows, &others);
    let has_names = index.is_some();
    let mut fields: Vec<Field> =
        titles.iter().map(|n| Field::new(n, Physical::Number(m.dtype()), false)).collect();
    fields.extend(index);
    distinct(&fields, path)?;
    let metadata = pandas::metadata(&fields, has_names, n_rows);
    let mut writer = Writer::create(path, &fields).map_err(|e| WriteError::io(path, e))?;
    let row_bytes = (n_cols as u64).saturating_mul(m.dtype().size() as u64).max(1);
    let step = usize::try_from(options.memory / SHARE / row_bytes).unwrap_or(GROUP).clamp(1, GROUP);
    let mut group = Group { values: Values::empty(m.dtype()), n_cols, start: 0, n: 0 };
    options.progress.start("writing", n_rows as u64);
    m.stream(options.memory, &mut |start, block| {
        for row in 0..block.len() {
            group.push(&block, row);
            if group.n == step {
                group.write(&mut writer, &fields, rows, path).map_err(DataError::stopped)?;
            }
        }
        advance(options, path, start + block.len()).map_err(DataError::stopped)
    })
    .map_err(|e| WriteError::streamed(path, e))?;
    group.write(&mut writer, &fields, rows, path)?;
    options.progress.finish();
    writer.finish(metadata).map_err(|e| WriteError::io(path, e))
}
