//! Matrices left on disk: dense, CSR and CSC, read in runs of bounded size.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};
use ndarray::Array2;

use super::array::Array;
use super::sparse::{append, by_row, indices_below, into_indices, unsigned};
use super::{Kind, Source, is_null, length};
use crate::data::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, RowSource, Sparse, StoredArrays, Values,
    check_indptr, pick_csr, pick_dense,
};
use crate::io::error::ReadError;
use crate::with_values;

/// Stored values of a sparse matrix read at a time.
const RUN_VALUES: u64 = 4 << 20;
/// Memory for walking over all rows when nobody says how much.
const WALK: u64 = 512 << 20;

/// A matrix in an open file.
#[derive(Debug)]
pub(in crate::io) struct Stored {
    pub(super) source: Source,
    pub(super) at: String,
    pub(super) shape: (usize, usize),
    pub(super) dtype: DType,
    pub(in crate::io) parts: Parts,
}

/// The HDF5 objects of a matrix.
#[derive(Debug)]
pub(in crate::io) enum Parts {
    /// One dataset.
    Dense(Array),
    /// The three arrays of a compressed matrix.
    Sparse(Compressed),
}

/// CSR or CSC on disk; the pointers are in memory, checked.
#[derive(Debug)]
pub(in crate::io) struct Compressed {
    pub(in crate::io) layout: Layout,
    pub(in crate::io) indptr: Vec<u64>,
    pub(in crate::io) indptr_dtype: DType,
    pub(super) indptr_name: String,
    pub(in crate::io) indices: Array,
    pub(in crate::io) data: Array,
    /// Rows of a CSC, columns of a CSR: what indices stay below.
    minor: usize,
}

impl Stored {
    /// As a matrix left on disk.
    pub(in crate::io) fn into_matrix(self) -> Matrix {
        Matrix::OnDisk(Arc::new(self))
    }
}

/// Opens a dense matrix; `None` when the dataset holds no numbers or has more than two axes.
pub(in crate::io) fn open_dense(source: &Source, d: &Dataset) -> Result<Option<Stored>, ReadError> {
    let Kind::Number(dtype) = source.kind(d) else { return Ok(None) };
    let shape = match d.shape()[..] {
        [rows, columns] => (rows, columns),
        // anndata before 0.7 squeezed a matrix of one column.
        [rows] => (rows, 1),
        _ => return Ok(None),
    };
    source.check_filters(d)?;
    let parts = Parts::Dense(Array::new(source, d.clone(), dtype));
    Ok(Some(Stored { source: source.clone(), at: d.name(), shape, dtype, parts }))
}

/// Opens the three arrays `data`, `indices` and `indptr` of a group as a compressed matrix of `shape` rows × columns.
/// The pointers come into memory, checked; indices are checked when they are read.
pub(in crate::io) fn open_compressed(
    source: &Source,
    g: &Group,
    layout: Layout,
    shape: (usize, usize),
) -> Result<Stored, ReadError> {
    Three::of(source, g)?.open(source, &g.name(), layout, shape)
}

/// The arrays of a compressed matrix, not read yet.
pub(in crate::io) struct Three {
    /// The values.
    pub(in crate::io) data: Dataset,
    /// The index of each along the other axis.
    pub(super) indices: Dataset,
    /// Where each row or column begins.
    pub(super) indptr: Dataset,
}

/// Types of the values, the indices and the pointers.
pub(in crate::io) struct Types {
    /// Of the values.
    pub(in crate::io) data: DType,
    indices: DType,
    indptr: DType,
}

impl Three {
    /// The three arrays of a group, by their names.
    pub(in crate::io) fn of(source: &Source, g: &Group) -> Result<Self, ReadError> {
        let dataset = |name: &str| source.dataset(g, name);
        Ok(Self { data: dataset("data")?, indices: dataset("indices")?, indptr: dataset("indptr")? })
    }

    /// Checks types and lengths for a matrix at `at` of `shape` rows × columns, without reading anything.
    pub(in crate::io) fn check(
        &self,
        source: &Source,
        at: &str,
        layout: Layout,
        (rows, columns): (usize, usize),
    ) -> Result<Types, ReadError> {
        let (major, minor) = if layout == Layout::Csr { (rows, columns) } else { (columns, rows) };
        if u32::try_from(minor).is_err() {
            let what =
                format!("{at}: {minor} entries along the compressed axis, scx reads up to {}", u32::MAX);
            return Err(ReadError::unsupported(&source.path, what));
        }
        let number = |d: &Dataset| -> Result<DType, ReadError> {
            source.check_filters(d)?;
            match (source.kind(d), d.ndim()) {
                (Kind::Number(dtype), 1) => Ok(dtype),
                (Kind::Number(dtype), _) if is_null(d) => Ok(dtype),
                (kind, axes) => {
                    let what = format!("{} along {axes} axes, expected numbers along one", kind.words());
                    Err(source.malformed(d.name(), what))
                }
            }
        };
        let types = Types {
            indptr: number(&self.indptr)?,
            indices: number(&self.indices)?,
            data: number(&self.data)?,
        };
        if types.indices.is_float() || types.indptr.is_float() {
            return Err(source.malformed(at, "indices or indptr hold fractions, expected whole numbers"));
        }
        let (nnz, indices, pointers) = (length(&self.data), length(&self.indices), length(&self.indptr));
        if indices != nnz {
            return Err(source.malformed(at, format!("{indices} indices but {nnz} values in data")));
        }
        if Some(pointers) != major.checked_add(1) {
            let what = format!("{pointers} entries, expected {} for the shape {rows} × {columns}", major + 1);
            return Err(source.malformed(self.indptr.name(), what));
        }
        Ok(types)
    }

    /// The matrix at `at` made of them; the pointers are read and checked.
    pub(super) fn open(
        self,
        source: &Source,
        at: &str,
        layout: Layout,
        shape: (usize, usize),
    ) -> Result<Stored, ReadError> {
        let types = self.check(source, at, layout, shape)?;
        let Self { data, indices, indptr } = self;
        let (major, minor) = if layout == Layout::Csr { shape } else { (shape.1, shape.0) };
        let pointers = source.numbers(&indptr, types.indptr)?;
        let pointers = unsigned(pointers).map_err(|what| source.malformed(indptr.name(), what))?;
        check_indptr(&pointers, major, length(&data) as u64)
            .map_err(|e| source.malformed(at, e.to_string()))?;
        let parts = Parts::Sparse(Compressed {
            layout,
            indptr: pointers,
            indptr_dtype: types.indptr,
            indptr_name: indptr.name(),
            indices: Array::new(source, indices, types.indices),
            data: Array::new(source, data, types.data),
            minor,
        });
        Ok(Stored { source: source.clone(), at: at.to_owned(), shape, dtype: types.data, parts })
    }
}

/// A stored number as a size.
pub(in crate::io) fn whole(x: f64) -> Option<usize> {
    (x >= 0.0 && x.fract() == 0.0 && x < 9e15).then_some(x as usize)
}

impl Compressed {
    /// Rows of a CSR, columns of a CSC.
    pub(in crate::io) fn major(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    /// Columns of a CSR, rows of a CSC.
    pub(in crate::io) fn minor(&self) -> usize {
        self.minor
    }

    /// Where the stored values of `majors` lie.
    pub(in crate::io) fn span(&self, majors: &Range<usize>) -> Range<u64> {
        let at = |i: usize| self.indptr.get(i).copied().unwrap_or(0);
        at(majors.start)..at(majors.end)
    }

    /// The longest run from `start` with at most [`RUN_VALUES`] stored values and `most` rows or columns, but one at
    /// least.
    pub(in crate::io) fn run(&self, start: usize, most: usize) -> Range<usize> {
        self.run_of(start, most, RUN_VALUES)
    }

    /// As [`Compressed::run`] with at most `values` stored values.
    pub(super) fn run_of(&self, start: usize, most: usize, values: u64) -> Range<usize> {
        let first = self.indptr.get(start).copied().unwrap_or(0);
        let limit = first.saturating_add(values);
        let fitting = self.indptr.partition_point(|&p| p <= limit).saturating_sub(1);
        start..fitting.clamp(start + 1, start.saturating_add(most.max(1))).min(self.major())
    }
}

impl Stored {
    /// Shape of the matrix.
    pub(in crate::io) fn dims(&self) -> (usize, usize) {
        self.shape
    }

    /// Element type on disk.
    pub(in crate::io) fn element(&self) -> DType {
        self.dtype
    }

    /// Rows of a dense matrix as they lie on disk.
    pub(in crate::io) fn dense_rows(&self, d: &Array, rows: Range<usize>) -> Result<Values, ReadError> {
        if rows.is_empty() || self.shape.1 == 0 {
            return Ok(Values::empty(self.dtype));
        }
        d.rows(rows)
    }

    /// Indices and values of the stored entries `span`, the indices checked.
    pub(in crate::io) fn entries(
        &self,
        m: &Compressed,
        span: Range<u64>,
    ) -> Result<(Vec<u32>, Values), ReadError> {
        let indices = self.indices(m, span.clone())?;
        Ok((indices, m.data.rows(to_usize(span))?))
    }

    /// Indices of the stored entries `span`, checked.
    pub(in crate::io) fn indices(&self, m: &Compressed, span: Range<u64>) -> Result<Vec<u32>, ReadError> {
        let start = span.start;
        self.indices_of(m, m.indices.rows(to_usize(span))?, start)
    }

    /// Indices read from entry `start` on, checked and kept.
    pub(super) fn indices_of(&self, m: &Compressed, raw: Values, start: u64) -> Result<Vec<u32>, ReadError> {
        into_indices(raw, m.minor, start)
            .map_err(|what| self.source.malformed(format!("{}/indices", self.at), what))
    }

    /// Indices read from entry `start` on, checked.
    pub(super) fn checked(&self, m: &Compressed, raw: &Values, start: u64) -> Result<Vec<u32>, ReadError> {
        indices_below(raw, m.minor, start)
            .map_err(|what| self.source.malformed(format!("{}/indices", self.at), what))
    }

    fn check_rows(&self, rows: &Range<usize>) -> Result<(), DataError> {
        if rows.start > rows.end || rows.end > self.shape.0 {
            return Err(DataError::OutOfRange { what: "row", index: rows.end, len: self.shape.0 });
        }
        Ok(())
    }

    /// CSR rows as they lie on disk.
    fn csr_rows(&self, m: &Compressed, rows: Range<usize>) -> Result<Sparse, DataError> {
        let span = m.span(&rows);
        let (indices, values) = self.entries(m, span.clone())?;
        let indptr =
            m.indptr.get(rows.start..=rows.end).unwrap_or(&[0]).iter().map(|p| p - span.start).collect();
        Sparse::new(Layout::Csr, (rows.len(), self.shape.1), indptr, indices, values)
    }

    /// Rows of a CSC: one scan over all columns, keeping the entries in range.
    fn csc_rows(&self, m: &Compressed, rows: Range<usize>) -> Result<Sparse, DataError> {
        let (mut row, mut column) = (Vec::<u32>::new(), Vec::<u32>::new());
        let mut kept = Values::empty(self.dtype);
        let mut start = 0;
        while start < m.major() {
            let run = m.run(start, usize::MAX);
            let span = m.span(&run);
            let (indices, values) = self.entries(m, span.clone())?;
            let mut keep = Vec::new();
            for c in run.clone() {
                let at = m.span(&(c..c + 1));
                for i in to_usize(at.start - span.start..at.end - span.start) {
                    match indices.get(i) {
                        Some(&r) if rows.contains(&(r as usize)) => {
                            keep.push(i);
                            row.push(r - rows.start as u32);
                            column.push(c as u32);
                        }
                        _ => {}
                    }
                }
            }
            append(&mut kept, &values, &keep);
            start = run.end;
        }
        by_row((rows.len(), self.shape.1), &row, &column, &kept)
    }
}

pub(super) fn to_usize(span: Range<u64>) -> Range<usize> {
    // Spans lie within a dataset of the file, whose length is a usize.
    span.start as usize..span.end as usize
}

impl RowSource for Stored {
    fn shape(&self) -> (usize, usize) {
        self.shape
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        match &self.parts {
            Parts::Dense(_) => Layout::Dense,
            Parts::Sparse(m) => m.layout,
        }
    }

    fn nnz(&self) -> Option<u64> {
        match &self.parts {
            Parts::Dense(_) => None,
            Parts::Sparse(m) => m.indptr.last().copied(),
        }
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        match &self.parts {
            Parts::Sparse(m) if m.layout == Layout::Csr => Some(&m.indptr),
            _ => None,
        }
    }

    fn rows(&self, rows: Range<usize>) -> Result<Block, DataError> {
        self.check_rows(&rows)?;
        match &self.parts {
            Parts::Dense(d) => {
                let values = self.dense_rows(d, rows.clone())?;
                Ok(Block::Dense(Dense::new(rows.len(), self.shape.1, values)?))
            }
            Parts::Sparse(m) if m.layout == Layout::Csr => Ok(Block::Csr(self.csr_rows(m, rows)?)),
            Parts::Sparse(m) => Ok(Block::Csr(self.csc_rows(m, rows)?)),
        }
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        self.walk(memory, &self.source.scratch, sink)
    }

    fn stored(&self) -> Option<StoredArrays> {
        let (layout, data, compressed) = match &self.parts {
            Parts::Dense(d) => (Layout::Dense, &d.dataset, None),
            Parts::Sparse(m) => {
                (m.layout, &m.data.dataset, Some((m.indices.dataset.name(), m.indptr_name.clone())))
            }
        };
        Some(StoredArrays { path: PathBuf::from(data.filename()), layout, data: data.name(), compressed })
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let n_cols = self.shape.1;
        if let Some(&index) = columns.iter().find(|&&c| c >= n_cols) {
            return Err(DataError::OutOfRange { what: "column", index, len: n_cols });
        }
        match &self.parts {
            Parts::Dense(_) => self.walk(WALK, &self.source.scratch, &mut |start, block| match block {
                Block::Dense(d) => sink(start, with_values!(d.values(), v => pick_dense(v, n_cols, columns))),
                Block::Csr(_) => Ok(()),
            }),
            Parts::Sparse(m) if m.layout == Layout::Csr => {
                self.walk(WALK, &self.source.scratch, &mut |start, block| match block {
                    Block::Csr(rows) => sink(start, pick_csr(&rows, 0..rows.shape().0, columns)),
                    Block::Dense(_) => Ok(()),
                })
            }
            Parts::Sparse(m) => sink(0, self.csc_columns(m, columns)?),
        }
    }
}

impl Stored {
    /// The chosen columns of a CSC: only their own entries are read, neighbours together.
    fn csc_columns(&self, m: &Compressed, columns: &[usize]) -> Result<Array2<f64>, DataError> {
        let cells = (self.shape.0 as u64).saturating_mul(columns.len() as u64);
        self.source.limits.check(&self.source.path, &self.at, cells, size_of::<f64>())?;
        let mut out = Array2::zeros((self.shape.0, columns.len()));
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|&k| columns[k]);
        let mut rest = order.as_slice();
        while let [first, ..] = rest {
            let run = m.run(columns[*first], usize::MAX);
            // Within the run, and not over columns nobody asked for.
            let fits = |w: &&[usize]| columns[w[1]] < run.end && columns[w[1]] <= columns[w[0]] + 1;
            let (now, later) = rest.split_at(1 + rest.windows(2).take_while(fits).count());
            let last = now.last().map_or(run.start, |&k| columns[k]);
            let span = m.span(&(run.start..last + 1));
            let (indices, values) = self.entries(m, span.clone())?;
            for &k in now {
                let at = m.span(&(columns[k]..columns[k] + 1));
                for i in to_usize(at.start - span.start..at.end - span.start) {
                    // Duplicate entries of one cell add up, as in scipy.
                    out[(indices[i] as usize, k)] += values.get(i).unwrap_or(0.0);
                }
            }
            rest = later;
        }
        Ok(out)
    }
}
