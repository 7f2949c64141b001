//! Ridge logistic regression: which of two groups of cells does a cell look like.

use faer::linalg::solvers::Solve;
use faer::{Mat, Par, Side};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::LinalgError;

/// A fitted model: log odds that a cell belongs to the second group.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    mean: Array1<f64>,
    scale: Array1<f64>,
    weights: Array1<f64>,
    constant: f64,
}

/// Newton steps; the problem is convex and ridge-penalised, eight are far past convergence.
const STEPS: usize = 8;

impl Logistic {
    /// Separates the rows of `zero` from those of `one`; both groups weigh the same. Columns are standardised, the
    /// penalty is `ridge / 2 · |weights|²` (none on the constant).
    ///
    /// # Errors
    /// [`LinalgError`] when the groups are empty, differ in width or hold values that are not finite.
    pub fn fit(zero: ArrayView2<'_, f64>, one: ArrayView2<'_, f64>, ridge: f64) -> Result<Self, LinalgError> {
        let (n, d) = (zero.nrows() + one.nrows(), zero.ncols());
        let x = ndarray::concatenate(Axis(0), &[zero, one])
            .map_err(|_| LinalgError::Columns { expected: d, found: one.ncols() })?;
        let fewest = zero.nrows().min(one.nrows());
        if fewest == 0 {
            return Err(LinalgError::TooFewRows { found: fewest, needed: 1 });
        }
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(LinalgError::NotFinite { row, column, value });
        }
        let mean = x.sum_axis(Axis(0)) / n as f64;
        let scale = x.map_axis(Axis(0), |c| {
            let m = c.sum() / n as f64;
            (c.iter().map(|v| (v - m) * (v - m)).sum::<f64>() / n as f64).sqrt() + 1e-6
        });
        let a = Mat::from_fn(n, d + 1, |i, j| if j == d { 1.0 } else { (x[(i, j)] - mean[j]) / scale[j] });
        let group = |i: usize| {
            if i < zero.nrows() { (0.0, 0.5 / zero.nrows() as f64) } else { (1.0, 0.5 / one.nrows() as f64) }
        };
        let penalty = |j: usize| if j == d { 1e-9 } else { ridge };
        let mut theta = Mat::<f64>::zeros(d + 1, 1);
        for _ in 0..STEPS {
            let odds = product(a.as_ref(), theta.as_ref());
            let p = |i: usize| 1.0 / (1.0 + (-odds[(i, 0)]).exp());
            let residual = Mat::from_fn(n, 1, |i, _| group(i).1 * (p(i) - group(i).0));
            let weighted = Mat::from_fn(n, d + 1, |i, j| group(i).1 * p(i) * (1.0 - p(i)) * a[(i, j)]);
            let mut gradient = product(a.transpose(), residual.as_ref());
            let mut hessian = product(weighted.transpose(), a.as_ref());
            for j in 0..=d {
                gradient[(j, 0)] += penalty(j) * theta[(j, 0)];
                hessian[(j, j)] += penalty(j);
            }
            let factor = hessian.llt(Side::Lower).map_err(|_| LinalgError::NotDefinite { size: d + 1 })?;
            let step = factor.solve(&gradient);
            theta -= step;
        }
        let weights = Array1::from_shape_fn(d, |j| theta[(j, 0)]);
        if weights.iter().any(|v| !v.is_finite()) {
            return Err(LinalgError::NotDefinite { size: d + 1 });
        }
        Ok(Self { mean, scale, weights, constant: theta[(d, 0)] })
    }

    /// Log odds of each row.
    pub fn log_odds(&self, x: &Array2<f64>) -> Vec<f64> {
        x.rows()
            .into_iter()
            .map(|row| {
                let terms = row.iter().zip(&self.mean).zip(&self.scale).zip(&self.weights);
                self.constant + terms.map(|(((v, m), s), w)| (v - m) / s * w).sum::<f64>()
            })
            .collect()
    }
}

/// A matrix product on one thread: the same bits whatever the number of threads.
fn product(a: faer::MatRef<'_, f64>, b: faer::MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    faer::linalg::matmul::matmul(out.as_mut(), faer::Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// scikit-learn 1.9: x = StandardScaler().fit_transform([[0, 1], [1, 0], [2, 2], [3, 1], [4, 5]]);
    /// LogisticRegression(C=1 / 0.5, tol=1e-12).fit(x, [0, 0, 0, 1, 1], sample_weight=[1/6, 1/6, 1/6, 1/4, 1/4])
    #[test]
    fn weights_equal_scikit_learn() {
        let zero = array![[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]];
        let one = array![[3.0, 1.0], [4.0, 5.0]];
        let m = Logistic::fit(zero.view(), one.view(), 0.5).unwrap();
        let expected = [0.539_598, 0.254_907, -0.117_455];
        for (a, e) in m.weights.iter().chain([&m.constant]).zip(expected) {
            assert!((a - e).abs() < 1e-4, "{a} {e}");
        }
        let odds = m.log_odds(&one);
        assert!(odds[1] > odds[0]);
    }

    #[test]
    fn constant_columns_and_equal_groups_are_no_trouble() {
        let x = array![[1.0, 7.0], [2.0, 7.0]];
        let m = Logistic::fit(x.view(), x.view(), 0.1).unwrap();
        assert!(m.log_odds(&x).iter().all(|l| l.abs() < 1e-9));
        assert!(Logistic::fit(x.view(), array![[f64::NAN, 0.0]].view(), 0.1).is_err());
    }
}
