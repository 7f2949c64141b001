//! Values changed while a matrix is walked through: the base stays as it is, on disk or in memory.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use super::logicle::Logicle;
use crate::data::{
    Amplifier, Block, BlockSink, Compensation, DType, DataError, Dense, Layout, Matrix, RowSource, Sparse,
    Values, in_runs, rows_per_run,
};

/// A change of one value that depends on its column alone.
#[derive(Debug, Clone)]
pub(super) enum Curve {
    /// As it is.
    Keep,
    /// arcsinh(x / cofactor).
    Arcsinh(f64),
    /// The logicle scale.
    Logicle(Arc<Logicle>),
    /// Undoes an amplifier.
    Linear(Amplifier),
}

impl Curve {
    fn at(&self, x: f64) -> f64 {
        match self {
            Curve::Keep => x,
            Curve::Arcsinh(cofactor) => (x / cofactor).asinh(),
            Curve::Logicle(scale) => scale.scale(x),
            Curve::Linear(amplifier) => amplifier.linear(x),
        }
    }

    /// Whether zero stays zero.
    fn keeps_zero(&self) -> bool {
        match self {
            Curve::Keep | Curve::Arcsinh(_) => true,
            Curve::Linear(amplifier) => amplifier.decades == 0.0,
            Curve::Logicle(_) => false,
        }
    }
}

/// What is done to each row.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Divides each row by its own number.
    Divide(Arc<[f64]>),
    /// ln(1 + x).
    Log1p,
    /// One curve for each column.
    Curves(Arc<[Curve]>),
    /// (x − mean) / sd of the column, cut at the third.
    Scale { mean: Arc<[f64]>, sd: Arc<[f64]>, max: Option<f64> },
    /// Spillover taken out of these columns.
    Compensate { columns: Arc<[usize]>, compensation: Arc<Compensation> },
}

/// A matrix with changed values.
#[derive(Debug)]
struct Mapped {
    base: Matrix,
    op: Op,
    dtype: DType,
    layout: Layout,
}

/// `base` with changed values, in `dtype` (`float32` or `float64`).
pub(super) fn mapped(base: Matrix, op: Op, dtype: DType) -> Matrix {
    let keeps_zero = match &op {
        Op::Divide(_) | Op::Log1p => true,
        Op::Curves(curves) => curves.iter().all(Curve::keeps_zero),
        Op::Scale { .. } | Op::Compensate { .. } => false,
    };
    let layout = if base.layout() == Layout::Dense || !keeps_zero { Layout::Dense } else { Layout::Csr };
    let dtype = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
    Matrix::OnDisk(Arc::new(Mapped { base, op, dtype, layout }))
}

impl Mapped {
    /// A new value, in the precision of the result.
    fn at(&self, row: usize, column: usize, x: f64) -> f64 {
        let single = self.dtype == DType::F32;
        match &self.op {
            Op::Divide(by) => {
                let by = by.get(row).copied().unwrap_or(1.0);
                if single { f64::from(x as f32 / by as f32) } else { x / by }
            }
            // Taken in double precision and rounded once: the same bits on every machine.
            Op::Log1p => x.ln_1p(),
            Op::Curves(curves) => curves.get(column).map_or(x, |c| c.at(x)),
            Op::Scale { mean, sd, max } => {
                let (m, s) =
                    (mean.get(column).copied().unwrap_or(0.0), sd.get(column).copied().unwrap_or(1.0));
                let z = (x - m) / s;
                max.map_or(z, |max| z.clamp(-max, max))
            }
            Op::Compensate { .. } => x,
        }
    }

    fn values(&self, all: impl Iterator<Item = f64>) -> Values {
        match self.dtype {
            DType::F64 => Values::F64(all.collect()),
            _ => Values::F32(all.map(|x| x as f32).collect()),
        }
    }

    /// Rows of the base, the first of which is `start`.
    fn block(&self, start: usize, block: &Block) -> Result<Block, DataError> {
        if let (Layout::Csr, Block::Csr(s)) = (self.layout, block) {
            let mut out = Vec::with_capacity(s.values().len());
            super::stats::each(block, |row, column, x| out.push(self.at(start + row, column, x)));
            let values = self.values(out.into_iter());
            return Ok(Block::Csr(Sparse::new(
                Layout::Csr,
                s.shape(),
                s.indptr().to_vec(),
                s.indices().to_vec(),
                values,
            )?));
        }
        let mut x = block.to_f64();
        if let Op::Compensate { columns, compensation } = &self.op {
            compensation.apply(&mut x, columns)?;
        } else {
            for ((row, column), x) in x.indexed_iter_mut() {
                *x = self.at(start + row, column, *x);
            }
        }
        let (rows, columns) = x.dim();
        Ok(Block::Dense(Dense::new(rows, columns, self.values(x.into_iter()))?))
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
        self.layout
    }

    fn nnz(&self) -> Option<u64> {
        if self.layout == Layout::Dense { None } else { self.base.nnz() }
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        if self.layout == Layout::Dense { None } else { self.base.row_pointers() }
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        self.block(range.start, &self.base.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        // A run of sparse rows can be many times larger once its zeros are there.
        let step = rows_per_run(memory, 16 * self.shape().1 as u64);
        self.base.stream(memory, &mut |start, block| {
            let step = if self.layout == Layout::Csr { usize::MAX } else { step };
            in_runs(start, block, step, &mut |from, part| sink(from, self.block(from, &part)?))
        })
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        if let Some(&index) = columns.iter().find(|&&c| c >= self.shape().1) {
            return Err(DataError::OutOfRange { what: "column", index, len: self.shape().1 });
        }
        if let Op::Compensate { .. } = &self.op {
            return self.stream(64 << 20, &mut |start, block| {
                sink(start, block.to_f64().select(ndarray::Axis(1), columns))
            });
        }
        self.base.columns(columns, &mut |start, mut block| {
            for ((row, k), x) in block.indexed_iter_mut() {
                let new = self.at(start + row, columns[k], *x);
                *x = if self.dtype == DType::F32 { f64::from(new as f32) } else { new };
            }
            sink(start, block)
        })
    }
}
