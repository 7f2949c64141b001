//! The features of one genome out of several.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use crate::data::{Block, BlockSink, DType, DataError, Element, Layout, Matrix, RowSource, Sparse};
use crate::with_values;

/// A compressed matrix of which only some columns are seen.
#[derive(Debug)]
pub(super) struct Chosen {
    inner: Arc<dyn RowSource>,
    /// Columns of the inner matrix that are kept, in order.
    kept: Vec<usize>,
    /// New position of each column of the inner matrix; `u32::MAX` when it is left out.
    position: Vec<u32>,
    nnz: u64,
}

impl Chosen {
    /// Walks through the matrix once to count. `kept` are increasing columns of `inner`.
    ///
    /// # Errors
    /// [`DataError`] when the file cannot be read.
    pub(super) fn new(inner: Arc<dyn RowSource>, kept: Vec<usize>, memory: u64) -> Result<Matrix, DataError> {
        let mut position = vec![u32::MAX; inner.shape().1];
        for (to, &from) in kept.iter().enumerate() {
            if let Some(slot) = position.get_mut(from) {
                *slot = to as u32;
            }
        }
        let mut chosen = Self { inner, kept, position, nnz: 0 };
        let mut nnz = 0;
        chosen.stream(memory, &mut |_, block| {
            if let Block::Csr(rows) = block {
                nnz += rows.values().len() as u64;
            }
            Ok(())
        })?;
        chosen.nnz = nnz;
        Ok(Matrix::OnDisk(Arc::new(chosen)))
    }

    fn choose(&self, block: Block) -> Result<Block, DataError> {
        let Block::Csr(rows) = block else {
            return Err(DataError::Invalid { what: "dense rows of a compressed matrix".into() });
        };
        let (mut indptr, mut indices) = (vec![0u64], Vec::new());
        let shape = (rows.shape().0, self.kept.len());
        with_values!(rows.values(), v => {
            let mut kept = Vec::new();
            for w in rows.indptr().windows(2) {
                for i in w[0] as usize..w[1] as usize {
                    let to = self.position[rows.indices()[i] as usize];
                    if to != u32::MAX {
                        indices.push(to);
                        kept.push(v[i]);
                    }
                }
                indptr.push(indices.len() as u64);
            }
            Ok(Block::Csr(Sparse::new(Layout::Csr, shape, indptr, indices, Element::wrap(kept))?))
        })
    }
}

impl RowSource for Chosen {
    fn shape(&self) -> (usize, usize) {
        (self.inner.shape().0, self.kept.len())
    }

    fn dtype(&self) -> DType {
        self.inner.dtype()
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        Some(self.nnz)
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        self.choose(self.inner.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        self.inner.stream(memory, &mut |start, block| sink(start, self.choose(block)?))
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let len = self.kept.len();
        let of = |&c: &usize| {
            self.kept.get(c).copied().ok_or(DataError::OutOfRange { what: "column", index: c, len })
        };
        let columns = columns.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        self.inner.columns(&columns, sink)
    }
}
