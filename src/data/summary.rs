//! What the values of each column look like, from a bounded number of rows: enough to tell a measured intensity from an
//! id, a label or a clock.

use std::ops::Range;

use ndarray::{Array2, Axis};

use super::{Block, DataError, Dense, Layout, Matrix, csr_slice, slice};

/// Rows looked at in each of two places: at the start and in the middle.
const ROWS: usize = 1000;

/// What the values of one column look like. Values that are no finite numbers do not count.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Summary {
    /// Finite values looked at.
    pub n: usize,
    /// Whether all of them are whole numbers.
    pub whole: bool,
    /// How many of them differ.
    pub distinct: usize,
    /// The smallest; 0 without values.
    pub least: f64,
    /// The largest; 0 without values.
    pub most: f64,
    /// Whether none is smaller than the one before it.
    pub rising: bool,
    /// Whether no value is more frequent than the smallest, as with counts of a rare signal.
    pub mostly_least: bool,
}

impl Summary {
    /// Looks at values in their order.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let all: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        let rising = all.windows(2).all(|w| w[0] <= w[1]);
        let mut sorted = all;
        sorted.sort_unstable_by(f64::total_cmp);
        let runs: Vec<usize> = sorted.chunk_by(|a, b| a == b).map(<[f64]>::len).collect();
        Self {
            n: sorted.len(),
            whole: sorted.iter().all(|v| v.fract() == 0.0),
            distinct: runs.len(),
            least: sorted.first().copied().unwrap_or(0.0),
            most: sorted.last().copied().unwrap_or(0.0),
            rising,
            mostly_least: runs.first().is_none_or(|first| runs.iter().all(|n| n <= first)),
        }
    }
}

impl Matrix {
    /// A summary of each column, from the first thousand rows and a thousand from the middle on.
    ///
    /// # Errors
    /// [`DataError`] when the file cannot be read.
    pub fn summaries(&self) -> Result<Vec<Summary>, DataError> {
        let (n, columns) = self.shape();
        let middle = (n / 2).max(ROWS.min(n));
        let wanted = [0..ROWS.min(n), middle..(middle + ROWS).min(n)];
        let mut parts: Vec<Array2<f64>> = Vec::new();
        for rows in wanted.into_iter().filter(|r| !r.is_empty()) {
            parts.push(self.some_rows(rows)?);
        }
        let column = |j: usize| parts.iter().flat_map(move |p| p.column(j).to_vec());
        Ok((0..columns).map(|j| Summary::of(column(j))).collect())
    }

    /// Some rows as `f64`; of a matrix compressed by columns, by a walk through all of it.
    fn some_rows(&self, rows: Range<usize>) -> Result<Array2<f64>, DataError> {
        match self {
            Matrix::OnDisk(source) => Ok(source.rows(rows)?.to_f64()),
            Matrix::Dense(m) => {
                let columns = m.shape().1;
                let values = slice(m.values(), rows.start * columns..rows.end * columns);
                Ok(Block::Dense(Dense::new(rows.len(), columns, values)?).to_f64())
            }
            Matrix::Sparse(m) if m.layout() == Layout::Csr => Ok(Block::Csr(csr_slice(m, rows)?).to_f64()),
            Matrix::Sparse(_) => {
                let mut out = Array2::zeros((0, 0));
                let all: Vec<usize> = (0..self.shape().1).collect();
                self.columns(&all, &mut |_, run| {
                    // Columns come in one piece.
                    out = run.slice_axis(Axis(0), (rows.start..rows.end).into()).to_owned();
                    Ok(())
                })?;
                Ok(out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dense, Values};
    use super::*;

    #[test]
    fn labels_clocks_and_intensities_look_different() {
        let of = |f: fn(usize) -> f64| Summary::of((0..200).map(f));
        let label = of(|i| (i * 7 % 5 + 1) as f64);
        assert!(
            label.whole && !label.rising && label.distinct == 5 && label.least == 1.0 && label.most == 5.0
        );
        let clock = of(|i| (i / 2) as f64 * 0.3);
        assert!(clock.rising && !clock.whole && clock.distinct == 100);
        let rare = of(|i| if i % 3 == 0 { (i % 4) as f64 } else { 0.0 });
        assert!(rare.mostly_least && rare.whole && !of(|i| (i % 7).min(2) as f64).mostly_least);
    }

    #[test]
    fn what_is_not_finite_does_not_count_and_no_values_are_no_trouble() {
        let s = Summary::of([f64::NAN, 2.0, f64::INFINITY, 1.0].into_iter());
        assert_eq!((s.n, s.distinct, s.least, s.most, s.rising), (2, 2, 1.0, 2.0, false));
        assert_eq!(Summary::of(std::iter::empty()).n, 0);
    }

    #[test]
    fn the_start_and_the_middle_of_a_long_matrix_are_looked_at_in_order() {
        let x = Matrix::Dense(
            Dense::new(20_000, 1, Values::F32((0..20_000).map(|i| i as f32).collect())).unwrap(),
        );
        let s = x.summaries().unwrap()[0];
        assert_eq!((s.n, s.least, s.most, s.rising), (2000, 0.0, 10_999.0, true));
        let short = Matrix::Dense(Dense::new(3, 1, Values::F32(vec![1.0, 2.0, 3.0])).unwrap());
        assert_eq!(short.summaries().unwrap()[0].n, 3);
    }
}
