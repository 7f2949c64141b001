//! Values known of some cells only, at the rows of all of them.

use std::ops::Range;

use half::f16;

use crate::data::{Block, DType, DataError, Dense, Layout, RowSource, Take, Values};

/// The rows of a small matrix of floats at their cells; NaN at all other cells, which are made only when asked for.
#[derive(Debug)]
pub(super) struct Spread {
    held: Dense,
    take: Take,
}

impl Spread {
    /// `take` says for each cell which row of `held` is its own. Whole numbers become floats, to have a NaN.
    pub(super) fn new(held: &Dense, take: Take) -> Result<Self, DataError> {
        let (rows, columns) = held.shape();
        let values = match held.values() {
            v if v.dtype().is_float() => v.clone(),
            v => Values::F64(v.iter().collect()),
        };
        Ok(Self { held: Dense::new(rows, columns, values)?, take })
    }
}

impl RowSource for Spread {
    fn shape(&self) -> (usize, usize) {
        (self.take.len(), self.held.shape().1)
    }

    fn dtype(&self) -> DType {
        self.held.values().dtype()
    }

    fn layout(&self) -> Layout {
        Layout::Dense
    }

    fn nnz(&self) -> Option<u64> {
        None
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let (n, columns) = self.shape();
        if range.start > range.end || range.end > n {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: n });
        }
        let rows: Vec<Option<usize>> = range.map(|i| self.take.get(i)).collect();
        let values = match self.held.values() {
            Values::F32(v) => Values::F32(spread(v, &rows, columns, f32::NAN)),
            Values::F16(v) => Values::F16(spread(v, &rows, columns, f16::NAN)),
            Values::F64(v) => Values::F64(spread(v, &rows, columns, f64::NAN)),
            other => other.clone(),
        };
        Ok(Block::Dense(Dense::new(rows.len(), columns, values)?))
    }
}

fn spread<T: Copy>(held: &[T], rows: &[Option<usize>], columns: usize, gap: T) -> Vec<T> {
    let mut out = vec![gap; rows.len() * columns];
    for (to, row) in out.chunks_mut(columns.max(1)).zip(rows) {
        if let Some(from) = row.and_then(|r| held.get(r * columns..(r + 1) * columns)) {
            to.copy_from_slice(from);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_at_their_cells_and_others_are_nan() {
        let held = Dense::new(2, 2, Values::I32(vec![1, 2, 3, 4])).unwrap();
        let m = Spread::new(&held, Take::new(2, vec![None, Some(1), Some(0)]).unwrap()).unwrap();
        assert_eq!((m.shape(), m.dtype()), ((3, 2), DType::F64));
        let Block::Dense(rows) = m.rows(0..3).unwrap() else { panic!("not dense") };
        let Values::F64(v) = rows.values() else { panic!("not f64") };
        assert!(v[..2].iter().all(|x| x.is_nan()));
        assert_eq!(v[2..], [3.0, 4.0, 1.0, 2.0]);
        assert!(m.rows(2..4).is_err());
    }
}
