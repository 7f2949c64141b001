//! Principal components through the eigenvectors of the covariance.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::eigen::eigen;
use super::{Covariance, LinalgError};

/// Rows projected at a time by one thread, so that no second copy of the data is made in f64.
const CHUNK: usize = 1024;

/// Principal components of a matrix of cells × variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    /// Mean of each variable.
    pub mean: Vec<f64>,
    /// Components × variables; rows of length one, the strongest first. The largest loading of each is positive.
    pub components: Array2<f64>,
    /// Share of the whole variance that each component explains.
    pub explained: Vec<f64>,
    /// Variance along each component (rows − 1 in the denominator).
    pub variance: Vec<f64>,
}

impl Pca {
    /// Fits `k` components. Only centred, never scaled: what the variables share is a scale already.
    ///
    /// # Errors
    /// Fewer than two rows, `k` outside 1 to the smaller side of `x`, too many columns, values that are not
    /// finite, or a decomposition that does not converge.
    pub fn fit(x: ArrayView2<'_, f32>, k: usize) -> Result<Self, LinalgError> {
        // Before any work: a matrix of one row asks for nothing that could be given.
        Self::check(x.nrows(), x.ncols(), k)?;
        let mut sums = Covariance::new(x.ncols())?;
        sums.add(x)?;
        Self::from_covariance(sums, k)
    }

    /// Fits `k` components to rows that were summed up before, in as many runs as there were: one pass over data that
    /// do not fit into memory.
    ///
    /// # Errors
    /// As [`Pca::fit`].
    pub fn from_covariance(sums: Covariance, k: usize) -> Result<Self, LinalgError> {
        let rows = sums.rows();
        let (mean, covariance) = sums.finish()?;
        let columns = mean.len();
        Self::check(rows, columns, k)?;
        let (values, vectors) = eigen(&covariance)?;
        let total: f64 = values.iter().map(|v| v.max(0.0)).sum();
        let mut components = Array2::zeros((k, columns));
        let (mut explained, mut variance) = (Vec::with_capacity(k), Vec::with_capacity(k));
        // faer sorts from the smallest eigenvalue up.
        for (i, mut row) in components.rows_mut().into_iter().enumerate() {
            let from = columns - 1 - i;
            row.assign(&vectors.column(from));
            if leading_loading(row.iter().copied()) < 0.0 {
                row.mapv_inplace(|v| -v);
            }
            variance.push(values[from].max(0.0));
            explained.push(if total > 0.0 { values[from].max(0.0) / total } else { 0.0 });
        }
        Ok(Pca { mean, components, explained, variance })
    }

    pub(super) fn check(rows: usize, columns: usize, k: usize) -> Result<(), LinalgError> {
        if rows < 2 {
            return Err(LinalgError::TooFewRows { found: rows, needed: 2 });
        }
        if k == 0 || k > rows.min(columns) {
            return Err(LinalgError::Components { asked: k, rows, columns });
        }
        Ok(())
    }

    /// Coordinates of each row on the components. A value that is not finite spreads over its own row only.
    ///
    /// # Errors
    /// Another number of columns than fitted on.
    pub fn transform(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f64>, LinalgError> {
        if x.ncols() != self.mean.len() {
            return Err(LinalgError::Columns { expected: self.mean.len(), found: x.ncols() });
        }
        let mut out = Array2::zeros((x.nrows(), self.components.nrows()));
        let runs = out.axis_chunks_iter_mut(Axis(0), CHUNK).into_par_iter();
        runs.zip(x.axis_chunks_iter(Axis(0), CHUNK)).for_each(|(mut to, rows)| {
            to.assign(&centred(rows, &self.mean).dot(&self.components.t()));
        });
        Ok(out)
    }
}

pub(super) fn centred(rows: ArrayView2<'_, f32>, mean: &[f64]) -> Array2<f64> {
    let mut out = rows.mapv(f64::from);
    for mut row in out.rows_mut() {
        for (v, m) in row.iter_mut().zip(mean) {
            *v -= m;
        }
    }
    out
}

/// The largest loading by size; the first of those that are as large but for rounding, so that two equal and
/// opposite loadings cannot turn the sign from machine to machine.
pub(super) fn leading_loading(row: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = row.clone().fold(0.0_f64, |m, v| m.max(v.abs()));
    row.into_iter().find(|v| v.abs() >= largest * (1.0 - 1e-9)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, s};

    use super::*;

    // import numpy as np; from sklearn.decomposition import PCA          (scikit-learn 1.9.1)
    // x = np.array([...], dtype=np.float32).astype(float); p = PCA(2, svd_solver='full').fit(x)
    // c = p.components_; c *= np.sign(c[np.arange(2), np.abs(c).argmax(1)])[:, None]
    // p.mean_, c, p.explained_variance_ratio_, (x - p.mean_) @ c.T
    fn example() -> Array2<f32> {
        array![
            [2.5, 2.4, 0.5],
            [0.5, 0.7, 1.5],
            [2.2, 2.9, 0.25],
            [1.9, 2.2, 1.0],
            [3.1, 3.0, -0.5],
            [2.3, 2.7, 0.75],
            [2.0, 1.6, 2.0],
            [1.0, 1.1, -1.25]
        ]
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-12, "{f} instead of {e}");
        }
    }

    #[test]
    fn pca_equals_scikit_learn() {
        let x = example();
        let p = Pca::fit(x.view(), 2).unwrap();
        close(&p.mean, &[1.937_499_985_098_838_8, 2.075_000_040_233_135, 0.531_25]);
        close(&p.explained, &[0.589_888_625_624_355_8, 0.387_649_894_290_982_7]);
        close(
            &p.components.iter().copied().collect::<Vec<_>>(),
            &[
                0.595_452_616_999_942_6,
                0.635_128_193_020_578_7,
                -0.491_984_104_761_865_2,
                0.369_773_504_883_945_67,
                0.326_997_406_622_620_9,
                0.869_678_245_759_845_8,
            ],
        );
        let t = p.transform(x.view()).unwrap();
        close(&t.row(0).to_vec(), &[0.556_733_306_958_245_5, 0.287_094_332_008_402_6]);
        close(&t.row(7).to_vec(), &[-0.301_140_131_563_064_8, -2.214_599_507_395_330_4]);
    }

    #[test]
    fn pca_over_several_chunks_equals_pca_of_the_same_rows_in_one() {
        // Each row repeated: mean and components stay, whatever chunk a row falls into.
        let x = example();
        let many = Array2::from_shape_fn((CHUNK * 2 + 8, 3), |(i, j)| x[[i % 8, j]]);
        let (one, several) = (Pca::fit(x.view(), 3).unwrap(), Pca::fit(many.view(), 3).unwrap());
        for (a, b) in one.components.iter().zip(&several.components) {
            assert!((a - b).abs() < 1e-9);
        }
        let t = several.transform(many.view()).unwrap();
        assert!((t[[CHUNK + 1, 0]] - t[[1, 0]]).abs() < 1e-12);
    }

    #[test]
    fn equal_and_opposite_loadings_start_positive() {
        let p = Pca::fit(array![[1.0_f32, -1.0], [-1.0, 1.0], [2.0, -2.0]].view(), 2).unwrap();
        assert!(p.components[[0, 0]] > 0.7 && p.components[[0, 1]] < -0.7);
        assert!(p.explained[0] > 0.999_999 && p.explained[1] < 1e-9);
    }

    #[test]
    fn a_constant_matrix_explains_nothing_and_gives_no_nan() {
        let x = Array2::<f32>::from_elem((5, 3), 2.5);
        let p = Pca::fit(x.view(), 2).unwrap();
        assert_eq!(p.explained, [0.0, 0.0]);
        assert!(p.transform(x.view()).unwrap().iter().all(|v| *v == 0.0));
    }

    #[test]
    fn what_cannot_be_decomposed_is_refused_by_name() {
        let x = example();
        assert!(matches!(Pca::fit(x.slice(s![..1, ..]), 1), Err(LinalgError::TooFewRows { found: 1, .. })));
        assert!(matches!(Pca::fit(x.view(), 4), Err(LinalgError::Components { asked: 4, .. })));
        assert!(matches!(Pca::fit(x.view(), 0), Err(LinalgError::Components { asked: 0, .. })));
        let mut bad = x.clone();
        bad[[3, 1]] = f32::NAN;
        assert!(matches!(Pca::fit(bad.view(), 1), Err(LinalgError::NotFinite { row: 3, column: 1, .. })));
        let p = Pca::fit(x.view(), 1).unwrap();
        let narrow = x.slice(s![.., ..2]);
        assert!(matches!(p.transform(narrow), Err(LinalgError::Columns { expected: 3, found: 2 })));
    }
}
