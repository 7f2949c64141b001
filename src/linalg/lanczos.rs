//! The largest eigenvalues of a symmetric matrix that is only known by its products (Lanczos, with every vector kept
//! orthogonal to all before it).

use ndarray::Array2;

use super::LinalgError;
use super::eigen::eigen;
use crate::rng::Seed;

/// A vector is found when it is off by less than this share of the largest eigenvalue.
const TOLERANCE: f64 = 1e-10;

/// The `k` largest eigenvalues, the largest first, and their vectors of length one.
///
/// `product` multiplies a vector of length `n` with the matrix, which has no eigenvalue far below zero. `seed` gives the
/// first vector; the result depends on it in its last bits only.
///
/// # Errors
/// [`LinalgError::Components`] for `k` above `n`, [`LinalgError::NoConvergence`].
pub(super) fn largest(
    n: usize,
    k: usize,
    seed: Seed,
    mut product: impl FnMut(&[f64]) -> Vec<f64>,
) -> Result<(Vec<f64>, Vec<Vec<f64>>), LinalgError> {
    if k == 0 || k > n {
        return Err(LinalgError::Components { asked: k, rows: n, columns: n });
    }
    let mut random = seed.stream("lanczos");
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let mut next: Vec<f64> = (0..n).map(|_| random.normal()).collect();
    scale(&mut next);
    let mut check_at = (2 * k + 20).min(n);
    loop {
        let mut w = product(&next);
        diagonal.push(dot(&w, &next));
        basis.push(next);
        // Twice is enough: what rounding leaves of the first pass the second takes away.
        orthogonal(&mut w, &basis);
        orthogonal(&mut w, &basis);
        let mut left = dot(&w, &w).sqrt();
        let size = basis.len();
        if size == check_at || size == n {
            let (values, vectors) = tridiagonal(&diagonal, &beside)?;
            let scale = values.first().copied().unwrap_or(0.0).abs().max(f64::MIN_POSITIVE);
            let off = (0..k).map(|i| left * vectors[i][size - 1].abs()).fold(0.0, f64::max);
            if size == n || off <= TOLERANCE * scale {
                let full = vectors.iter().take(k).map(|v| combine(&basis, v, n)).collect();
                return Ok((values.into_iter().take(k).collect(), full));
            }
            check_at = (size + size / 3 + 1).min(n);
        }
        // Nothing new in this direction: go on in another one.
        let largest = diagonal.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        if left <= 1e-13 * largest || left == 0.0 {
            w = (0..n).map(|_| random.normal()).collect();
            orthogonal(&mut w, &basis);
            orthogonal(&mut w, &basis);
            left = 0.0;
        }
        beside.push(left);
        scale(&mut w);
        next = w;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Lanes of fixed order, so that the compiler may use wide registers.
    let mut sums = [0.0; 8];
    let (x, y) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = x.remainder().iter().zip(y.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in x.zip(y) {
        sums.iter_mut().zip(x.iter().zip(y)).for_each(|(s, (x, y))| *s += x * y);
    }
    sums.iter().sum::<f64>() + rest
}

fn scale(v: &mut [f64]) {
    let norm = dot(v, v).sqrt();
    if norm > 0.0 {
        v.iter_mut().for_each(|x| *x /= norm);
    }
}

fn orthogonal(w: &mut [f64], basis: &[Vec<f64>]) {
    for b in basis {
        let d = dot(w, b);
        w.iter_mut().zip(b).for_each(|(w, b)| *w -= d * b);
    }
}

fn combine(basis: &[Vec<f64>], weights: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for (b, w) in basis.iter().zip(weights) {
        out.iter_mut().zip(b).for_each(|(o, b)| *o += w * b);
    }
    scale(&mut out);
    out
}

/// Eigenvalues of the small tridiagonal matrix, the largest first, and their vectors.
fn tridiagonal(diagonal: &[f64], beside: &[f64]) -> Result<(Vec<f64>, Vec<Vec<f64>>), LinalgError> {
    let n = diagonal.len();
    let matrix = Array2::from_shape_fn((n, n), |(i, j)| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => beside[i.min(j)],
        _ => 0.0,
    });
    let (sorted, vectors) = eigen(&matrix)?;
    let of = |j: usize| vectors.column(j).to_vec();
    Ok((sorted.into_iter().rev().collect(), (0..n).rev().map(of).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_with_known_eigenvalues_gives_them_back() {
        // Diagonal in a turned basis: a Householder reflection of 1, 2, …, 90 with a double value at the top.
        let n = 90;
        let mut s = Seed(1).stream("v");
        let mut v: Vec<f64> = (0..n).map(|_| s.normal()).collect();
        scale(&mut v);
        let values: Vec<f64> = (0..n).map(|i| if i == n - 2 { 90.0 } else { 1.0 + i as f64 }).collect();
        let reflect = |x: &[f64]| {
            let d = 2.0 * dot(x, &v);
            x.iter().zip(&v).map(|(x, v)| x - d * v).collect::<Vec<f64>>()
        };
        let product = |x: &[f64]| {
            let y: Vec<f64> = reflect(x).iter().zip(&values).map(|(x, l)| x * l).collect();
            reflect(&y)
        };
        let (found, vectors) = largest(n, 4, Seed(0), product).unwrap();
        for (f, e) in found.iter().zip([90.0, 90.0, 88.0, 87.0]) {
            assert!((f - e).abs() < 1e-6, "{found:?}");
        }
        for (l, x) in found.iter().zip(&vectors) {
            let y = product(x);
            assert!(y.iter().zip(x).all(|(y, x)| (y - l * x).abs() < 1e-6));
        }
        assert!(dot(&vectors[0], &vectors[1]).abs() < 1e-9);
    }

    #[test]
    fn a_matrix_of_rank_one_is_no_trouble() {
        let (found, _) = largest(12, 3, Seed(0), |x| vec![x.iter().sum::<f64>(); 12]).unwrap();
        assert!((found[0] - 12.0).abs() < 1e-9 && found[1].abs() < 1e-9, "{found:?}");
        assert!(largest(3, 4, Seed(0), |x| x.to_vec()).is_err());
    }
}
