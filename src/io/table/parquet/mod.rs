//! Tables as Apache Parquet, written here and read by pandas, pyarrow, R's arrow and DuckDB.
//!
//! A writer of our own: a table needs plain and dictionary pages and a footer, and only so do categories keep their
//! order and the unused ones among them (a general writer makes its dictionary of the values it meets).

mod arrow;
mod codec;
mod column;
mod encode;
mod file;
mod pandas;
mod thrift;

use std::collections::HashSet;
use std::path::Path;

use crate::data::{
    Block, Column, DType, DataError, Dataset, Dense, Element, Frame, Index, Matrix, Values, append,
};
use crate::io::codec::{Fit, Probe};
use crate::io::error::{ReadError, WriteError};
use crate::io::loss::table_of;
use crate::io::options::{ReadOptions, Table, WriteOptions};
use crate::io::writers::need_x;
use crate::with_values;

use super::text::filled;
use super::{advance, write_folder};
pub(in crate::io) use codec::CODEC;
use column::{Data, Field, Physical};
use file::Writer;

/// First and last bytes of a Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";
/// Rows of one row group at most.
const GROUP: usize = 1 << 20;
/// Share of the memory that one row group of a matrix takes.
const SHARE: u64 = 8;

/// Whether the first bytes are those of a Parquet file.
pub(in crate::io) fn probe(probe: &Probe) -> Fit {
    if probe.head.starts_with(MAGIC) { Fit::Sure } else { Fit::No }
}

/// Parquet is written, not read.
pub(in crate::io) fn read(path: &Path, _options: &ReadOptions) -> Result<Dataset, ReadError> {
    let (name, csv) = (path.display().to_string(), path.with_extension("csv").display().to_string());
    let what = format!(
        "Parquet is written, not read; save the table as CSV, in Python: import pandas; \
         pandas.read_parquet({name:?}).to_csv({csv:?})"
    );
    Err(ReadError::unsupported(path, what))
}

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
fn names(index: &Index, others: &[&str]) -> Option<Field> {
    let Index::Names { name, .. } = index else { return None };
    let plain = name == "_index" || others.contains(&name.as_str());
    let stored = if plain { "__index_level_0__" } else { name.as_str() };
    let shown = (name != "_index").then(|| name.clone());
    Some(Field { label: shown, ..Field::new(stored, Physical::Text, false) })
}

/// Names of rows `range`.
fn name_run(index: &Index, range: std::ops::Range<usize>) -> Data<'_> {
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

/// Rows of a matrix until they are a row group.
struct Group {
    values: Values,
    n_cols: usize,
    start: usize,
    n: usize,
}

impl Group {
    fn push(&mut self, block: &Block, row: usize) {
        let run = match block {
            Block::Dense(d) => crate::data::slice(d.values(), row * self.n_cols..(row + 1) * self.n_cols),
            Block::Csr(s) => {
                let at = |i: usize| s.indptr().get(i).map_or(0, |p| *p as usize);
                let span = at(row)..at(row + 1);
                let indices = s.indices().get(span.clone()).unwrap_or(&[]);
                with_values!(s.values(), v => {
                    Element::wrap(filled(self.n_cols, indices, v.get(span).unwrap_or(&[])))
                })
            }
        };
        append(&mut self.values, &run);
        self.n += 1;
    }

    fn write(
        &mut self,
        writer: &mut Writer,
        fields: &[Field],
        names: &Index,
        path: &Path,
    ) -> Result<(), WriteError> {
        if self.n == 0 {
            return Ok(());
        }
        let io = |e| WriteError::io(path, e);
        let inner = |e| WriteError::Input { path: path.to_owned(), source: Box::new(e) };
        let dtype: DType = self.values.dtype();
        let rows = std::mem::replace(&mut self.values, Values::empty(dtype));
        let rows = Dense::new(self.n, self.n_cols, rows).map_err(inner)?;
        writer.begin(self.n);
        for (j, field) in fields.iter().take(self.n_cols).enumerate() {
            fn pick<T: Element>(v: &[T], j: usize, n_cols: usize) -> Values {
                T::wrap(v.iter().skip(j).step_by(n_cols).copied().collect())
            }
            let column = with_values!(rows.values(), v => pick(v, j, self.n_cols));
            writer.column(field, &Data::Numbers(column, None)).map_err(io)?;
        }
        if let Some(field) = fields.get(self.n_cols) {
            writer.column(field, &name_run(names, self.start..self.start + self.n)).map_err(io)?;
        }
        self.start += self.n;
        self.n = 0;
        Ok(())
    }
}
