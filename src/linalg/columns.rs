//! Columns as trees look at them: sorted once, zeros left out.

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::SparseRows;

/// A value that is not zero, and its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) value: f32,
}

/// A column has its values row by row as well when it has more of them than one row in so many.
const SPARSE: usize = 16;

/// Lists this short are read whole at every node anyway.
const SHORT: usize = 32;

/// All columns, each as its values other than zero from the smallest to the largest.
pub(super) struct Columns {
    rows: usize,
    starts: Vec<usize>,
    entries: Vec<Entry>,
    /// Number of values below zero in each column.
    below: Vec<usize>,
    /// Where the values of a column start in `dense`.
    dense_at: Vec<Option<usize>>,
    dense: Vec<f32>,
}

/// One column.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    /// Values below zero, the smallest first.
    pub(super) negative: &'a [Entry],
    /// Values above zero, the smallest first.
    pub(super) positive: &'a [Entry],
    /// All values by row, for columns with many.
    pub(super) dense: Option<&'a [f32]>,
}

impl Columns {
    pub(super) fn from_dense(x: ArrayView2<'_, f32>) -> Self {
        let lists = (0..x.ncols()).into_par_iter().map(|j| {
            let column = x.column(j);
            let entries = column.iter().enumerate().filter(|(_, v)| **v != 0.0);
            sorted(entries.map(|(r, &value)| Entry { row: r as u32, value }).collect())
        });
        Self::from_lists(x.nrows(), lists.collect())
    }

    pub(super) fn from_sparse(x: &SparseRows) -> Self {
        let turned = x.transposed();
        let lists = (0..x.columns()).into_par_iter().map(|j| {
            let (rows, values) = turned.row(j);
            sorted(rows.iter().zip(values).map(|(&row, &value)| Entry { row, value }).collect())
        });
        Self::from_lists(x.rows(), lists.collect())
    }

    fn from_lists(rows: usize, lists: Vec<Vec<Entry>>) -> Self {
        let mut out = Self {
            rows,
            starts: vec![0],
            entries: Vec::with_capacity(lists.iter().map(Vec::len).sum()),
            below: Vec::with_capacity(lists.len()),
            dense_at: Vec::with_capacity(lists.len()),
            dense: Vec::new(),
        };
        for list in lists {
            out.below.push(list.partition_point(|e| e.value < 0.0));
            out.dense_at.push((list.len() > (rows / SPARSE).max(SHORT)).then(|| {
                let at = out.dense.len();
                out.dense.resize(at + rows, 0.0);
                list.iter().for_each(|e| out.dense[at + e.row as usize] = e.value);
                at
            }));
            out.entries.extend(list);
            out.starts.push(out.entries.len());
        }
        out
    }

    pub(super) fn len(&self) -> usize {
        self.below.len()
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn column(&self, j: usize) -> Column<'_> {
        let (negative, positive) = self.entries[self.starts[j]..self.starts[j + 1]].split_at(self.below[j]);
        Column { negative, positive, dense: self.dense_at[j].map(|at| &self.dense[at..at + self.rows]) }
    }
}

impl Column<'_> {
    /// Number of values other than zero.
    pub(super) fn len(&self) -> usize {
        self.negative.len() + self.positive.len()
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    // Stable, so that equal values stay in the order of rows.
    entries.sort_by(|a, b| a.value.total_cmp(&b.value));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn dense_and_sparse_rows_give_the_same_columns() {
        let x =
            Array2::from_shape_fn((70, 2), |(i, j)| if j == 0 { i as f32 - 30.0 } else { f32::from(i == 9) });
        let mut s = SparseRows::empty(2);
        x.rows().into_iter().for_each(|r| s.push(r.iter().enumerate().map(|(j, &v)| (j as u32, v))));
        for c in [Columns::from_dense(x.view()), Columns::from_sparse(&s)] {
            assert_eq!((c.rows(), c.len()), (70, 2));
            let (a, b) = (c.column(0), c.column(1));
            assert_eq!((a.negative.len(), a.positive.len(), b.len()), (30, 39, 1));
            assert!(a.positive.windows(2).all(|w| w[0].value < w[1].value));
            assert_eq!(a.dense.unwrap()[3], -27.0);
            assert!(b.dense.is_none() && b.positive[0].row == 9);
        }
    }
}
