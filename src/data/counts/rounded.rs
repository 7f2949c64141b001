//! Values rounded to whole numbers.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::data::{
    Block, BlockSink, DType, DataError, Dense, Element, Layout, Matrix, RowSource, Sparse, Values,
};
use crate::with_values;

/// What rounding changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Rounded {
    /// How many values.
    pub changed: u64,
    /// By how much at most.
    pub most: f64,
}

impl Rounded {
    /// The nearest whole number; of two, the even one, as R and numpy round.
    pub(super) fn take(&mut self, value: f64) -> f64 {
        let whole = value.round_ties_even();
        if whole != value {
            self.changed += 1;
            self.most = self.most.max((whole - value).abs());
        }
        whole
    }

    /// In words.
    pub fn words(&self) -> String {
        match self.changed {
            0 => "all values were whole numbers, none was rounded".into(),
            n => format!("{n} values were rounded to whole numbers, by {:.4} at most", self.most),
        }
    }
}

/// A matrix whose values are rounded when it is walked through, in its own element type; entries that become zero stay
/// stored. What it changes is counted in one walk.
///
/// # Errors
/// [`DataError`] when the matrix cannot be read.
pub fn rounded(base: &Matrix, memory: u64) -> Result<(Matrix, Rounded), DataError> {
    let mut all = Rounded::default();
    base.stream(memory, &mut |_, block| {
        let values = match &block {
            Block::Dense(d) => d.values(),
            Block::Csr(s) => s.values(),
        };
        values.iter().for_each(|v| {
            all.take(v);
        });
        Ok(())
    })?;
    let view = if all.changed == 0 { base.clone() } else { Matrix::OnDisk(Arc::new(View(base.clone()))) };
    Ok((view, all))
}

#[derive(Debug)]
struct View(Matrix);

fn whole(values: &Values) -> Values {
    fn each<T: Element>(v: &[T]) -> Values {
        T::wrap(v.to_vec())
    }
    match values {
        Values::F32(v) => Values::F32(v.iter().map(|x| x.round_ties_even()).collect()),
        Values::F64(v) => Values::F64(v.iter().map(|x| x.round_ties_even()).collect()),
        Values::F16(v) => Values::F32(v.iter().map(|x| x.to_f32().round_ties_even()).collect()),
        other => with_values!(other, v => each(v)),
    }
}

fn of(block: &Block) -> Result<Block, DataError> {
    Ok(match block {
        Block::Dense(d) => Block::Dense(Dense::new(d.shape().0, d.shape().1, whole(d.values()))?),
        Block::Csr(s) => Block::Csr(Sparse::new(
            Layout::Csr,
            s.shape(),
            s.indptr().to_vec(),
            s.indices().to_vec(),
            whole(s.values()),
        )?),
    })
}

impl RowSource for View {
    fn shape(&self) -> (usize, usize) {
        self.0.shape()
    }

    fn dtype(&self) -> DType {
        if self.0.dtype() == DType::F16 { DType::F32 } else { self.0.dtype() }
    }

    fn layout(&self) -> Layout {
        if self.0.layout() == Layout::Dense { Layout::Dense } else { Layout::Csr }
    }

    fn nnz(&self) -> Option<u64> {
        self.0.nnz()
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        self.0.row_pointers()
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        of(&self.0.rows(range)?)
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        self.0.stream(memory, &mut |start, block| sink(start, of(&block)?))
    }
}
