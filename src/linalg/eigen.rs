//! Eigenvalues of a symmetric matrix.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par};
use ndarray::Array2;

use super::LinalgError;

/// Eigenvalues from the smallest up, and their vectors as columns.
pub(super) fn eigen(symmetric: &Array2<f64>) -> Result<(Vec<f64>, Array2<f64>), LinalgError> {
    let n = symmetric.nrows();
    let a = Mat::from_fn(n, n, |i, j| symmetric[[i, j]]);
    let mut values = Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    // Sequential by name, not by faer's global setting, which another part of a program may change.
    let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    self_adjoint_evd(
        a.as_ref(),
        values.as_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| LinalgError::NoConvergence { size: n })?;
    let values = values.column_vector().iter().copied().collect();
    Ok((values, Array2::from_shape_fn((n, n), |(i, j)| vectors[(i, j)])))
}
