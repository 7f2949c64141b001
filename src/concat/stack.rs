//! Matrices one below the other, read from where each lies when they are walked through.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use super::cast::{misfits, promote};
use super::names::NOWHERE;
use super::rows::{Shape, count_dense, csr_part, fit, missing, part};
use super::{Changes, ConcatError, fail, types};
use crate::data::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, RowSource, Sparse, Values, append,
    rows_per_run, slice,
};

/// One of the matrices.
#[derive(Debug)]
pub(super) struct Part {
    /// The matrix; `None` where the file has none and all entries are missing.
    matrix: Option<Matrix>,
    n_rows: usize,
    /// Where each column goes.
    map: Option<Vec<u32>>,
    file: String,
}

impl Part {
    /// `matrix`, or `n_rows` rows of missing entries.
    pub(super) fn new(
        matrix: Option<Matrix>,
        n_rows: usize,
        map: Option<Vec<u32>>,
        file: &str,
    ) -> Result<Self, DataError> {
        // In memory it is cheaper to turn a matrix once than at every walk.
        let matrix = match matrix {
            Some(Matrix::Sparse(s)) if s.layout() == Layout::Csc => Some(Matrix::Sparse(s.turned()?)),
            other => other,
        };
        Ok(Self { matrix, n_rows, map, file: file.to_owned() })
    }

    /// Whether some column of the result is missing here.
    fn leaves_gaps(&self, n_cols: usize) -> bool {
        match (&self.matrix, &self.map) {
            (None, _) => self.n_rows > 0 && n_cols > 0,
            (Some(_), None) => false,
            (Some(_), Some(map)) => self.n_rows > 0 && map.iter().filter(|t| **t != NOWHERE).count() < n_cols,
        }
    }

    /// Stored values of this part in the result.
    fn nnz(&self, memory: u64) -> Result<u64, DataError> {
        let Some(m) = &self.matrix else { return Ok(0) };
        let map = self.map.as_deref();
        let drops = map.is_some_and(|m| m.contains(&NOWHERE));
        if let (Some(nnz), false) = (m.nnz(), drops) {
            return Ok(nnz);
        }
        let mut count = 0u64;
        m.stream(memory, &mut |_, block| {
            count += match &block {
                Block::Dense(d) => count_dense(d.values(), d.shape().1, map),
                Block::Csr(s) => {
                    let kept =
                        |j: &&u32| map.is_none_or(|m| m.get(**j as usize).is_some_and(|t| *t != NOWHERE));
                    s.indices().iter().filter(kept).count() as u64
                }
            };
            Ok(())
        })?;
        Ok(count)
    }

    /// The first value, as text, that does not stay the same in the type of the result. Needs a walk through the matrix
    /// where its type does not rule that out.
    fn misfit(&self, shape: Shape, memory: u64) -> Result<Option<String>, DataError> {
        let Some(m) = &self.matrix else { return Ok(None) };
        let mut found = None;
        if !matches!(m.dtype(), DType::I64 | DType::U64) || m.dtype() == shape.dtype {
            return Ok(None);
        }
        let own = Shape { dtype: m.dtype(), ..shape };
        m.stream(memory, &mut |_, block| {
            let any = |b: &Block| misfits(values(b), shape.dtype, |_| false).next();
            if found.is_some() || any(&block).is_none() {
                return Ok(());
            }
            // Values of variables that are left behind do not count.
            let kept = fit(block, self.map.as_deref(), own)?;
            found = any(&kept).map(|x| x.to_string());
            Ok(())
        })?;
        Ok(found)
    }

    fn rows(&self, range: Range<usize>, shape: Shape) -> Result<Block, DataError> {
        let block = match &self.matrix {
            None => return missing(range.len(), shape),
            Some(Matrix::OnDisk(m)) => m.rows(range)?,
            Some(Matrix::Sparse(s)) => Block::Csr(csr_part(s, range)?),
            Some(Matrix::Dense(d)) => {
                let n = d.shape().1;
                let values = slice(d.values(), range.start * n..range.end * n);
                Block::Dense(Dense::new(range.len(), n, values)?)
            }
        };
        fit(block, self.map.as_deref(), shape)
    }
}

fn values(block: &Block) -> &Values {
    match block {
        Block::Dense(d) => d.values(),
        Block::Csr(s) => s.values(),
    }
}

/// The matrices, as one.
#[derive(Debug)]
pub(super) struct Stacked {
    parts: Vec<Part>,
    /// First row of each part, and the end.
    starts: Vec<usize>,
    shape: Shape,
    nnz: Option<u64>,
}

impl Stacked {
    /// Puts parts below one another: sparse when one of them is, as anndata does, in the element type that holds all.
    /// Counting what a sparse result stores may need a walk through a part, and so may whole numbers of 64 bits that must
    /// fit another type. A change of type is told as one of `element`.
    pub(super) fn new(
        parts: Vec<Part>,
        n_cols: usize,
        memory: u64,
        element: &str,
        changes: &mut Changes,
    ) -> Result<Self, ConcatError> {
        let there = || parts.iter().filter_map(|p| p.matrix.as_ref());
        let sparse = there().any(|m| m.nnz().is_some());
        let mut dtype = there().map(Matrix::dtype).reduce(promote).unwrap_or(DType::F32);
        // Missing entries of dense matrices are NaN, which whole numbers do not have.
        let gaps = !sparse && !dtype.is_float() && parts.iter().any(|p| p.leaves_gaps(n_cols));
        if gaps {
            dtype = dtype.exact_float();
        }
        let shape = Shape { n_cols, dtype, sparse };
        let own: Vec<_> =
            parts.iter().filter_map(|p| Some((p.file.as_str(), p.matrix.as_ref()?.dtype()))).collect();
        for p in &parts {
            if let Some(value) = p.misfit(shape, memory).map_err(fail(&p.file))? {
                return Err(types::cannot_hold(element, &p.file, &value, &own, dtype, gaps));
            }
        }
        if let Some(what) = types::told(&own, dtype, gaps) {
            changes.add(element, what);
        }
        let mut starts = vec![0];
        for p in &parts {
            starts.push(starts.last().copied().unwrap_or(0) + p.n_rows);
        }
        let mut nnz = None;
        if sparse {
            let mut sum = 0;
            for p in &parts {
                sum += p.nnz(memory).map_err(fail(&p.file))?;
            }
            nnz = Some(sum);
        }
        Ok(Self { parts, starts, shape, nnz })
    }

    /// As a matrix that is read when it is walked through.
    pub(super) fn into_matrix(self) -> Matrix {
        Matrix::OnDisk(Arc::new(self))
    }

    /// Bytes a row of the result takes.
    fn row_bytes(&self) -> u64 {
        let size = self.shape.dtype.size() as u64;
        match self.nnz {
            Some(nnz) => {
                nnz.checked_div(RowSource::shape(self).0 as u64).unwrap_or(0).saturating_mul(size + 4)
            }
            None => (self.shape.n_cols as u64).saturating_mul(size),
        }
    }

    fn each(&self) -> impl Iterator<Item = (&Part, usize)> {
        self.parts.iter().zip(self.starts.iter().copied())
    }
}

impl RowSource for Stacked {
    fn shape(&self) -> (usize, usize) {
        (self.starts.last().copied().unwrap_or(0), self.shape.n_cols)
    }

    fn dtype(&self) -> DType {
        self.shape.dtype
    }

    fn layout(&self) -> Layout {
        if self.shape.sparse { Layout::Csr } else { Layout::Dense }
    }

    fn nnz(&self) -> Option<u64> {
        self.nnz
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let (n_rows, n_cols) = RowSource::shape(self);
        if range.start > range.end || range.end > n_rows {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: n_rows });
        }
        let (mut runs, mut values) = (Vec::new(), Values::empty(self.shape.dtype));
        for (p, start) in self.each() {
            let (from, to) = (range.start.max(start), range.end.min(start + p.n_rows));
            if from >= to {
                continue;
            }
            match p.rows(from - start..to - start, self.shape)? {
                Block::Csr(s) => runs.push(s),
                Block::Dense(d) => append(&mut values, d.values()),
            }
        }
        let size = (range.len(), n_cols);
        if self.shape.sparse {
            return Ok(Block::Csr(Sparse::stacked(size, self.shape.dtype, &runs)?));
        }
        Ok(Block::Dense(Dense::new(size.0, size.1, values)?))
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let step = rows_per_run(memory, self.row_bytes());
        for (p, start) in self.each() {
            let Some(m) = &p.matrix else {
                for from in (0..p.n_rows).step_by(step) {
                    sink(start + from, missing(step.min(p.n_rows - from), self.shape)?)?;
                }
                continue;
            };
            m.stream(memory, &mut |at, block| {
                let n = block.len();
                if n <= step {
                    return sink(start + at, fit(block, p.map.as_deref(), self.shape)?);
                }
                // Rows of the result can be much wider than those of a part.
                for from in (0..n).step_by(step) {
                    let piece = part(&block, from..(from + step).min(n))?;
                    sink(start + at + from, fit(piece, p.map.as_deref(), self.shape)?)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let n_cols = self.shape.n_cols;
        if let Some(&index) = columns.iter().find(|&&c| c >= n_cols) {
            return Err(DataError::OutOfRange { what: "column", index, len: n_cols });
        }
        let fill = if self.shape.sparse { 0.0 } else { f64::NAN };
        for (p, start) in self.each() {
            let Some(m) = &p.matrix else {
                sink(start, Array2::from_elem((p.n_rows, columns.len()), fill))?;
                continue;
            };
            // Which of the part's columns are wanted, and as which.
            let own = |c: usize| match &p.map {
                None => Some(c),
                Some(map) => map.iter().position(|&t| t as usize == c && t != NOWHERE),
            };
            let (to, from): (Vec<usize>, Vec<usize>) =
                columns.iter().enumerate().filter_map(|(k, &c)| Some((k, own(c)?))).unzip();
            m.columns(&from, &mut |at, values| {
                let mut out = Array2::from_elem((values.nrows(), columns.len()), fill);
                for (k, column) in to.iter().zip(values.columns()) {
                    out.column_mut(*k).assign(&column);
                }
                sink(start + at, out)
            })?;
        }
        Ok(())
    }
}
