//! Half-precision floats as single ones, on the way to a file: readers of 10x files do not take the former.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use crate::data::{Block, BlockSink, DType, DataError, Layout, Matrix, RowSource, Sparse, Values};

/// A compressed matrix in a type that readers take: `float16` becomes `float32`, which holds all of its values.
pub(super) fn widened(x: Matrix) -> Matrix {
    if x.dtype() == DType::F16 { Matrix::OnDisk(Arc::new(Wide(x))) } else { x }
}

/// A compressed matrix of half-precision floats seen as rows of single ones.
#[derive(Debug)]
struct Wide(Matrix);

fn wide(block: Block) -> Result<Block, DataError> {
    let Block::Csr(s) = block else {
        return Err(DataError::Invalid { what: "dense rows of a compressed matrix".into() });
    };
    let values = s.values().iter().map(|x| x as f32).collect();
    let (indptr, indices) = (s.indptr().to_vec(), s.indices().to_vec());
    Ok(Block::Csr(Sparse::new(Layout::Csr, s.shape(), indptr, indices, Values::F32(values))?))
}

impl RowSource for Wide {
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn dtype(&self) -> DType {
        DType::F32
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        self.0.nnz()
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        wide(self.0.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        self.0.stream(memory, &mut |start, block| sink(start, wide(block)?))
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.0.columns(columns, sink)
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn half_precision_becomes_single_with_the_same_values() {
        let v = [0.1f32, f32::from(f16::MAX), f32::from(f16::MIN_POSITIVE)].map(f16::from_f32);
        let s = Sparse::new(Layout::Csc, (2, 2), vec![0, 2, 3], vec![0, 1, 0], Values::F16(v.to_vec()));
        let m = widened(Matrix::Sparse(s.unwrap()));
        assert_eq!((m.dtype(), m.layout(), m.nnz()), (DType::F32, Layout::Csr, Some(3)));
        let mut rows = Vec::new();
        m.stream(1 << 20, &mut |_, b| {
            let Block::Csr(s) = b else { panic!("dense") };
            rows.extend(s.values().iter());
            Ok(())
        })
        .unwrap();
        assert_eq!(rows, [v[0], v[2], v[1]].map(f64::from));
    }
}
