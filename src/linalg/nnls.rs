//! Least squares with weights that may not be negative.

use ndarray::Array2;

use super::LinalgError;
use super::solve::solve_definite;

/// Rounds of the outer loop for each weight: far more than are ever needed.
const ROUNDS: usize = 30;

/// The x ≥ 0 that makes ‖A x − b‖ least, from `gram` = AᵀA and `moment` = Aᵀb.
///
/// The active-set method of Lawson and Hanson (1974) on the normal equations (Bro and de Jong 1997). Columns are brought to
/// length one first; columns of zeros, and those that follow from others already taken, keep weight 0.
///
/// # Errors
/// [`LinalgError::Columns`] when the sizes differ, [`LinalgError::NotDefinite`] when the sums are no finite numbers.
pub fn nnls(gram: &Array2<f64>, moment: &[f64]) -> Result<Vec<f64>, LinalgError> {
    let k = moment.len();
    if gram.dim() != (k, k) {
        return Err(LinalgError::Columns { expected: k, found: gram.ncols() });
    }
    if !gram.iter().chain(moment).all(|v| v.is_finite()) {
        return Err(LinalgError::NotDefinite { size: k });
    }
    let length: Vec<f64> = (0..k).map(|i| gram[(i, i)].max(0.0).sqrt()).collect();
    let scaled = |i: usize, j: usize| {
        let both = length[i] * length[j];
        if both > 0.0 { gram[(i, j)] / both } else { 0.0 }
    };
    let a = Array2::from_shape_fn((k, k), |(i, j)| scaled(i, j));
    let b: Vec<f64> = (0..k).map(|i| if length[i] > 0.0 { moment[i] / length[i] } else { 0.0 }).collect();
    let x = active_set(&a, &b);
    Ok(x.iter().zip(&length).map(|(x, l)| if *l > 0.0 { x / l } else { 0.0 }).collect())
}

fn active_set(a: &Array2<f64>, b: &[f64]) -> Vec<f64> {
    let k = b.len();
    let slack = 1e-12 * b.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let (mut x, mut passive, mut barred) = (vec![0.0; k], vec![false; k], vec![false; k]);
    for _ in 0..ROUNDS * k.max(1) {
        let slope = |i: usize, x: &[f64]| b[i] - (0..k).map(|j| a[(i, j)] * x[j]).sum::<f64>();
        let next = (0..k).filter(|&i| !passive[i] && !barred[i] && a[(i, i)] > 0.0);
        let next = next.map(|i| (i, slope(i, &x))).filter(|s| s.1 > slack);
        let Some((enters, _)) = next.max_by(|p, q| p.1.total_cmp(&q.1).then(q.0.cmp(&p.0))) else { break };
        passive[enters] = true;
        if settle(a, b, &mut x, &mut passive, enters) {
            barred.fill(false);
        } else {
            // It follows from those already taken: not to be tried again before these change.
            barred[enters] = true;
        }
    }
    x
}

/// Moves to the least squares of the passive columns, dropping those whose weight would fall below zero. `false` when the
/// column that enters cannot be told from the others; nothing is then changed.
fn settle(a: &Array2<f64>, b: &[f64], x: &mut [f64], passive: &mut [bool], enters: usize) -> bool {
    let (old_x, old_passive) = (x.to_vec(), passive.to_vec());
    let mut first = true;
    loop {
        let at: Vec<usize> = (0..x.len()).filter(|&i| passive[i]).collect();
        if at.is_empty() {
            return true;
        }
        let own = Array2::from_shape_fn((at.len(), at.len()), |(i, j)| a[(at[i], at[j])]);
        let right = Array2::from_shape_fn((at.len(), 1), |(i, _)| b[at[i]]);
        let refuse = |x: &mut [f64], passive: &mut [bool]| {
            x.copy_from_slice(&old_x);
            passive.copy_from_slice(&old_passive);
            passive[enters] = false;
            false
        };
        let Ok(wanted) = solve_definite(&own, &right) else { return refuse(x, passive) };
        let wanted: Vec<f64> = wanted.column(0).to_vec();
        // Rounding alone let it in: its slope was upwards by nothing.
        if first && at.iter().zip(&wanted).any(|(&i, w)| i == enters && *w <= 0.0) {
            return refuse(x, passive);
        }
        first = false;
        if wanted.iter().all(|w| *w > 0.0) {
            x.fill(0.0);
            at.iter().zip(&wanted).for_each(|(&i, &w)| x[i] = w);
            return true;
        }
        // As far as the first weight that reaches zero.
        let stops = at.iter().zip(&wanted).filter(|(_, w)| **w <= 0.0);
        let step = stops.map(|(&i, &w)| x[i] / (x[i] - w)).fold(1.0f64, f64::min).max(0.0);
        for (&i, &w) in at.iter().zip(&wanted) {
            x[i] += step * (w - x[i]);
            if x[i] <= 1e-14 && w <= 0.0 {
                x[i] = 0.0;
                passive[i] = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn solve(a: &Array2<f64>, b: &[f64]) -> Vec<f64> {
        let moment: Vec<f64> =
            a.columns().into_iter().map(|c| c.iter().zip(b).map(|(x, y)| x * y).sum()).collect();
        nnls(&a.t().dot(a), &moment).unwrap()
    }

    /// scipy 1.17.1, scipy.optimize.nnls of these: made by fixtures/make/make_perturbation.py.
    #[test]
    fn weights_equal_scipy() {
        let a =
            array![[1.0, 2.0, -1.0], [0.5, -1.0, 3.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0], [-1.0, 0.3, 2.0]];
        let near = |x: Vec<f64>, y: [f64; 3]| {
            assert!(x.iter().zip(&y).all(|(p, q)| (p - q).abs() < 1e-9), "{x:?} {y:?}")
        };
        near(solve(&a, &[1.0, 2.0, 3.0, 4.0, 5.0]), NEAR[0]);
        near(solve(&a, &[3.0, -2.0, 1.0, 2.0, -4.0]), NEAR[1]);
        near(solve(&a, &[-1.0, -2.0, -3.0, -4.0, -5.0]), NEAR[2]);
    }

    const NEAR: [[f64; 3]; 3] = [
        [0.027_463_056_001_650_048, 1.882_781_076_422_140_7, 1.772_516_317_239_546],
        [1.056_661_367_249_602_1, 1.063_275_039_745_627_8, 0.0],
        [0.0, 0.0, 0.0],
    ];

    #[test]
    fn a_column_twice_and_a_column_of_zeros_do_no_harm() {
        let a = array![[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [3.0, 3.0, 0.0]];
        let x = solve(&a, &[2.0, 4.0, 6.0]);
        assert!((x[0] + x[1] - 2.0).abs() < 1e-9 && x[2] == 0.0, "{x:?}");
        assert!(nnls(&array![[f64::NAN]], &[1.0]).is_err());
    }

    /// The conditions that hold at the optimum, and at no other point: weights ≥ 0, no slope upwards, none where weight is.
    #[test]
    fn the_optimum_has_no_way_down() {
        let mut s = crate::rng::Seed(7).stream("nnls");
        for _ in 0..20 {
            let a = Array2::from_shape_fn((40, 8), |_| s.normal());
            let b: Vec<f64> = (0..40).map(|_| s.normal()).collect();
            let x = solve(&a, &b);
            for (j, &weight) in x.iter().enumerate() {
                let slope: f64 =
                    (0..40).map(|i| a[(i, j)] * (b[i] - (0..8).map(|k| a[(i, k)] * x[k]).sum::<f64>())).sum();
                assert!(
                    weight >= 0.0 && slope < 1e-9 && (weight == 0.0 || slope.abs() < 1e-9),
                    "{j} {weight} {slope}"
                );
            }
        }
    }
}
