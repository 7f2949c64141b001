//! A matrix with new values in some cells, made while it is walked through.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use super::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, Patch, RowSource, Sparse, Values, in_runs,
    rows_per_run,
};

/// Memory for counting stored values.
const COUNT_MEMORY: u64 = 512 << 20;

/// Bytes a value takes on its way, with its index.
const ON_ITS_WAY: u64 = 16;

#[derive(Debug)]
struct Patched {
    base: Matrix,
    patch: Patch,
    dtype: DType,
    /// For each column whether the patch has it.
    replaced: Vec<bool>,
    /// Stored values before each row, and at the end, of a sparse matrix.
    pointers: Option<Vec<u64>>,
}

impl Matrix {
    /// This matrix with the new values of `patch`, still unread; dense, or CSR where it is sparse. Floating-point types
    /// stay (half precision becomes single), whole numbers become the float that holds them exactly. All new values are
    /// stored, zeros too.
    ///
    /// # Errors
    /// [`DataError`] when the patch reaches outside the matrix, or the stored values that are left have to be counted and
    /// the file cannot be read.
    pub fn patched(&self, patch: Patch) -> Result<Matrix, DataError> {
        let (rows, columns) = self.shape();
        for (what, ids, len) in [("row", patch.rows(), rows), ("column", patch.columns(), columns)] {
            if let Some(&index) = ids.last().filter(|i| **i >= len) {
                return Err(DataError::OutOfRange { what, index, len });
            }
        }
        let mut replaced = vec![false; columns];
        patch.columns().iter().for_each(|&c| replaced[c] = true);
        let dtype = match self.dtype() {
            DType::F16 => DType::F32,
            float if float.is_float() => float,
            whole => whole.exact_float(),
        };
        let mut view = Patched { base: self.clone(), patch, dtype, replaced, pointers: None };
        if self.layout() != Layout::Dense {
            view.pointers = Some(view.count()?);
        }
        Ok(Matrix::OnDisk(Arc::new(view)))
    }
}

impl Patched {
    /// Pointers of the result.
    fn count(&self) -> Result<Vec<u64>, DataError> {
        let mut pointers = Vec::with_capacity(self.base.shape().0 + 1);
        pointers.push(0u64);
        let mut total = 0u64;
        self.base.stream(COUNT_MEMORY, &mut |start, block| {
            let Block::Csr(s) = block else { return Ok(()) };
            for (i, w) in s.indptr().windows(2).enumerate() {
                total += if self.patch.row(start + i).is_none() {
                    w[1] - w[0]
                } else {
                    let stored = s.indices().get(w[0] as usize..w[1] as usize).unwrap_or(&[]);
                    let kept = stored.iter().filter(|c| !self.is_replaced(**c)).count();
                    (kept + self.patch.columns().len()) as u64
                };
                pointers.push(total);
            }
            Ok(())
        })?;
        Ok(pointers)
    }

    fn is_replaced(&self, column: u32) -> bool {
        self.replaced.get(column as usize).copied().unwrap_or(false)
    }

    fn values(&self, all: Vec<f64>) -> Values {
        match self.dtype {
            DType::F32 => Values::F32(all.into_iter().map(|v| v as f32).collect()),
            _ => Values::F64(all),
        }
    }

    /// Rows of the base, the first of which is `start`, with new values.
    fn block(&self, start: usize, block: &Block) -> Result<Block, DataError> {
        match block {
            Block::Dense(d) => self.dense(start, d).map(Block::Dense),
            Block::Csr(s) => self.csr(start, s).map(Block::Csr),
        }
    }

    fn dense(&self, start: usize, d: &Dense) -> Result<Dense, DataError> {
        let (rows, columns) = d.shape();
        let mut values: Vec<f64> = d.values().iter().collect();
        for (row, cells) in (start..).zip(values.chunks_exact_mut(columns.max(1))) {
            let Some(new) = self.patch.row(row) else { continue };
            for (&column, &value) in self.patch.columns().iter().zip(new) {
                cells[column] = f64::from(value);
            }
        }
        Dense::new(rows, columns, self.values(values))
    }

    fn csr(&self, start: usize, s: &Sparse) -> Result<Sparse, DataError> {
        let old: Vec<f64> = s.values().iter().collect();
        let (mut indptr, mut indices, mut values) = (vec![0u64], Vec::new(), Vec::new());
        for (row, w) in (start..).zip(s.indptr().windows(2)) {
            let span = w[0] as usize..w[1] as usize;
            let stored = s.indices().get(span.clone()).unwrap_or(&[]).iter().copied();
            let stored = stored.zip(old.get(span).unwrap_or(&[]).iter().copied());
            match self.patch.row(row) {
                None => stored.for_each(|(i, v)| {
                    indices.push(i);
                    values.push(v);
                }),
                Some(new) => {
                    let mut cells: Vec<(u32, f64)> = stored.filter(|(i, _)| !self.is_replaced(*i)).collect();
                    let new = self.patch.columns().iter().zip(new);
                    cells.extend(new.map(|(&i, &v)| (i as u32, f64::from(v))));
                    cells.sort_by_key(|(i, _)| *i);
                    indices.extend(cells.iter().map(|(i, _)| *i));
                    values.extend(cells.iter().map(|(_, v)| *v));
                }
            }
            indptr.push(indices.len() as u64);
        }
        Sparse::new(Layout::Csr, s.shape(), indptr, indices, self.values(values))
    }
}

impl RowSource for Patched {
    fn shape(&self) -> (usize, usize) {
        self.base.shape()
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        if self.pointers.is_some() { Layout::Csr } else { Layout::Dense }
    }

    fn nnz(&self) -> Option<u64> {
        self.pointers.as_ref().map(|p| p.last().copied().unwrap_or(0))
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        self.pointers.as_deref()
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        self.block(range.start, &self.base.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        // Patched rows can be much fuller than stored ones.
        let wide = if self.pointers.is_some() { self.patch.columns().len() } else { self.shape().1 };
        let step = rows_per_run(memory, ON_ITS_WAY * wide as u64);
        self.base.stream(memory, &mut |start, block| {
            in_runs(start, block, step, &mut |from, part| sink(from, self.block(from, &part)?))
        })
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let places: Vec<Option<usize>> =
            columns.iter().map(|c| self.patch.columns().binary_search(c).ok()).collect();
        self.base.columns(columns, &mut |start, mut block| {
            for (row, mut cells) in (start..).zip(block.rows_mut()) {
                let Some(new) = self.patch.row(row) else { continue };
                for (cell, place) in cells.iter_mut().zip(&places) {
                    if let Some(&v) = place.and_then(|p| new.get(p)) {
                        *cell = f64::from(v);
                    }
                }
            }
            sink(start, block)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch() -> Patch {
        Patch::new(vec![1, 3], vec![0, 2], ndarray::array![[10.5, 0.0], [-3.0, 7.0]]).unwrap()
    }

    /// 4 × 3: what the patch leaves and what it makes.
    const OLD: [f64; 12] = [1.0, 0.0, 2.0, 0.0, 3.0, 4.0, 5.0, 0.0, 0.0, 0.0, 6.0, 0.0];
    const NEW: [f64; 12] = [1.0, 0.0, 2.0, 10.5, 3.0, 0.0, 5.0, 0.0, 0.0, -3.0, 6.0, 7.0];

    fn sparse(layout: Layout) -> Matrix {
        let csr = Sparse::new(
            Layout::Csr,
            (4, 3),
            vec![0, 2, 4, 5, 6],
            vec![0, 2, 1, 2, 0, 1],
            Values::I32(vec![1, 2, 3, 4, 5, 6]),
        )
        .unwrap();
        Matrix::Sparse(if layout == Layout::Csr { csr } else { csr.turned().unwrap() })
    }

    /// Everything three ways of reading give.
    fn all(m: &Matrix) -> [Vec<f64>; 3] {
        let whole = m.rows(0..4).unwrap().to_f64().into_iter().collect();
        let mut walked = Vec::new();
        // So little memory that every row is a run.
        m.stream(1, &mut |_, block| {
            walked.extend(block.to_f64());
            Ok(())
        })
        .unwrap();
        let mut turned = Array2::zeros((4, 3));
        m.columns(&[2, 1, 0], &mut |start, block| {
            turned.slice_mut(ndarray::s![start..start + block.nrows(), ..;-1]).assign(&block);
            Ok(())
        })
        .unwrap();
        [whole, walked, turned.into_iter().collect()]
    }

    #[test]
    fn every_layout_and_every_way_of_reading_gives_the_patched_values() {
        let dense = Matrix::Dense(Dense::new(4, 3, Values::F32(OLD.map(|v| v as f32).to_vec())).unwrap());
        for (base, dtype) in
            [(dense, DType::F32), (sparse(Layout::Csr), DType::F64), (sparse(Layout::Csc), DType::F64)]
        {
            let m = base.patched(patch()).unwrap();
            assert_eq!(m.dtype(), dtype);
            for way in all(&m) {
                assert_eq!(way, NEW, "{:?}", base.layout());
            }
            if base.layout() != Layout::Dense {
                // New zeros are stored.
                assert_eq!((m.layout(), m.nnz()), (Layout::Csr, Some(9)));
                assert_eq!(m.row_pointers(), Some(&[0, 2, 5, 6, 9][..]));
            }
        }
    }

    #[test]
    fn a_patch_beyond_the_matrix_is_refused_and_an_empty_one_changes_nothing() {
        let m = sparse(Layout::Csr);
        let beyond = Patch::new(vec![4], vec![0], ndarray::array![[1.0]]).unwrap();
        assert!(m.patched(beyond).unwrap_err().to_string().contains("row 4"));
        let none = Patch::new(vec![], vec![], Array2::zeros((0, 0))).unwrap();
        assert_eq!(all(&m.patched(none).unwrap())[0], OLD);
    }
}
