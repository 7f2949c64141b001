//! Rows of numbers most of which are zero: what normalised counts are.

use ndarray::Array2;

/// Rows × columns in single precision, compressed by rows. Columns of a row are increasing; zeros are not stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows {
    columns: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl SparseRows {
    /// No rows of so many columns.
    pub fn empty(columns: usize) -> Self {
        Self { columns, indptr: vec![0], indices: Vec::new(), values: Vec::new() }
    }

    /// Adds a row from (column, value) pairs with increasing columns below `columns`; zeros are left out.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            debug_assert!((column as usize) < self.columns);
            if value != 0.0 {
                self.indices.push(column);
                self.values.push(value);
            }
        }
        self.indptr.push(self.indices.len());
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Number of stored values.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// Columns and values of one row.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let span = self.indptr[row]..self.indptr[row + 1];
        (&self.indices[span.clone()], &self.values[span])
    }

    /// These rows, in that order; a row may be asked for more than once.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut out = Self::empty(self.columns);
        rows.iter().for_each(|&r| out.copy_row(self, r));
        out
    }

    /// These rows of this and then those of `other`, which has the same columns.
    #[must_use]
    pub fn select_with(&self, rows: &[usize], other: &Self, others: &[usize]) -> Self {
        let mut out = self.select(rows);
        others.iter().for_each(|&r| out.copy_row(other, r));
        out
    }

    fn copy_row(&mut self, from: &Self, row: usize) {
        let (indices, values) = from.row(row);
        self.indices.extend_from_slice(indices);
        self.values.extend_from_slice(values);
        self.indptr.push(self.indices.len());
    }

    /// All values, rows × columns.
    pub fn dense(&self) -> Array2<f32> {
        let mut out = Array2::zeros((self.rows(), self.columns));
        for (r, mut to) in out.rows_mut().into_iter().enumerate() {
            let (indices, values) = self.row(r);
            for (&j, &v) in indices.iter().zip(values) {
                to[j as usize] = v;
            }
        }
        out
    }

    /// Columns as rows.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut indptr = vec![0usize; self.columns + 1];
        for &j in &self.indices {
            indptr[j as usize + 1] += 1;
        }
        for j in 0..self.columns {
            indptr[j + 1] += indptr[j];
        }
        let mut next = indptr.clone();
        let (mut indices, mut values) = (vec![0u32; self.nnz()], vec![0.0f32; self.nnz()]);
        for r in 0..self.rows() {
            let (from, v) = self.row(r);
            for (&j, &v) in from.iter().zip(v) {
                let at = &mut next[j as usize];
                (indices[*at], values[*at]) = (r as u32, v);
                *at += 1;
            }
        }
        Self { columns: self.rows(), indptr, indices, values }
    }

    /// Mean of each column.
    pub fn means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for (&j, &v) in self.indices.iter().zip(&self.values) {
            sums[j as usize] += f64::from(v);
        }
        let n = self.rows().max(1) as f64;
        sums.iter_mut().for_each(|s| *s /= n);
        sums
    }

    /// Variance of each column (rows in the denominator).
    pub fn variances(&self) -> Vec<f64> {
        let means = self.means();
        // About the mean: stored values each, zeros together.
        let (mut sums, mut stored) = (vec![0.0; self.columns], vec![0usize; self.columns]);
        for (&j, &v) in self.indices.iter().zip(&self.values) {
            let d = f64::from(v) - means[j as usize];
            sums[j as usize] += d * d;
            stored[j as usize] += 1;
        }
        let n = self.rows();
        let with_zeros = |j: usize| sums[j] + (n - stored[j]) as f64 * means[j] * means[j];
        (0..self.columns).map(|j| with_zeros(j) / n.max(1) as f64).collect()
    }

    /// The first value that is not finite: row, column, value.
    pub(super) fn first_not_finite(&self) -> Option<(usize, usize, f32)> {
        let at = self.values.iter().position(|v| !v.is_finite())?;
        let row = self.indptr.partition_point(|&p| p <= at) - 1;
        Some((row, self.indices[at] as usize, self.values[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> SparseRows {
        let mut x = SparseRows::empty(3);
        x.push([(0, 1.0), (2, -2.0)]);
        x.push([]);
        x.push([(1, 0.0), (2, 4.0)]);
        x
    }

    #[test]
    fn turning_twice_and_choosing_rows_keep_every_value() {
        let x = three();
        assert_eq!((x.rows(), x.columns(), x.nnz()), (3, 3, 3));
        assert_eq!(x.transposed().dense(), x.dense().t());
        assert_eq!(x.transposed().transposed(), x);
        assert_eq!(x.select_with(&[2], &x, &[0, 1]).dense().row(0), x.dense().row(2));
    }

    #[test]
    fn moments_count_the_zeros() {
        let x = three();
        assert_eq!(x.means(), [1.0 / 3.0, 0.0, 2.0 / 3.0]);
        let v = x.variances();
        assert!((v[0] - 2.0 / 9.0).abs() < 1e-12 && v[1] == 0.0 && (v[2] - 56.0 / 9.0).abs() < 1e-6);
    }

    #[test]
    fn a_value_that_is_no_number_is_found_by_its_place() {
        let mut x = three();
        x.push([(1, f32::NAN)]);
        assert!(matches!(x.first_not_finite(), Some((3, 1, _))));
    }
}
