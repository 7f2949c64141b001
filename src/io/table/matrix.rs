//! X of a table of text, left in its file: every walk reads the text again, in bounded memory.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::Array2;

use super::number::{FromText, is_missing, number, with_type};
use super::records::{Field, Record};
use super::scan::{Dialect, Scan, utf8};
use crate::data::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, RowSource, Sparse, Values, pick_csr,
    pick_dense, rows_per_run,
};
use crate::io::error::ReadError;
use crate::with_values;

/// Numbers in a file of delimited text.
#[derive(Debug)]
pub(super) struct TextMatrix {
    pub(super) path: PathBuf,
    pub(super) dialect: Dialect,
    pub(super) places: Vec<(u64, u64)>,
    /// Fields of a record.
    pub(super) width: usize,
    /// Positions of the columns of X in a record, ascending.
    pub(super) fields: Vec<usize>,
    pub(super) n_rows: usize,
    pub(super) dtype: DType,
    /// Values that are not zero, when the matrix is sparse.
    pub(super) nnz: Option<u64>,
}

/// Rows in the making.
struct Rows<T> {
    values: Vec<T>,
    indices: Vec<u32>,
    indptr: Vec<u64>,
    sparse: bool,
}

impl<T: FromText + PartialEq> Rows<T> {
    fn new(sparse: bool) -> Self {
        Self { values: Vec::new(), indices: Vec::new(), indptr: vec![0], sparse }
    }

    fn push(&mut self, column: usize, value: T) {
        // Minus zero is kept: it is not what an absent entry reads as.
        let zero = value == T::default() && !value.to_f64().is_sign_negative();
        if !(self.sparse && zero) {
            self.values.push(value);
            if self.sparse {
                self.indices.push(column as u32);
            }
        }
    }

    fn take(&mut self, n_cols: usize) -> Result<Block, DataError> {
        let n = self.indptr.len() - 1;
        let values = T::wrap(std::mem::take(&mut self.values));
        let indptr = std::mem::replace(&mut self.indptr, vec![0]);
        if self.sparse {
            let indices = std::mem::take(&mut self.indices);
            return Ok(Block::Csr(Sparse::new(Layout::Csr, (n, n_cols), indptr, indices, values)?));
        }
        Ok(Block::Dense(Dense::new(n, n_cols, values)?))
    }
}

impl TextMatrix {
    /// As a matrix; in memory when it takes at most `most` bytes there.
    pub(super) fn into_matrix(self, most: u64) -> Result<Matrix, DataError> {
        let cells = (self.n_rows as u64).saturating_mul(self.fields.len() as u64);
        let size = self.dtype.size() as u64;
        let bytes = self.nnz.map_or(cells.saturating_mul(size), |n| n.saturating_mul(size + 4));
        if bytes > most {
            return Ok(Matrix::OnDisk(Arc::new(self)));
        }
        let shape = (self.n_rows, self.fields.len());
        let (mut runs, mut values) = (Vec::new(), Values::empty(self.dtype));
        self.stream(most.max(1), &mut |_, block| {
            match block {
                Block::Csr(s) => runs.push(s),
                Block::Dense(d) => crate::data::append(&mut values, d.values()),
            }
            Ok(())
        })?;
        Ok(match self.nnz {
            Some(_) => Matrix::Sparse(Sparse::stacked(shape, self.dtype, &runs)?),
            None => Matrix::Dense(Dense::new(shape.0, shape.1, values)?),
        })
    }

    /// Hands over rows `range` in runs of `step`.
    fn walk(&self, range: Range<usize>, step: usize, sink: &mut BlockSink) -> Result<(), DataError> {
        if range.start > range.end || range.end > self.n_rows {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: self.n_rows });
        }
        with_type!(self.dtype, T => self.walk_as::<T>(range, step, sink))
    }

    fn walk_as<T: FromText + PartialEq>(
        &self,
        range: Range<usize>,
        step: usize,
        sink: &mut BlockSink,
    ) -> Result<(), DataError> {
        let mut rows = Rows::<T>::new(self.nnz.is_some());
        let mut row = range.start;
        if range.is_empty() {
            return Ok(());
        }
        let Some((place, skip)) = Scan::place(&self.places, range.start as u64) else {
            return Err(self.changed("the end", "there are no rows any more").into());
        };
        let mut records = self.dialect.records(&self.path, place)?;
        let mut record = Record::default();
        let mut skip = skip;
        while row < range.end {
            if !records.next(&mut record)? {
                return Err(self.changed("the end", "there are fewer rows than before").into());
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            self.parse(&record, &mut rows)?;
            rows.indptr.push(rows.values.len() as u64);
            row += 1;
            if rows.indptr.len() > step || row == range.end {
                let n = rows.indptr.len() - 1;
                let block = rows.take(self.fields.len())?;
                sink(row - n, block)?;
            }
        }
        Ok(())
    }

    fn parse<T: FromText + PartialEq>(&self, record: &Record, rows: &mut Rows<T>) -> Result<(), ReadError> {
        if record.len() != self.width {
            let what = format!("{} fields, expected {}", record.len(), self.width);
            return Err(self.changed(&format!("line {}", record.line), &what));
        }
        let comma = self.dialect.comma();
        for (column, &at) in self.fields.iter().enumerate() {
            let field = record.get(at).unwrap_or(Field { text: b"", quoted: false });
            let value = match number(field.text, comma) {
                Some(n) => T::from_number(n),
                None if is_missing(field.text) => T::missing(),
                None => None,
            };
            let Some(value) = value else {
                let place = format!("line {}, column {}", record.line, at + 1);
                let what = format!("`{}` where {} was", utf8(field.text), T::DTYPE.name());
                return Err(self.changed(&place, &what));
            };
            rows.push(column, value);
        }
        Ok(())
    }

    fn changed(&self, at: &str, what: &str) -> ReadError {
        ReadError::malformed(
            &self.path,
            at,
            format!("{what}: the file was changed while it was read; start again"),
        )
    }

    fn row_bytes(&self) -> u64 {
        let size = self.dtype.size() as u64;
        match self.nnz {
            Some(nnz) => nnz.checked_div(self.n_rows as u64).unwrap_or(0).saturating_mul(4 + size),
            None => (self.fields.len() as u64).saturating_mul(size),
        }
    }
}

impl RowSource for TextMatrix {
    fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.fields.len())
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        if self.nnz.is_some() { Layout::Csr } else { Layout::Dense }
    }

    fn nnz(&self) -> Option<u64> {
        self.nnz
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let mut found = None;
        self.walk(range, usize::MAX, &mut |_, block| {
            found = Some(block);
            Ok(())
        })?;
        match found {
            Some(block) => Ok(block),
            None => with_type!(self.dtype, T => Rows::<T>::new(self.nnz.is_some()).take(self.fields.len())),
        }
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        self.walk(0..self.n_rows, rows_per_run(memory, self.row_bytes()), sink)
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let n_cols = self.fields.len();
        if let Some(&index) = columns.iter().find(|&&c| c >= n_cols) {
            return Err(DataError::OutOfRange { what: "column", index, len: n_cols });
        }
        let step = rows_per_run(crate::io::options::DEFAULT_MEMORY, self.row_bytes());
        self.walk(0..self.n_rows, step, &mut |start, block| match block {
            Block::Dense(d) => sink(start, with_values!(d.values(), v => pick_dense(v, n_cols, columns))),
            Block::Csr(s) => sink(start, pick_csr(&s, 0..s.shape().0, columns)),
        })
    }
}

/// Where a matrix of text comes from, for those who make one.
impl TextMatrix {
    /// The numbers of the chosen columns of a scanned file.
    pub(super) fn new(path: &Path, scan: &Scan, fields: Vec<usize>, n_rows: usize) -> Self {
        let chosen = || fields.iter().filter_map(|&i| scan.columns.get(i));
        let dtype = super::scan::common_type(chosen());
        let zeros: u64 = chosen().map(|c| c.zeros).sum();
        let cells = scan.n_rows.saturating_mul(fields.len() as u64);
        // A third of the values or less: CSR takes less room, also with 4-byte values.
        let sparse = u32::try_from(fields.len()).is_ok() && zeros >= (cells - cells / 3).max(1);
        Self {
            path: path.to_owned(),
            dialect: scan.dialect,
            places: scan.places.clone(),
            width: scan.columns.len(),
            fields,
            n_rows,
            dtype,
            nnz: sparse.then(|| cells - zeros),
        }
    }
}
