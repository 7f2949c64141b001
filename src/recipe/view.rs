//! Values changed while a matrix is walked through: the base stays as it is, on disk or in memory.

use std::ops::Range;
use std::sync::Arc;

use ndarray::Array2;

use super::logicle::Logicle;
use crate::data::{
    Block, BlockSink, DType, DataError, Dense, Layout, Matrix, RowSource, Sparse, Values, rows_per_run,
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
    /// `zero · 10^(decades · x / range)`.
    Decades { decades: f64, zero: f64, range: f64 },
    /// x / gain.
    Gain(f64),
}

impl Curve {
    fn at(&self, x: f64) -> f64 {
        match self {
            Curve::Keep => x,
            Curve::Arcsinh(cofactor) => (x / cofactor).asinh(),
            Curve::Logicle(scale) => scale.scale(x),
            Curve::Decades { decades, zero, range } => zero * 10f64.powf(decades * x / range),
            Curve::Gain(gain) => x / gain,
        }
    }

    /// Whether zero stays zero.
    fn keeps_zero(&self) -> bool {
        matches!(self, Curve::Keep | Curve::Arcsinh(_) | Curve::Gain(_))
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
    /// The chosen columns times a square matrix.
    Mix { columns: Arc<[usize]>, matrix: Arc<Array2<f64>> },
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
        Op::Scale { .. } | Op::Mix { .. } => false,
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
            Op::Mix { .. } => x,
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
        if let Op::Mix { columns, matrix } = &self.op {
            mix(&mut x, columns, matrix);
        } else {
            for ((row, column), x) in x.indexed_iter_mut() {
                *x = self.at(start + row, column, *x);
            }
        }
        let (rows, columns) = x.dim();
        Ok(Block::Dense(Dense::new(rows, columns, self.values(x.into_iter()))?))
    }
}

fn mix(x: &mut Array2<f64>, columns: &[usize], matrix: &Array2<f64>) {
    let mut old = vec![0.0; columns.len()];
    for mut row in x.rows_mut() {
        for (o, &c) in old.iter_mut().zip(columns) {
            *o = row[c];
        }
        for (&c, by) in columns.iter().zip(matrix.columns()) {
            row[c] = old.iter().zip(by).map(|(o, b)| o * b).sum();
        }
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
            if self.layout == Layout::Csr || block.len() <= step {
                return sink(start, self.block(start, &block)?);
            }
            let rows = block.len();
            let run = match block {
                Block::Dense(d) => Matrix::Dense(d),
                Block::Csr(s) => Matrix::Sparse(s),
            };
            for from in (0..rows).step_by(step) {
                let part = run.rows(from..(from + step).min(rows))?;
                sink(start + from, self.block(start + from, &part)?)?;
            }
            Ok(())
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
        if let Op::Mix { .. } = &self.op {
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
