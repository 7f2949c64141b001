//! Principal components of rows that are mostly zero: any number of columns, nothing made dense.

use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use super::{LinalgError, Pca, SparseRows, lanczos};
use crate::rng::Seed;

/// Rows or columns one thread takes at a time.
const CHUNK: usize = 256;

impl Pca {
    /// Fits `k` components, as [`Pca::fit`] does on the same values; neither a covariance nor a dense copy is made. `seed`
    /// starts the search for eigenvectors; it changes last bits only.
    ///
    /// # Errors
    /// Fewer than two rows, `k` outside 1 to the smaller side of `x`, or no convergence.
    pub fn fit_sparse(x: &SparseRows, k: usize, seed: Seed) -> Result<Self, LinalgError> {
        let (rows, columns) = (x.rows(), x.columns());
        if rows < 2 {
            return Err(LinalgError::TooFewRows { found: rows, needed: 2 });
        }
        if k == 0 || k > rows.min(columns) {
            return Err(LinalgError::Components { asked: k, rows, columns });
        }
        if let Some((row, column, value)) = x.first_not_finite() {
            return Err(LinalgError::NotFinite { row, column, value: f64::from(value) });
        }
        let mean = x.means();
        let total: f64 = x.variances().iter().sum::<f64>() * rows as f64;
        let turned = x.transposed();
        // Products of the centred rows with each other: as many eigenvalues as the covariance has.
        let product = |v: &[f64]| {
            let at_columns = down(&turned, &mean, v);
            across(x, &mean, &at_columns)
        };
        let (values, vectors) = lanczos::largest(rows, k, seed, product)?;
        let mut components = Array2::zeros((k, columns));
        let (mut explained, mut variance) = (Vec::with_capacity(k), Vec::with_capacity(k));
        for ((value, vector), mut to) in values.iter().zip(&vectors).zip(components.rows_mut()) {
            let value = value.max(0.0);
            variance.push(value / (rows as f64 - 1.0));
            explained.push(if total > 0.0 { value / total } else { 0.0 });
            let along = down(&turned, &mean, vector);
            let norm = along.iter().map(|v| v * v).sum::<f64>().sqrt();
            // No variance is left: a direction as good as none, of length zero.
            if norm > 0.0 && value > 1e-12 * total {
                let sign = super::pca::leading_loading(along.iter().copied()).signum();
                to.iter_mut().zip(&along).for_each(|(t, v)| *t = sign * v / norm);
            }
        }
        Ok(Pca { mean, components, explained, variance })
    }

    /// Coordinates of each row on the components.
    ///
    /// # Errors
    /// Another number of columns than fitted on.
    pub fn transform_sparse(&self, x: &SparseRows) -> Result<Array2<f64>, LinalgError> {
        if x.columns() != self.mean.len() {
            return Err(LinalgError::Columns { expected: self.mean.len(), found: x.columns() });
        }
        let k = self.components.nrows();
        let origin = self.components.dot(&Array1::from(self.mean.clone()));
        // Gene by gene, so that a value of a row touches one run of memory.
        let by_column = self.components.t().as_standard_layout().into_owned();
        let mut out = Array2::zeros((x.rows(), k));
        out.axis_chunks_iter_mut(Axis(0), CHUNK).into_par_iter().enumerate().for_each(|(c, mut chunk)| {
            for (r, mut to) in chunk.rows_mut().into_iter().enumerate() {
                let (indices, values) = x.row(c * CHUNK + r);
                to.assign(&origin.mapv(|v| -v));
                for (&j, &v) in indices.iter().zip(values) {
                    to.scaled_add(f64::from(v), &by_column.row(j as usize));
                }
            }
        });
        Ok(out)
    }
}

/// Centred columns times a vector over rows; `turned` holds columns as rows.
fn down(turned: &SparseRows, mean: &[f64], v: &[f64]) -> Vec<f64> {
    let sum: f64 = v.iter().sum();
    let each = |j: usize| inner(turned, j, v) - mean[j] * sum;
    (0..turned.rows()).into_par_iter().with_min_len(CHUNK).map(each).collect()
}

/// Centred rows times a vector over columns.
fn across(x: &SparseRows, mean: &[f64], v: &[f64]) -> Vec<f64> {
    let shift: f64 = mean.iter().zip(v).map(|(m, v)| m * v).sum();
    (0..x.rows()).into_par_iter().with_min_len(CHUNK / 8).map(|i| inner(x, i, v) - shift).collect()
}

fn inner(x: &SparseRows, row: usize, v: &[f64]) -> f64 {
    let (indices, values) = x.row(row);
    indices.iter().zip(values).map(|(&j, &a)| f64::from(a) * v[j as usize]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(rows: usize, columns: usize) -> SparseRows {
        let mut s = Seed(3).stream("sparse");
        let mut x = SparseRows::empty(columns);
        for i in 0..rows {
            let group = (i % 3) as f64;
            let value = |s: &mut crate::rng::Stream, j: usize| {
                let chance = if j % 3 == i % 3 { 0.6 } else { 0.15 };
                if s.uniform() < chance { (1.0 + group + s.uniform()) as f32 } else { 0.0 }
            };
            x.push((0..columns).map(|j| (j as u32, value(&mut s, j))).collect::<Vec<_>>());
        }
        x
    }

    /// Wide and tall: the same components as through the covariance.
    #[test]
    fn components_equal_those_of_the_dense_matrix() {
        for (rows, columns) in [(40, 90), (120, 30)] {
            let x = example(rows, columns);
            let dense = x.dense();
            let (a, b) = (Pca::fit(dense.view(), 6).unwrap(), Pca::fit_sparse(&x, 6, Seed(0)).unwrap());
            for (x, y) in a.mean.iter().zip(&b.mean) {
                assert!((x - y).abs() < 1e-9);
            }
            for i in 0..6 {
                assert!((a.variance[i] / b.variance[i] - 1.0).abs() < 1e-8, "{i}");
                assert!((a.explained[i] - b.explained[i]).abs() < 1e-9);
            }
            assert!(a.components.iter().zip(&b.components).all(|(x, y)| (x - y).abs() < 1e-6));
            let (t, u) = (a.transform(dense.view()).unwrap(), b.transform_sparse(&x).unwrap());
            assert!(t.iter().zip(&u).all(|(x, y)| (x - y).abs() < 1e-5));
        }
    }

    #[test]
    fn threads_change_nothing_and_rows_without_variance_give_no_nan() {
        let x = example(60, 80);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Pca::fit_sparse(&x, 5, Seed(0)).unwrap())
        };
        assert_eq!(on(1), on(3));
        let mut flat = SparseRows::empty(4);
        (0..5).for_each(|_| flat.push([(1, 2.0)]));
        let p = Pca::fit_sparse(&flat, 2, Seed(0)).unwrap();
        assert!(p.transform_sparse(&flat).unwrap().iter().all(|v| v.abs() < 1e-9));
        assert!(Pca::fit_sparse(&flat, 5, Seed(0)).is_err());
    }
}
