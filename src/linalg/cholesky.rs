//! The triangular root of a covariance.

use faer::linalg::solvers::Llt;
use faer::{Mat, Side};
use ndarray::Array2;

use super::LinalgError;

/// Upper triangular R with Rᵀ R = `a`, which is symmetric; only its lower half is looked at.
///
/// # Errors
/// [`LinalgError::NotDefinite`] when there is none.
pub fn cholesky(a: &Array2<f64>) -> Result<Array2<f64>, LinalgError> {
    let n = a.nrows();
    let m = Mat::from_fn(n, n, |i, j| a[(i, j)]);
    let factor = Llt::new(m.as_ref(), Side::Lower).map_err(|_| LinalgError::NotDefinite { size: n })?;
    let lower = factor.L();
    Ok(Array2::from_shape_fn((n, n), |(i, j)| if i <= j { lower[(j, i)] } else { 0.0 }))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_root_times_itself_is_the_matrix() {
        let a = array![[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]];
        let r = cholesky(&a).unwrap();
        assert!(r[(1, 0)] == 0.0 && r[(0, 0)] == 2.0);
        assert!((r.t().dot(&r) - &a).iter().all(|d| d.abs() < 1e-12));
        assert!(cholesky(&array![[1.0, 2.0], [2.0, 1.0]]).is_err());
    }
}
