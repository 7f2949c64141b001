//! Matrices of the same rows one beside the other, put together while they are walked through.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Axis, concatenate};

use super::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, RowSource, Values, in_runs, rows_per_run,
};

#[derive(Debug)]
struct Beside {
    first: Matrix,
    others: Vec<Matrix>,
    dtype: DType,
    columns: usize,
}

/// The columns of `first`, then those of the `others`: dense, unread, in `float32`, `float64` or `uint32`.
///
/// # Errors
/// [`DataError::Length`] when one has another number of rows.
pub fn beside(first: Matrix, others: Vec<Matrix>, dtype: DType) -> Result<Matrix, DataError> {
    let (rows, mut columns) = first.shape();
    for other in &others {
        let (found, more) = other.shape();
        if found != rows {
            let what = "matrix to put beside another".into();
            return Err(DataError::Length { what, expected: rows, found });
        }
        columns += more;
    }
    Ok(Matrix::OnDisk(Arc::new(Beside { first, others, dtype, columns })))
}

impl Beside {
    /// Some rows, those of the first matrix given.
    fn block(&self, start: usize, first: &Block) -> Result<Block, DataError> {
        let n = first.len();
        let mut all = vec![first.to_f64()];
        for other in &self.others {
            all.push(other.rows(start..start + n)?.to_f64());
        }
        let views: Vec<_> = all.iter().map(|m| m.view()).collect();
        let rows = concatenate(Axis(1), &views).map_err(|e| DataError::Invalid { what: e.to_string() })?;
        // What concatenate makes may lie by columns; this walks by rows.
        let values = rows.iter().copied();
        let values = match self.dtype {
            DType::F64 => Values::F64(values.collect()),
            DType::U32 => Values::U32(values.map(|x| x as u32).collect()),
            _ => Values::F32(values.map(|x| x as f32).collect()),
        };
        Ok(Block::Dense(Dense::new(n, self.columns, values)?))
    }
}

impl RowSource for Beside {
    fn shape(&self) -> (usize, usize) {
        (self.first.shape().0, self.columns)
    }

    fn dtype(&self) -> DType {
        match self.dtype {
            known @ (DType::F64 | DType::U32) => known,
            _ => DType::F32,
        }
    }

    fn layout(&self) -> Layout {
        Layout::Dense
    }

    fn nnz(&self) -> Option<u64> {
        None
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        self.block(range.start, &self.first.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        // Each run is in memory twice, as doubles.
        let step = rows_per_run(memory, 24 * self.columns as u64);
        self.first.stream(memory, &mut |start, block| {
            in_runs(start, block, step, &mut |from, part| sink(from, self.block(from, &part)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::data::Sparse;

    fn dense(rows: usize, columns: usize, values: Values) -> Matrix {
        Matrix::Dense(Dense::new(rows, columns, values).unwrap())
    }

    #[test]
    fn rows_are_joined_whatever_way_they_are_read() {
        let csr =
            Sparse::new(Layout::Csr, (3, 2), vec![0, 1, 1, 2], vec![1, 0], Values::F32(vec![1.5, -2.0]));
        let others = vec![Matrix::Sparse(csr.unwrap()), dense(3, 1, Values::F64(vec![7.0, f64::NAN, 9.0]))];
        let m = beside(dense(3, 1, Values::U16(vec![1, 2, 3])), others, DType::F32).unwrap();
        assert_eq!((m.shape(), m.dtype()), ((3, 4), DType::F32));
        let whole = m.rows(0..3).unwrap().to_f64();
        assert_eq!(whole.row(0).to_vec(), [1.0, 0.0, 1.5, 7.0]);
        assert_eq!(whole.row(2).to_vec(), [3.0, -2.0, 0.0, 9.0]);
        assert!(whole[(1, 3)].is_nan());
        let mut starts = Vec::new();
        m.stream(1, &mut |start, block| {
            starts.push(start);
            assert_eq!(block.to_f64().row(0).to_vec()[..3], whole.row(start).to_vec()[..3]);
            Ok(())
        })
        .unwrap();
        assert_eq!(starts, [0, 1, 2]);
        let mut picked = Vec::new();
        m.columns(&[2, 0], &mut |_, block| {
            picked.push(block);
            Ok(())
        })
        .unwrap();
        assert_eq!(picked, [array![[1.5, 1.0], [0.0, 2.0], [0.0, 3.0]]]);
        let short = beside(
            dense(3, 1, Values::U8(vec![1, 2, 3])),
            vec![dense(1, 1, Values::U8(vec![1]))],
            DType::F32,
        );
        assert!(short.unwrap_err().to_string().contains("expected 3"));
    }
}
