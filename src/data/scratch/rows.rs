//! A compressed matrix in two unnamed temporary files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::folder::file;
use super::positioned::read_exact_at;
use crate::data::{Block, BlockSink, DType, DataError, Layout, RowSource, Sparse, Values, Word, pick_csr};

/// Rows handed over at a time.
const RUN_ROWS: usize = 8192;
/// Stored values handed over at a time when columns are picked.
const RUN_VALUES: u64 = 4 << 20;

/// Writes indices and values of rows, each behind those of the rows before.
pub struct RowsWriter {
    folder: PathBuf,
    indices: BufWriter<File>,
    values: BufWriter<File>,
}

impl RowsWriter {
    /// Without rows, in that folder.
    ///
    /// # Errors
    /// [`DataError::Scratch`] when there is no room for temporary files.
    pub fn new(folder: &Path) -> Result<Self, DataError> {
        let file = || file(folder).map(|f| BufWriter::with_capacity(1 << 20, f));
        Ok(Self { indices: file()?, values: file()?, folder: folder.to_owned() })
    }

    /// Adds the entries of some rows.
    ///
    /// # Errors
    /// As [`RowsWriter::new`].
    pub fn write<W: bytemuck::Pod>(&mut self, indices: &[u32], values: &[W]) -> Result<(), DataError> {
        let written = self.indices.write_all(bytemuck::cast_slice(indices));
        written
            .and_then(|()| self.values.write_all(bytemuck::cast_slice(values)))
            .map_err(|e| DataError::scratch(&self.folder, e))
    }

    /// The files of indices and of values.
    pub(in crate::data) fn files(self) -> Result<[File; 2], DataError> {
        let file = |w: BufWriter<File>| {
            w.into_inner().map_err(|e| DataError::scratch(&self.folder, io::IntoInnerError::into_error(e)))
        };
        Ok([file(self.indices)?, file(self.values)?])
    }

    /// The matrix; `indptr` and the indices are those of rows that were checked, the values are of 32 or 64 bits.
    ///
    /// # Errors
    /// As [`RowsWriter::new`].
    pub fn finish(
        self,
        shape: (usize, usize),
        dtype: DType,
        indptr: Vec<u64>,
    ) -> Result<StoredRows, DataError> {
        let [indices, values] = self.files()?;
        Ok(StoredRows { shape, dtype, indptr, indices, values })
    }
}

/// Rows in temporary files; the pointers are in memory.
#[derive(Debug)]
pub struct StoredRows {
    shape: (usize, usize),
    dtype: DType,
    indptr: Vec<u64>,
    indices: File,
    values: File,
}

fn words<W: Word>(file: &File, span: &Range<u64>) -> Result<Vec<W>, DataError> {
    let mut out = vec![W::default(); (span.end - span.start) as usize];
    read_exact_at(file, bytemuck::cast_slice_mut(&mut out), span.start * size_of::<W>() as u64)
        .map_err(|e| DataError::Read(Box::new(e)))?;
    Ok(out)
}

impl StoredRows {
    fn values(&self, span: &Range<u64>) -> Result<Values, DataError> {
        let values = match self.dtype.size() {
            4 => Word::wrap(self.dtype, words::<u32>(&self.values, span)?),
            _ => Word::wrap(self.dtype, words::<u64>(&self.values, span)?),
        };
        values.ok_or_else(|| DataError::Invalid { what: format!("values of type {}", self.dtype.name()) })
    }

    /// Rows from `start` with at most so many entries, but one at least.
    fn run(&self, start: usize, entries: u64) -> Range<usize> {
        let first = self.indptr.get(start).copied().unwrap_or(0);
        let fitting = self.indptr.partition_point(|&p| p <= first.saturating_add(entries)).saturating_sub(1);
        start..fitting.clamp(start + 1, start.saturating_add(RUN_ROWS)).min(self.shape.0)
    }

    /// The rows of a range, as CSR.
    pub(in crate::data) fn read(&self, rows: Range<usize>) -> Result<Sparse, DataError> {
        let Some(pointers @ [first, .., last]) = self.indptr.get(rows.start..=rows.end) else {
            let empty = if rows.is_empty() && rows.end <= self.shape.0 { Some(()) } else { None };
            return match empty {
                Some(()) => Sparse::new(
                    Layout::Csr,
                    (0, self.shape.1),
                    vec![0],
                    Vec::new(),
                    Values::empty(self.dtype),
                ),
                None => Err(DataError::OutOfRange { what: "row", index: rows.end, len: self.shape.0 }),
            };
        };
        let span = *first..*last;
        let indptr = pointers.iter().map(|p| p - span.start).collect();
        let indices = words::<u32>(&self.indices, &span)?;
        Sparse::new(Layout::Csr, (rows.len(), self.shape.1), indptr, indices, self.values(&span)?)
    }
}

impl RowSource for StoredRows {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        self.indptr.last().copied()
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        Some(&self.indptr)
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        Ok(Block::Csr(self.read(range)?))
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        // As many as other matrices in memory: a sixteenth of what is allowed.
        let entries = memory / 16 / (4 + self.dtype.size() as u64);
        let mut start = 0;
        while start < self.shape.0 {
            let run = self.run(start, entries);
            sink(start, Block::Csr(self.read(run.clone())?))?;
            start = run.end;
        }
        Ok(())
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        if let Some(&index) = columns.iter().find(|&&c| c >= self.shape.1) {
            return Err(DataError::OutOfRange { what: "column", index, len: self.shape.1 });
        }
        let mut start = 0;
        while start < self.shape.0 {
            let run = self.run(start, RUN_VALUES);
            let rows = self.read(run.clone())?;
            sink(start, pick_csr(&rows, 0..run.len(), columns))?;
            start = run.end;
        }
        Ok(())
    }
}
