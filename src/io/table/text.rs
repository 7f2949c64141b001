//! Tables as delimited text: names as first column, numbers in the fewest digits that read back exactly, text in quotes
//! only where it must be. pandas' `read_csv(index_col=0)` and R's `read.csv(row.names=1)` open them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::number::Cell;
use super::number::{ToText, cell};
use super::records::Field;
use super::{advance, write_folder};
use crate::data::{Block, Categories, Column, DataError, Dataset, Frame, Index, Matrix, Values};
use crate::io::error::WriteError;
use crate::io::loss::table_of;
use crate::io::options::{Table, WriteOptions};
use crate::io::writers::need_x;
use crate::with_values;

/// Rows of a frame between two reports of progress.
const REPORT: usize = 1 << 14;

/// Writes one table of a data set: the one asked for, else obs when it has columns, else X. Tabs separate fields in
/// files called `.tsv`, `.tab` or `.txt`, commas in all others; `.gz` packs them. An empty folder gets a file for each table.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub(in crate::io) fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    if path.is_dir() {
        return write_folder(dataset, path, options, "csv", write);
    }
    match table_of(dataset, options) {
        Table::Obs => write_frame_csv(&dataset.obs, path, options),
        Table::Var => write_frame_csv(&dataset.var, path, options),
        Table::X => {
            write_matrix_csv(need_x(dataset, path)?, &dataset.obs.index, &dataset.var.index, path, options)
        }
    }
}

/// The character that separates fields in a file of this name.
pub fn delimiter_for(path: &Path) -> u8 {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.trim_end_matches(".gz");
    if [".tsv", ".tab", ".txt"].iter().any(|e| name.ends_with(e)) { b'\t' } else { b',' }
}

/// Text on its way to disk, packed or not.
enum Sink {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Sink {
    fn create(path: &Path) -> std::io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        Ok(if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
            // The header of gzip holds no time and no name, so that the bytes repeat.
            Sink::Gzip(Box::new(GzEncoder::new(file, Compression::new(6))))
        } else {
            Sink::Plain(file)
        })
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Sink::Plain(w) => w.write_all(bytes),
            Sink::Gzip(w) => w.write_all(bytes),
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Sink::Plain(mut w) => w.flush(),
            Sink::Gzip(w) => w.finish().and_then(|mut w| w.flush()),
        }
    }
}

/// Lines in the making.
struct Lines<'a> {
    sink: Sink,
    path: &'a Path,
    delimiter: u8,
    line: Vec<u8>,
}

impl<'a> Lines<'a> {
    fn create(path: &'a Path) -> Result<Self, WriteError> {
        let sink = Sink::create(path).map_err(|e| WriteError::io(path, e))?;
        Ok(Self { sink, path, delimiter: delimiter_for(path), line: Vec::new() })
    }

    fn end(&mut self) -> Result<(), WriteError> {
        self.line.push(b'\n');
        let done = self.sink.put(&self.line).map_err(|e| WriteError::io(self.path, e));
        self.line.clear();
        done
    }

    /// The header: the name of the names, then those of the columns.
    fn header<'b>(
        &mut self,
        index: &Index,
        columns: impl Iterator<Item = std::borrow::Cow<'b, str>>,
    ) -> Result<(), WriteError> {
        if let Index::Names { name, .. } = index
            && name != "_index"
        {
            quote(&mut self.line, name.as_bytes(), self.delimiter);
        }
        for name in columns {
            self.line.push(self.delimiter);
            quote(&mut self.line, name.as_bytes(), self.delimiter);
        }
        self.end()
    }

    fn name(&mut self, index: &Index, row: usize) {
        if let Some(name) = index.get(row) {
            quote(&mut self.line, name.as_bytes(), self.delimiter);
        }
    }

    fn finish(self) -> Result<(), WriteError> {
        self.sink.finish().map_err(|e| WriteError::io(self.path, e))
    }
}

/// Appends a text, in quotes when it holds what separates fields or records, or would be taken for a remark.
fn quote(line: &mut Vec<u8>, text: &[u8], delimiter: u8) {
    let special = |b: &u8| *b == delimiter || matches!(b, b'"' | b'\n' | b'\r');
    let remark = line.is_empty() && text.starts_with(b"#");
    if !remark && !text.iter().any(special) {
        line.extend_from_slice(text);
        return;
    }
    line.push(b'"');
    for &b in text {
        if b == b'"' {
            line.push(b'"');
        }
        line.push(b);
    }
    line.push(b'"');
}

/// Appends an entry of a column of text. What would be read as a missing entry stands in quotes: scx then reads it back
/// as text.
fn text(line: &mut Vec<u8>, text: &[u8], delimiter: u8) {
    if cell(Field { text, quoted: false }, false) == Cell::Missing {
        line.push(b'"');
        line.extend_from_slice(text);
        line.push(b'"');
    } else {
        quote(line, text, delimiter);
    }
}

/// Appends number `i`.
fn put(line: &mut Vec<u8>, values: &Values, i: usize) {
    with_values!(values, v => {
        if let Some(x) = v.get(i) {
            x.put(line);
        }
    });
}

/// Writes a table with its names. Missing entries are empty, categories are their text. Columns scx does not understand
/// are not in memory and are left out.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn write_frame_csv(frame: &Frame, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let kept: Vec<_> = frame.columns.iter().filter(|(_, c)| !matches!(c, Column::Opaque { .. })).collect();
    let mut lines = Lines::create(path)?;
    lines.header(&frame.index, kept.iter().map(|(n, _)| n.as_str().into()))?;
    options.progress.start("writing", frame.len() as u64);
    for row in 0..frame.len() {
        lines.name(&frame.index, row);
        for (_, column) in &kept {
            lines.line.push(lines.delimiter);
            entry(&mut lines.line, column, row, lines.delimiter);
        }
        lines.end()?;
        if row.is_multiple_of(REPORT) {
            advance(options, path, row)?;
        }
    }
    options.progress.finish();
    lines.finish()
}

fn entry(line: &mut Vec<u8>, column: &Column, row: usize, delimiter: u8) {
    match column {
        Column::Numbers(v) => put(line, v, row),
        Column::Nullable { values, missing } => {
            if !missing.get(row).copied().unwrap_or(true) {
                put(line, values, row);
            }
        }
        Column::Strings(v) => text(line, v.get(row).map_or(b"", |s| s.as_bytes()), delimiter),
        Column::NullableStrings(v) => {
            if let Some(Some(s)) = v.get(row) {
                text(line, s.as_bytes(), delimiter);
            }
        }
        Column::Categorical(c) => {
            if let Some(code) = c.codes.get(row).and_then(|c| usize::try_from(*c).ok()) {
                match &c.categories {
                    Categories::Strings(v) => {
                        text(line, v.get(code).map_or(b"", |s| s.as_bytes()), delimiter)
                    }
                    Categories::Numbers(v) => put(line, v, code),
                }
            }
        }
        Column::Opaque { .. } => {}
    }
}

/// Writes a matrix with the names of its rows and columns, row by row; entries a sparse matrix does not store are 0.
///
/// # Errors
/// [`WriteError`]; `path` may then hold a part of the file.
pub fn write_matrix_csv(
    m: &Matrix,
    rows: &Index,
    columns: &Index,
    path: &Path,
    options: &WriteOptions,
) -> Result<(), WriteError> {
    let mut lines = Lines::create(path)?;
    lines.header(rows, columns.iter())?;
    options.progress.start("writing", m.shape().0 as u64);
    m.stream(options.memory, &mut |start, block| {
        for row in 0..block.len() {
            lines.name(rows, start + row);
            values(&mut lines.line, &block, row, lines.delimiter);
            lines.end().map_err(DataError::stopped)?;
        }
        advance(options, path, start + block.len()).map_err(DataError::stopped)
    })
    .map_err(|e| WriteError::streamed(path, e))?;
    options.progress.finish();
    lines.finish()
}

/// Appends one row of a block.
fn values(line: &mut Vec<u8>, block: &Block, row: usize, delimiter: u8) {
    fn dense<T: ToText>(line: &mut Vec<u8>, row: &[T], delimiter: u8) {
        for x in row {
            line.push(delimiter);
            x.put(line);
        }
    }
    match block {
        Block::Dense(d) => {
            let n = d.shape().1;
            with_values!(d.values(), v => dense(line, v.get(row * n..(row + 1) * n).unwrap_or(&[]), delimiter));
        }
        Block::Csr(s) => {
            let at = |i: usize| s.indptr().get(i).map_or(0, |p| *p as usize);
            let span = at(row)..at(row + 1);
            let indices = s.indices().get(span.clone()).unwrap_or(&[]);
            with_values!(s.values(), v => {
                dense(line, &filled(s.shape().1, indices, v.get(span).unwrap_or(&[])), delimiter);
            });
        }
    }
}

/// A sparse row with its zeros; entries of one cell add up.
pub(super) fn filled<T: ToText>(n: usize, indices: &[u32], values: &[T]) -> Vec<T> {
    let mut row = vec![T::default(); n];
    for (&i, &x) in indices.iter().zip(values) {
        if let Some(slot) = row.get_mut(i as usize) {
            *slot = slot.plus(x);
        }
    }
    row
}
