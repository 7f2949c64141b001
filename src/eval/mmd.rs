//! Maximum mean discrepancy with three Gaussian kernels.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::rng::Seed;

/// Samples drawn for the bandwidth, cells in each at most, and neighbours looked at.
const DRAWS: usize = 19;
const CELLS: usize = 1000;
const NEIGHBOURS: usize = 24;

/// Bandwidths half, once and twice the median distance between near neighbours in `real` (cells × components): the
/// median over 19 draws with replacement of the median distance to neighbours 1 to 24. NaN with fewer than two cells.
pub fn bandwidths(real: ArrayView2<'_, f64>, seed: Seed) -> [f64; 3] {
    let n = real.nrows();
    if n < 2 {
        return [f64::NAN; 3];
    }
    let mut medians: Vec<f64> = (0..DRAWS)
        .into_par_iter()
        .map(|draw| {
            let mut random = seed.stream(&format!("mmd/{draw}"));
            let rows: Vec<usize> = (0..n.min(CELLS)).map(|_| random.below(n)).collect();
            let mut near = Vec::with_capacity(rows.len() * NEIGHBOURS);
            for &i in &rows {
                let mut d: Vec<f64> = rows.iter().map(|&j| squared(real.row(i), real.row(j))).collect();
                d.sort_unstable_by(f64::total_cmp);
                // The first is the cell itself.
                near.extend(d.iter().skip(1).take(NEIGHBOURS).map(|d| d.sqrt()));
            }
            median(&mut near)
        })
        .collect();
    let m = median(&mut medians);
    [0.5 * m, m, 2.0 * m]
}

/// Sum over the bandwidths of exp(−d²/σ²), `d2` a squared distance.
pub fn kernel(d2: f64, bandwidths: &[f64]) -> f64 {
    bandwidths.iter().map(|s| (-d2.max(0.0) / (s * s)).exp()).sum()
}

/// The three mean kernels that make up a maximum mean discrepancy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MmdParts {
    /// Within the first sample, each point with itself included.
    pub within_a: f64,
    /// Within the second.
    pub within_b: f64,
    /// Between them.
    pub between: f64,
}

impl MmdParts {
    /// The squared discrepancy, never below zero.
    pub fn mmd2(&self) -> f64 {
        (self.within_a + self.within_b - 2.0 * self.between).max(0.0)
    }
}

/// Mean kernels within and between two samples (cells × components). NaN when a sample is empty.
pub fn mmd_parts(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, bandwidths: &[f64]) -> MmdParts {
    let mean = |x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>| {
        // One sum for each row, added in order: the same bits at any number of threads.
        let rows: Vec<f64> = (0..x.nrows())
            .into_par_iter()
            .map(|i| y.rows().into_iter().map(|r| kernel(squared(x.row(i), r), bandwidths)).sum())
            .collect();
        rows.iter().sum::<f64>() / (x.nrows() as f64 * y.nrows() as f64)
    };
    MmdParts { within_a: mean(a, a), within_b: mean(b, b), between: mean(a, b) }
}

/// Squared maximum mean discrepancy between two samples (cells × components), the biased estimate, never below zero.
/// NaN when a sample is empty.
pub fn mmd2(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>, bandwidths: &[f64]) -> f64 {
    mmd_parts(a, b, bandwidths).mmd2()
}

fn squared(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    0.5 * (values[(n - 1) / 2] + values[n / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn the_three_kernels_have_the_stated_value_at_distance_one() {
        assert!((kernel(1.0, &[0.5, 1.0, 2.0]) - 1.164_996).abs() < 1e-6);
    }

    #[test]
    fn a_sample_is_no_distance_from_itself_and_shifts_count() {
        let mut r = Seed(1).stream("cells");
        let a = Array2::from_shape_fn((60, 3), |_| r.normal());
        let s = bandwidths(a.view(), Seed(0));
        assert!(mmd2(a.view(), a.view(), &s) < 1e-12);
        let near = mmd2(a.view(), (&a + 0.2).view(), &s);
        let far = mmd2(a.view(), (&a + 2.0).view(), &s);
        assert!(0.0 < near && near < far, "{near} {far}");
    }

    #[test]
    fn two_points_against_two_give_the_sum_by_hand() {
        let (a, b) = (array![[0.0], [1.0]], array![[0.0], [2.0]]);
        let k = |d: f64| (-d * d).exp();
        let by_hand = (2.0 + 2.0 * k(1.0)) / 4.0 + (2.0 + 2.0 * k(2.0)) / 4.0
            - 2.0 * (k(0.0) + k(2.0) + k(1.0) + k(1.0)) / 4.0;
        assert!((mmd2(a.view(), b.view(), &[1.0]) - by_hand).abs() < 1e-15);
    }
}
