//! Matrices in memory and on disk: dense, CSR and CSC, in the element type they were stored in.

use std::fmt::Debug;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array2, Axis};

use super::stream::{BlockSink, rows_per_run};
use super::{DType, DataError, Element, Values};
use crate::with_values;

/// How a matrix is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Every value, row by row.
    Dense,
    /// Compressed sparse rows.
    Csr,
    /// Compressed sparse columns.
    Csc,
}

impl Layout {
    /// The word used in messages: `dense`, `csr` or `csc`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Dense => "dense",
            Layout::Csr => "csr",
            Layout::Csc => "csc",
        }
    }
}

/// A dense row-major matrix, `n_rows` × `n_cols`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    n_rows: usize,
    n_cols: usize,
    values: Values,
}

impl Dense {
    /// Wraps a row-major buffer.
    ///
    /// # Errors
    /// [`DataError::Length`] when the buffer does not hold `n_rows * n_cols` values.
    pub fn new(n_rows: usize, n_cols: usize, values: Values) -> Result<Self, DataError> {
        let expected = n_rows.checked_mul(n_cols);
        if expected != Some(values.len()) {
            return Err(DataError::Length {
                what: "dense values".into(),
                expected: expected.unwrap_or(usize::MAX),
                found: values.len(),
            });
        }
        Ok(Self { n_rows, n_cols, values })
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.n_cols)
    }

    /// The row-major buffer.
    pub fn values(&self) -> &Values {
        &self.values
    }
}

/// A compressed sparse matrix; `layout` says along which axis it is compressed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    layout: Layout,
    n_rows: usize,
    n_cols: usize,
    indptr: Vec<u64>,
    indices: Vec<u32>,
    values: Values,
}

impl Sparse {
    /// Checks and wraps the three arrays of a CSR or CSC matrix.
    ///
    /// # Errors
    /// [`DataError`] when `indptr` has the wrong length, does not start at 0, decreases or does not end at the
    /// number of values, or when an index is out of range.
    pub fn new(
        layout: Layout,
        (n_rows, n_cols): (usize, usize),
        indptr: Vec<u64>,
        indices: Vec<u32>,
        values: Values,
    ) -> Result<Self, DataError> {
        let (major, minor) = match layout {
            Layout::Csr => (n_rows, n_cols),
            Layout::Csc => (n_cols, n_rows),
            Layout::Dense => {
                return Err(DataError::Invalid {
                    what: "a sparse matrix cannot have the dense layout".into(),
                });
            }
        };
        check_indptr(&indptr, major, indices.len() as u64)?;
        if indices.len() != values.len() {
            return Err(DataError::Length {
                what: "sparse indices against data".into(),
                expected: values.len(),
                found: indices.len(),
            });
        }
        check_indices(&indices, minor, 0)?;
        Ok(Self { layout, n_rows, n_cols, indptr, indices, values })
    }

    /// CSR or CSC.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.n_rows, self.n_cols)
    }

    /// Start of each row (CSR) or column (CSC), plus the end.
    pub fn indptr(&self) -> &[u64] {
        &self.indptr
    }

    /// Column (CSR) or row (CSC) of each stored value.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The stored values.
    pub fn values(&self) -> &Values {
        &self.values
    }
}

/// Checks a row-pointer array: `major + 1` entries from 0 to `nnz`, never decreasing.
///
/// # Errors
/// [`DataError`] that names the first offending entry.
pub fn check_indptr(indptr: &[u64], major: usize, nnz: u64) -> Result<(), DataError> {
    if indptr.len() != major + 1 {
        return Err(DataError::Length { what: "indptr".into(), expected: major + 1, found: indptr.len() });
    }
    if indptr.first() != Some(&0) {
        return Err(DataError::Invalid { what: format!("indptr starts at {} instead of 0", indptr[0]) });
    }
    if let Some(i) = indptr.windows(2).position(|w| w[1] < w[0]) {
        return Err(DataError::Invalid {
            what: format!("indptr decreases from {} to {} at entry {}", indptr[i], indptr[i + 1], i + 1),
        });
    }
    match indptr.last() {
        Some(&end) if end == nnz => Ok(()),
        end => Err(DataError::Invalid {
            what: format!("indptr ends at {} but {nnz} values are stored", end.copied().unwrap_or(0)),
        }),
    }
}

/// Checks that every index is below `bound`; `offset` is added to the position in the message.
///
/// # Errors
/// [`DataError::Invalid`] that names the first index out of range.
pub fn check_indices(indices: &[u32], bound: usize, offset: u64) -> Result<(), DataError> {
    // The largest is found many at a time; the place only matters when it is too large.
    if indices.iter().fold(0, |most, &i| most.max(i)) < u32::try_from(bound).unwrap_or(u32::MAX) {
        return Ok(());
    }
    match indices.iter().position(|&i| i as usize >= bound) {
        None => Ok(()),
        Some(at) => Err(DataError::Invalid {
            what: format!("index {} at position {} is outside 0..{bound}", indices[at], at as u64 + offset),
        }),
    }
}

/// A run of rows, dense or CSR as they lie on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Dense rows.
    Dense(Dense),
    /// Sparse rows, always CSR.
    Csr(Sparse),
}

/// Where a matrix lies in an HDF5 file, so that a writer may copy its stored chunks as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredArrays {
    /// The file.
    pub path: PathBuf,
    /// How its arrays describe cells × variables.
    pub layout: Layout,
    /// Object with the values.
    pub data: String,
    /// Objects with the indices and the pointers of a compressed matrix.
    pub compressed: Option<(String, String)>,
}

/// A matrix left on disk and read in runs of rows.
pub trait RowSource: Send + Sync + Debug {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);
    /// Element type on disk.
    fn dtype(&self) -> DType;
    /// Layout on disk.
    fn layout(&self) -> Layout;
    /// Stored values of a sparse matrix; `None` when dense.
    fn nnz(&self) -> Option<u64>;
    /// As [`RowSource::nnz`], but `None` where the entries must be counted first, by a walk through the matrix.
    fn nnz_known(&self) -> Option<u64> {
        self.nnz()
    }
    /// Rows `range` in the element type on disk. A CSC source is scanned whole for this: prefer
    /// [`RowSource::columns`] there.
    ///
    /// # Errors
    /// [`DataError`] when the range is outside the matrix or the file cannot be read.
    fn rows(&self, range: Range<usize>) -> Result<Block, DataError>;
    /// Hands over all rows in order; `memory` bounds the bytes held at once.
    ///
    /// # Errors
    /// [`DataError`] when the file cannot be read on; errors of `sink` pass through.
    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let (n_rows, n_cols) = self.shape();
        let per_row = match self.nnz() {
            Some(nnz) => {
                nnz.checked_div(n_rows as u64).unwrap_or(0).saturating_mul(4 + self.dtype().size() as u64)
            }
            None => (n_cols as u64).saturating_mul(self.dtype().size() as u64),
        };
        let step = rows_per_run(memory, per_row);
        for start in (0..n_rows).step_by(step) {
            sink(start, self.rows(start..(start + step).min(n_rows))?)?;
        }
        Ok(())
    }
    /// Stored values before each row of a CSR matrix, and at its end, where they are known without reading it.
    fn row_pointers(&self) -> Option<&[u64]> {
        None
    }
    /// Where it lies in an HDF5 file, when it does.
    fn stored(&self) -> Option<StoredArrays> {
        None
    }
    /// The chosen columns of all rows as `f64`, handed over in runs: first row of the run, then rows × columns
    /// (CSC sources hand over one run with all rows).
    ///
    /// # Errors
    /// [`DataError`] when a column is outside the matrix or the file cannot be read; errors of `sink` pass through.
    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        if let Some(&index) = columns.iter().find(|&&c| c >= self.shape().1) {
            return Err(DataError::OutOfRange { what: "column", index, len: self.shape().1 });
        }
        self.stream(64 << 20, &mut |start, block| sink(start, block.to_f64().select(Axis(1), columns)))
    }
}

/// A matrix: in memory or left on disk.
#[derive(Debug, Clone)]
pub enum Matrix {
    /// Dense, in memory.
    Dense(Dense),
    /// CSR or CSC, in memory.
    Sparse(Sparse),
    /// Left on disk.
    OnDisk(Arc<dyn RowSource>),
}

/// In memory: the same values. On disk: the same place of the same file.
impl PartialEq for Matrix {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Matrix::Dense(a), Matrix::Dense(b)) => a == b,
            (Matrix::Sparse(a), Matrix::Sparse(b)) => a == b,
            (Matrix::OnDisk(a), Matrix::OnDisk(b)) => {
                Arc::ptr_eq(a, b) || a.stored().is_some_and(|a| b.stored() == Some(a))
            }
            _ => false,
        }
    }
}

/// Rows handed over at a time when a matrix is walked through.
const ROWS_PER_RUN: usize = 8192;

impl Matrix {
    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Matrix::Dense(m) => m.shape(),
            Matrix::Sparse(m) => m.shape(),
            Matrix::OnDisk(m) => m.shape(),
        }
    }

    /// Element type as stored.
    pub fn dtype(&self) -> DType {
        match self {
            Matrix::Dense(m) => m.values.dtype(),
            Matrix::Sparse(m) => m.values.dtype(),
            Matrix::OnDisk(m) => m.dtype(),
        }
    }

    /// Layout as stored.
    pub fn layout(&self) -> Layout {
        match self {
            Matrix::Dense(_) => Layout::Dense,
            Matrix::Sparse(m) => m.layout,
            Matrix::OnDisk(m) => m.layout(),
        }
    }

    /// Stored values of a sparse matrix; `None` when dense.
    pub fn nnz(&self) -> Option<u64> {
        match self {
            Matrix::Dense(_) => None,
            Matrix::Sparse(m) => Some(m.values.len() as u64),
            Matrix::OnDisk(m) => m.nnz(),
        }
    }

    /// As [`Matrix::nnz`], but `None` where the entries must be counted first, by a walk through the matrix.
    pub fn nnz_known(&self) -> Option<u64> {
        match self {
            Matrix::OnDisk(m) => m.nnz_known(),
            m => m.nnz(),
        }
    }

    /// The chosen columns of all rows as `f64`, handed over in runs: first row, then rows × columns.
    ///
    /// # Errors
    /// [`DataError`] when a column is outside the matrix or the file cannot be read.
    pub fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (n_rows, n_cols) = self.shape();
        if let Some(&c) = columns.iter().find(|&&c| c >= n_cols) {
            return Err(DataError::OutOfRange { what: "column", index: c, len: n_cols });
        }
        match self {
            Matrix::OnDisk(m) => m.columns(columns, sink),
            Matrix::Dense(m) => {
                for start in (0..n_rows).step_by(ROWS_PER_RUN) {
                    let end = (start + ROWS_PER_RUN).min(n_rows);
                    let run = with_values!(&m.values, v => {
                        pick_dense(&v[start * n_cols..end * n_cols], n_cols, columns)
                    });
                    sink(start, run)?;
                }
                Ok(())
            }
            Matrix::Sparse(m) => match m.layout {
                Layout::Csr => {
                    for start in (0..n_rows).step_by(ROWS_PER_RUN) {
                        let end = (start + ROWS_PER_RUN).min(n_rows);
                        sink(start, pick_csr(m, start..end, columns))?;
                    }
                    Ok(())
                }
                _ => {
                    let mut out = Array2::zeros((n_rows, columns.len()));
                    for (k, &c) in columns.iter().enumerate() {
                        for i in m.indptr[c] as usize..m.indptr[c + 1] as usize {
                            // Duplicate entries of one cell add up, as in scipy.
                            out[(m.indices[i] as usize, k)] += m.values.get(i).unwrap_or(0.0);
                        }
                    }
                    sink(0, out)
                }
            },
        }
    }
}

/// Columns `columns` of row-major dense rows, as `f64`.
pub fn pick_dense<T: Element>(rows: &[T], n_cols: usize, columns: &[usize]) -> Array2<f64> {
    let n = rows.len().checked_div(n_cols).unwrap_or(0);
    let mut out = Array2::zeros((n, columns.len()));
    for (row, mut to) in rows.chunks_exact(n_cols.max(1)).zip(out.rows_mut()) {
        for (slot, &c) in to.iter_mut().zip(columns) {
            *slot = row[c].to_f64();
        }
    }
    out
}

/// Columns `columns` of CSR rows `range`, as `f64`; duplicate entries of one cell add up, as in scipy.
pub fn pick_csr(m: &Sparse, range: Range<usize>, columns: &[usize]) -> Array2<f64> {
    let mut slot = vec![usize::MAX; m.n_cols];
    for (k, &c) in columns.iter().enumerate() {
        slot[c] = k;
    }
    let mut out = Array2::zeros((range.len(), columns.len()));
    with_values!(&m.values, v => {
        for (r, row) in range.enumerate() {
            for i in m.indptr[row] as usize..m.indptr[row + 1] as usize {
                let k = slot[m.indices[i] as usize];
                if k != usize::MAX {
                    out[(r, k)] += v[i].to_f64();
                }
            }
        }
    });
    out
}
