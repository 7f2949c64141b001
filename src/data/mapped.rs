//! A matrix whose columns are computed anew while it is walked through.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use super::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, RowSource, Values, in_runs, rows_per_run,
};

/// New value of a value, by its column.
type Map = dyn Fn(usize, f64) -> f64 + Send + Sync;

struct Mapped {
    base: Matrix,
    dtype: DType,
    columns: Vec<usize>,
    map: Box<Map>,
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped")
            .field("base", &self.base)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Matrix {
    /// This matrix, dense and still unread, with `map(column, value)` in place of each value of some columns. `dtype` is U32 or
    /// F32 where these hold all values, else F64.
    pub fn mapped(
        self,
        dtype: DType,
        columns: Vec<usize>,
        map: impl Fn(usize, f64) -> f64 + Send + Sync + 'static,
    ) -> Matrix {
        Matrix::OnDisk(Arc::new(Mapped { base: self, dtype, columns, map: Box::new(map) }))
    }
}

impl Mapped {
    fn block(&self, block: &Block) -> Result<Block, DataError> {
        let mut rows = block.to_f64();
        for &column in &self.columns {
            rows.column_mut(column).mapv_inplace(|x| (self.map)(column, x));
        }
        let (n, columns) = rows.dim();
        let values = match self.dtype {
            DType::U32 => Values::U32(rows.into_iter().map(|x| x as u32).collect()),
            DType::F32 => Values::F32(rows.into_iter().map(|x| x as f32).collect()),
            _ => Values::F64(rows.into_iter().collect()),
        };
        Ok(Block::Dense(Dense::new(n, columns, values)?))
    }
}

impl RowSource for Mapped {
    fn shape(&self) -> (usize, usize) {
        self.base.shape()
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        Layout::Dense
    }

    fn nnz(&self) -> Option<u64> {
        None
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        self.block(&self.base.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let step = rows_per_run(memory, 16 * self.shape().1 as u64);
        self.base.stream(memory, &mut |start, block| {
            in_runs(start, block, step, &mut |from, part| sink(from, self.block(&part)?))
        })
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.base.columns(columns, &mut |start, mut block| {
            for (&column, mut values) in columns.iter().zip(block.columns_mut()) {
                if self.columns.contains(&column) {
                    values.mapv_inplace(|x| (self.map)(column, x));
                }
            }
            sink(start, block)
        })
    }
}
