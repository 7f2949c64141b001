//! Some rows and columns of a matrix, without reading it: the choice is made while the matrix is walked through.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, Axis};

use super::{
    Block, BlockSink, DType, DataError, Dense, Element, Layout, Matrix, RowSource, Sparse, Take, Values,
    append,
};
use crate::with_values;

/// Memory for counting the stored values that are left.
const COUNT_MEMORY: u64 = 512 << 20;

/// Some rows and columns of another matrix. Sparse rows are CSR, however the base is stored.
#[derive(Debug)]
struct Selected {
    base: Matrix,
    rows: Take,
    columns: Take,
    /// For each column of the base its place here.
    places: Vec<u32>,
    nnz: Option<u64>,
}

impl Matrix {
    /// These rows and columns, still unread. Gaps in either are zeros. The result is dense or CSR.
    ///
    /// # Errors
    /// [`DataError`] when the choice was made for another shape; when the stored values that are left have to be counted
    /// and the file cannot be read.
    pub fn select(&self, rows: &Take, columns: &Take) -> Result<Matrix, DataError> {
        self.select_counted(rows, columns, None)
    }

    /// [`Matrix::select`] where the caller knows how many stored values are left.
    ///
    /// # Errors
    /// As [`Matrix::select`].
    pub fn select_counted(&self, rows: &Take, columns: &Take, nnz: Option<u64>) -> Result<Matrix, DataError> {
        rows.fits("rows", self.shape().0)?;
        columns.fits("columns", self.shape().1)?;
        if rows.is_all() && columns.is_all() {
            return Ok(self.clone());
        }
        let mut view = Selected {
            base: self.clone(),
            rows: rows.clone(),
            columns: columns.clone(),
            places: columns.places()?,
            nnz: None,
        };
        if self.layout() != Layout::Dense {
            view.nnz = Some(match nnz {
                Some(n) => n,
                None => view.count()?,
            });
        }
        Ok(Matrix::OnDisk(Arc::new(view)))
    }

    /// The same matrix in a form whose copies share their values: a CSC in memory becomes CSR, the rest stays.
    ///
    /// # Errors
    /// [`DataError`] when an axis is longer than indices can count.
    pub fn shared(self) -> Result<Matrix, DataError> {
        let base = match self {
            Matrix::OnDisk(_) => return Ok(self),
            Matrix::Sparse(s) if s.layout() == Layout::Csc => Matrix::Sparse(s.turned()?),
            own => own,
        };
        let (rows, columns) = (Take::all(base.shape().0), Take::all(base.shape().1));
        let nnz = base.nnz();
        Ok(Matrix::OnDisk(Arc::new(Selected { places: Vec::new(), base, rows, columns, nnz })))
    }

    /// Rows `range`, dense or CSR as they are stored.
    ///
    /// # Errors
    /// [`DataError`] when the range is outside the matrix or the file cannot be read.
    pub fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        if range.start > range.end || range.end > self.shape().0 {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: self.shape().0 });
        }
        let picks: Vec<usize> = range.clone().collect();
        match self {
            Matrix::OnDisk(m) => m.rows(range),
            Matrix::Dense(d) => dense_rows(d, &picks, &Take::all(d.shape().1)).map(Block::Dense),
            Matrix::Sparse(s) if s.layout() == Layout::Csr => csr_rows(s, &picks, None).map(Block::Csr),
            Matrix::Sparse(s) => csr_rows(&s.turned()?, &picks, None).map(Block::Csr),
        }
    }

    /// Stored values before each row of a CSR matrix, and at its end, where they are known without reading it.
    pub fn row_pointers(&self) -> Option<&[u64]> {
        match self {
            Matrix::OnDisk(m) => m.row_pointers(),
            Matrix::Sparse(s) if s.layout() == Layout::Csr => Some(s.indptr()),
            _ => None,
        }
    }
}

/// Rows `picks` of a CSR block, with columns moved to `places` (those at `u32::MAX` go).
fn csr_rows(s: &Sparse, picks: &[usize], places: Option<(&[u32], usize, bool)>) -> Result<Sparse, DataError> {
    fn values<T: Element>(v: &[T], keep: &[usize]) -> Values {
        T::wrap(keep.iter().filter_map(|&i| v.get(i).copied()).collect())
    }
    let (mut keep, mut indices, mut indptr) = (Vec::new(), Vec::new(), vec![0u64]);
    for &row in picks {
        let (from, to) = match (s.indptr().get(row), s.indptr().get(row + 1)) {
            (Some(&from), Some(&to)) => (from as usize, to as usize),
            _ => return Err(DataError::OutOfRange { what: "row", index: row, len: s.shape().0 }),
        };
        let stored = s.indices().get(from..to).unwrap_or(&[]);
        match places {
            None => {
                indices.extend_from_slice(stored);
                keep.extend(from..to);
            }
            Some((places, _, ordered)) => {
                let start = keep.len();
                for (i, &c) in (from..to).zip(stored) {
                    let place = places.get(c as usize).copied().unwrap_or(u32::MAX);
                    if place != u32::MAX {
                        indices.push(place);
                        keep.push(i);
                    }
                }
                if !ordered {
                    let mut pairs: Vec<_> =
                        indices[start..].iter().copied().zip(keep[start..].iter().copied()).collect();
                    pairs.sort_by_key(|p| p.0);
                    for (k, (c, i)) in pairs.into_iter().enumerate() {
                        indices[start + k] = c;
                        keep[start + k] = i;
                    }
                }
            }
        }
        indptr.push(keep.len() as u64);
    }
    let columns = places.map_or(s.shape().1, |p| p.1);
    let values = with_values!(s.values(), v => values(v, &keep));
    Sparse::new(Layout::Csr, (picks.len(), columns), indptr, indices, values)
}

/// Rows `picks` of a dense block, with chosen columns.
fn dense_rows(d: &Dense, picks: &[usize], columns: &Take) -> Result<Dense, DataError> {
    fn pick<T: Element>(v: &[T], wide: usize, picks: &[usize], columns: &Take) -> Values {
        let mut out = Vec::with_capacity(picks.len() * columns.len());
        for &row in picks {
            let row = v.get(row * wide..(row + 1) * wide).unwrap_or(&[]);
            if columns.is_all() {
                out.extend_from_slice(row);
            } else {
                out.extend(columns.iter().map(|c| c.and_then(|c| row.get(c).copied()).unwrap_or_default()));
            }
        }
        T::wrap(out)
    }
    let values = with_values!(d.values(), v => pick(v, d.shape().1, picks, columns));
    Dense::new(picks.len(), columns.len(), values)
}

/// Blocks of one kind, one below the other.
fn stacked(parts: Vec<Block>, dtype: DType, layout: Layout, columns: usize) -> Result<Block, DataError> {
    let rows = parts.iter().map(Block::len).sum();
    if layout == Layout::Dense {
        let mut values = Values::empty(dtype);
        for part in &parts {
            if let Block::Dense(d) = part {
                append(&mut values, d.values());
            }
        }
        return Ok(Block::Dense(Dense::new(rows, columns, values)?));
    }
    let sparse: Vec<Sparse> =
        parts.into_iter().filter_map(|p| if let Block::Csr(s) = p { Some(s) } else { None }).collect();
    Ok(Block::Csr(Sparse::stacked((rows, columns), dtype, &sparse)?))
}

impl Selected {
    /// Rows `picks` of a block of the base.
    fn pick(&self, block: &Block, picks: &[usize]) -> Result<Block, DataError> {
        let places = (!self.columns.is_all()).then_some((
            self.places.as_slice(),
            self.columns.len(),
            self.columns.is_increasing(),
        ));
        match block {
            Block::Dense(d) => dense_rows(d, picks, &self.columns).map(Block::Dense),
            Block::Csr(s) => csr_rows(s, picks, places).map(Block::Csr),
        }
    }

    /// Rows of zeros.
    fn gap(&self, n: usize) -> Result<Block, DataError> {
        let columns = self.columns.len();
        if self.layout() == Layout::Dense {
            let none = Take::new(0, vec![None; n.saturating_mul(columns)])?;
            return Ok(Block::Dense(Dense::new(n, columns, Values::empty(self.dtype()).take(&none))?));
        }
        let empty = Values::empty(self.dtype());
        Ok(Block::Csr(Sparse::new(Layout::Csr, (n, columns), vec![0; n + 1], Vec::new(), empty)?))
    }

    /// Stored values that are left.
    fn count(&self) -> Result<u64, DataError> {
        if let (true, Some(pointers)) = (self.columns.is_all(), self.base.row_pointers()) {
            let stored = |r: usize| pointers.get(r..r + 2).map_or(0, |w| w[1] - w[0]);
            return Ok(self.rows.iter().flatten().map(stored).sum());
        }
        let mut wanted = vec![false; self.rows.of()];
        self.rows.iter().flatten().for_each(|r| wanted[r] = true);
        let mut n = 0u64;
        self.base.stream(COUNT_MEMORY, &mut |start, block| {
            if let Block::Csr(s) = block {
                for (i, w) in s.indptr().windows(2).enumerate() {
                    if wanted.get(start + i).copied().unwrap_or(false) {
                        let stored = s.indices().get(w[0] as usize..w[1] as usize).unwrap_or(&[]);
                        let kept = |c: &&u32| self.places.get(**c as usize) != Some(&u32::MAX);
                        n += stored.iter().filter(kept).count() as u64;
                    }
                }
            }
            Ok(())
        })?;
        Ok(n)
    }

    /// Neighbouring rows of the base that belong to rows `range` here; `None` for a gap.
    fn runs(&self, range: Range<usize>) -> Vec<(Option<usize>, usize)> {
        let mut runs: Vec<(Option<usize>, usize)> = Vec::new();
        for row in range.map(|i| self.rows.get(i)) {
            match (runs.last_mut(), row) {
                (Some((Some(from), n)), Some(row)) if *from + *n == row => *n += 1,
                (Some((None, n)), None) => *n += 1,
                _ => runs.push((row, 1)),
            }
        }
        runs
    }
}

impl RowSource for Selected {
    fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.columns.len())
    }

    fn dtype(&self) -> DType {
        self.base.dtype()
    }

    fn layout(&self) -> Layout {
        if self.base.layout() == Layout::Dense { Layout::Dense } else { Layout::Csr }
    }

    fn nnz(&self) -> Option<u64> {
        self.nnz
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        if self.rows.is_all() && self.columns.is_all() { self.base.row_pointers() } else { None }
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        if range.start > range.end || range.end > self.rows.len() {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: self.rows.len() });
        }
        let parts = self
            .runs(range)
            .into_iter()
            .map(|(from, n)| match from {
                None => self.gap(n),
                Some(from) => {
                    let block = self.base.rows(from..from + n)?;
                    self.pick(&block, &(0..n).collect::<Vec<_>>())
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        stacked(parts, self.dtype(), self.layout(), self.columns.len())
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        if !self.rows.is_increasing() {
            let per_row = match self.nnz {
                Some(nnz) => nnz / (self.rows.len() as u64).max(1) * (4 + self.dtype().size() as u64),
                None => (self.columns.len() * self.dtype().size()) as u64,
            };
            let step = super::rows_per_run(memory, per_row);
            for start in (0..self.rows.len()).step_by(step) {
                sink(start, RowSource::rows(self, start..(start + step).min(self.rows.len()))?)?;
            }
            return Ok(());
        }
        let mut next = 0;
        self.base.stream(memory, &mut |start, block| {
            let first = next;
            let mut picks = Vec::new();
            while let Some(row) = self.rows.get(next).filter(|r| *r < start + block.len()) {
                picks.push(row - start);
                next += 1;
            }
            if picks.is_empty() { Ok(()) } else { sink(first, self.pick(&block, &picks)?) }
        })
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        if let Some(&index) = columns.iter().find(|&&c| c >= self.columns.len()) {
            return Err(DataError::OutOfRange { what: "column", index, len: self.columns.len() });
        }
        let from: Vec<Option<usize>> = columns.iter().map(|&c| self.columns.get(c)).collect();
        let real: Vec<usize> = from.iter().flatten().copied().collect();
        // Columns the base has, back among the gaps.
        let widen = |rows: Vec<ndarray::ArrayView1<'_, f64>>| {
            let mut out = Array2::zeros((rows.len(), columns.len()));
            let slots = from.iter().enumerate().filter(|(_, f)| f.is_some()).map(|(k, _)| k);
            for (j, slot) in slots.enumerate() {
                for (row, to) in rows.iter().zip(out.index_axis_mut(Axis(1), slot)) {
                    *to = row[j];
                }
            }
            out
        };
        if self.rows.is_increasing() {
            let mut next = 0;
            return self.base.columns(&real, &mut |start, block| {
                let first = next;
                let mut rows = Vec::new();
                while let Some(row) = self.rows.get(next).filter(|r| *r < start + block.nrows()) {
                    rows.push(block.row(row - start));
                    next += 1;
                }
                if rows.is_empty() { Ok(()) } else { sink(first, widen(rows)) }
            });
        }
        let mut whole = Array2::zeros((self.base.shape().0, real.len()));
        self.base.columns(&real, &mut |start, block| {
            for (i, row) in block.rows().into_iter().enumerate() {
                whole.row_mut(start + i).assign(&row);
            }
            Ok(())
        })?;
        let zeros = ndarray::Array1::zeros(real.len());
        let rows = self.rows.iter().map(|r| r.map_or(zeros.view(), |r| whole.row(r))).collect();
        sink(0, widen(rows))
    }
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
