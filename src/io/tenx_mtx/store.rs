//! A compressed matrix in two unnamed temporary files: they are gone when nobody uses them any more.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::data::{Block, BlockSink, DType, DataError, Layout, RowSource, Sparse, Values, Word, pick_csr};
use crate::io::positioned::read_exact_at;

/// Rows handed over at a time.
const RUN_ROWS: usize = 8192;
/// Stored values handed over at a time when columns are picked.
const RUN_VALUES: u64 = 4 << 20;

/// The folder for temporary files that may be larger than memory: that of the environment, else the one for large files,
/// since the usual one often is memory itself.
pub(in crate::io) fn scratch() -> PathBuf {
    let large = Path::new("/var/tmp");
    if std::env::var_os("TMPDIR").is_none() && tempfile::tempfile_in(large).is_ok() {
        return large.to_owned();
    }
    std::env::temp_dir()
}

/// Writes indices and values one behind the other.
pub(in crate::io) struct Writer {
    indices: BufWriter<File>,
    values: BufWriter<File>,
}

impl Writer {
    pub(in crate::io) fn new() -> io::Result<Self> {
        let file = || tempfile::tempfile_in(scratch()).map(|f| BufWriter::with_capacity(1 << 20, f));
        Ok(Self { indices: file()?, values: file()? })
    }

    pub(in crate::io) fn write(&mut self, indices: &[u8], values: &[u8]) -> io::Result<()> {
        self.indices.write_all(indices)?;
        self.values.write_all(values)
    }

    /// The matrix; `indptr` and the indices are those of rows that were checked.
    pub(in crate::io) fn finish(
        self,
        shape: (usize, usize),
        dtype: DType,
        indptr: Vec<u64>,
    ) -> io::Result<OnDisk> {
        let file = |w: BufWriter<File>| w.into_inner().map_err(io::IntoInnerError::into_error);
        Ok(OnDisk { shape, dtype, indptr, indices: file(self.indices)?, values: file(self.values)? })
    }
}

/// Rows in temporary files; the pointers are in memory.
#[derive(Debug)]
pub(in crate::io) struct OnDisk {
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

impl OnDisk {
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

    fn read(&self, rows: Range<usize>) -> Result<Sparse, DataError> {
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

impl RowSource for OnDisk {
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
