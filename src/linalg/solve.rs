//! Systems of equations with a positive definite matrix.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, Side};
use ndarray::Array2;

use super::LinalgError;

/// The X with `a` X = `b`, where `a` is symmetric and positive definite; only its lower half is looked at.
///
/// # Errors
/// [`LinalgError::NotDefinite`] when `a` is not; [`LinalgError::Columns`] when `b` has another number of rows.
pub fn solve_definite(a: &Array2<f64>, b: &Array2<f64>) -> Result<Array2<f64>, LinalgError> {
    let n = a.nrows();
    if b.nrows() != n {
        return Err(LinalgError::Columns { expected: n, found: b.nrows() });
    }
    let m = Mat::from_fn(n, n, |i, j| a[(i, j)]);
    let factor = Llt::new(m.as_ref(), Side::Lower).map_err(|_| LinalgError::NotDefinite { size: n })?;
    let x = factor.solve(Mat::from_fn(n, b.ncols(), |i, j| b[(i, j)]));
    let out = Array2::from_shape_fn((n, b.ncols()), |(i, j)| x[(i, j)]);
    if out.iter().all(|v| v.is_finite()) { Ok(out) } else { Err(LinalgError::NotDefinite { size: n }) }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_solution_gives_the_right_side_back() {
        let a = array![[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]];
        let b = array![[1.0, 0.0], [2.0, -1.0], [0.5, 7.0]];
        let x = solve_definite(&a, &b).unwrap();
        assert!((a.dot(&x) - &b).iter().all(|d| d.abs() < 1e-12));
        assert!(matches!(
            solve_definite(&array![[1.0, 2.0], [2.0, 1.0]], &array![[1.0], [1.0]]),
            Err(LinalgError::NotDefinite { size: 2 })
        ));
    }
}
