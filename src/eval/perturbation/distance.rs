//! Distances between two sets of cells.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

/// Rows one thread takes at a time; fixed, so that sums do not depend on the threads.
const RUN: usize = 64;

/// Energy distance 2 E‖a − b‖ − E‖a − a′‖ − E‖b − b′‖, with pairs of different cells within a set; NaN for a set of fewer
/// than two cells. Near 0, also below it, for two samples of one population.
pub fn energy_distance(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    of(a, b, f64::sqrt)
}

/// E-distance: the same on squared distances, as single-cell perturbation studies use it (Peidli et al. 2024).
pub fn e_distance(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> f64 {
    of(a, b, |d| d)
}

fn of(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, from_square: impl Fn(f64) -> f64 + Sync) -> f64 {
    let (n, m) = (a.nrows() as f64, b.nrows() as f64);
    let sum = |x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>| sum(x, y, &from_square);
    2.0 * sum(a, b) / (n * m) - sum(a, a) / (n * (n - 1.0)) - sum(b, b) / (m * (m - 1.0))
}

fn sum(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, from_square: &(impl Fn(f64) -> f64 + Sync)) -> f64 {
    let runs: Vec<ArrayView2<'_, f64>> = a.axis_chunks_iter(Axis(0), RUN).collect();
    let parts: Vec<f64> = runs
        .into_par_iter()
        .map(|run| {
            let rows = run.rows().into_iter();
            rows.map(|x| b.rows().into_iter().map(|y| from_square(square(x, y))).sum::<f64>()).sum()
        })
        .collect();
    parts.into_iter().sum()
}

fn square(x: ndarray::ArrayView1<'_, f64>, y: ndarray::ArrayView1<'_, f64>) -> f64 {
    match (x.as_slice(), y.as_slice()) {
        (Some(x), Some(y)) => x.iter().zip(y).map(|(p, q)| (p - q) * (p - q)).sum(),
        _ => x.iter().zip(y).map(|(p, q)| (p - q) * (p - q)).sum(),
    }
}

/// Some rows, in order; all when there are no more than `most`.
pub(super) fn at_most(x: Array2<f64>, most: usize, stream: &mut crate::rng::Stream) -> Array2<f64> {
    if x.nrows() <= most { x } else { x.select(Axis(0), &stream.sample(x.nrows(), most)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    #[test]
    fn points_on_a_line_have_the_distance_one_works_out_by_hand() {
        let a = Array2::from_shape_vec((2, 1), vec![0.0, 2.0]).unwrap();
        let b = Array2::from_shape_vec((2, 1), vec![3.0, 7.0]).unwrap();
        // Between: 3, 7, 1, 5 → mean 4; within: 2 and 4. Squares: 9, 49, 1, 25 → 21; 4 and 16.
        assert_eq!(energy_distance(a.view(), b.view()), 2.0);
        assert_eq!(e_distance(a.view(), b.view()), 22.0);
    }

    #[test]
    fn samples_of_one_population_are_near_each_other() {
        let mut s = Seed(1).stream("energy");
        let mut draw = |shift: f64| Array2::from_shape_fn((300, 5), |_| s.normal() + shift);
        let (a, b, far) = (draw(0.0), draw(0.0), draw(1.0));
        assert!(energy_distance(a.view(), b.view()).abs() < 0.03);
        assert!(energy_distance(a.view(), far.view()) > 0.5);
    }
}
