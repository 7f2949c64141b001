//! The percentile-to-percentile map of neuron editing, without tensors: it serves bottleneck neurons, markers and
//! principal components alike (Amodio et al., eq. 1).

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What happens outside the percentiles that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// The line of the first or last segment goes on (as published).
    Linear,
    /// The offset of the first or last knot is kept: slope one.
    Shift,
}

/// A piecewise-linear map of one variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PercentileMap {
    /// Strictly increasing source knots.
    source: Vec<f64>,
    /// Target value of each knot.
    target: Vec<f64>,
    tail: Tail,
}

/// The published knots: percentiles 0, 1, …, 100.
pub const PAPER_KNOTS: [f64; 2] = [0.0, 1.0];

/// Percentile `q` in 0..=1 of sorted values, linear between order statistics (type 7); NaN when there are none.
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = q * last as f64;
    let low = (at.floor() as usize).min(last);
    let high = (low + 1).min(last);
    // NumPy's form: it hits the upper order statistic exactly when the fraction is one.
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

/// Quantiles of weighted values: the value at cumulated weight `q`, each value standing at the middle of its own
/// weight, linear in between, constant beyond the ends. NaN when there are no values.
pub fn weighted_quantiles(values: &[f64], weights: &[f64], at: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len().min(weights.len())).collect();
    // Stable: equal values keep their order, so that the sums below have one order.
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let total: f64 = order.iter().map(|&i| weights[i]).sum();
    let mut before = 0.0;
    let place: Vec<f64> = order
        .iter()
        .map(|&i| {
            before += weights[i];
            (before - 0.5 * weights[i]) / total
        })
        .collect();
    let value = |k: usize| order.get(k).map_or(f64::NAN, |&i| values[i]);
    at.iter()
        .map(|&q| {
            let k = place.partition_point(|&p| p <= q);
            if k == 0 {
                value(0)
            } else if k == place.len() {
                value(k - 1)
            } else {
                let share = (q - place[k - 1]) / (place[k] - place[k - 1]);
                value(k - 1) + share * (value(k) - value(k - 1))
            }
        })
        .collect()
}

/// 101 percentiles, evenly spaced from `range[0]` to `range[1]`.
pub fn percentiles(sorted: &[f64], range: [f64; 2]) -> Vec<f64> {
    (0..=100).map(|j| percentile(sorted, range[0] + (range[1] - range[0]) * f64::from(j) / 100.0)).collect()
}

impl PercentileMap {
    /// The map that takes the percentiles of `source` to those of `target`. Runs of equal source percentiles become
    /// one knot whose target is the mean of the run's targets; a constant source becomes a shift of the mean.
    /// Both are sorted in place. Empty input gives the identity.
    pub fn fit(source: &mut [f64], target: &mut [f64], range: [f64; 2], tail: Tail) -> Self {
        let identity = Self { source: vec![0.0], target: vec![0.0], tail };
        if source.is_empty() || target.is_empty() {
            return identity;
        }
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        source.sort_by(f64::total_cmp);
        target.sort_by(f64::total_cmp);
        let mut knots = Self::through(&percentiles(source, range), &percentiles(target, range), tail);
        if knots.source.len() == 1 {
            knots.target[0] = knots.source[0] + mean(target) - mean(source);
        }
        knots
    }

    /// The map through given knots: `source` never decreases, and has as many values as `target`. Runs of equal
    /// source knots become one, with the mean of their targets; one knot alone shifts. No knot gives the identity.
    pub fn through(source: &[f64], target: &[f64], tail: Tail) -> Self {
        let mut knots = Self { source: Vec::new(), target: Vec::new(), tail };
        let mut at = 0;
        while at < source.len().min(target.len()) {
            let run = source[at..].iter().take_while(|&&x| x == source[at]).count();
            knots.source.push(source[at]);
            knots.target.push(target[at..at + run].iter().sum::<f64>() / run as f64);
            at += run;
        }
        if knots.source.is_empty() {
            knots = Self { source: vec![0.0], target: vec![0.0], tail };
        }
        knots
    }

    /// The image of one value.
    pub fn apply(&self, a: f64) -> f64 {
        let (p, q) = (&self.source, &self.target);
        let last = p.len() - 1;
        if last == 0 {
            return a + q[0] - p[0];
        }
        if self.tail == Tail::Shift {
            if a < p[0] {
                return a + q[0] - p[0];
            }
            if a > p[last] {
                return a + q[last] - p[last];
            }
        }
        let j = p.partition_point(|&x| x <= a).saturating_sub(1).min(last - 1);
        q[j] + (a - p[j]) / (p[j + 1] - p[j]) * (q[j + 1] - q[j])
    }

    /// Whether a value lies outside the source percentiles, where the map extrapolates.
    pub fn outside(&self, a: f64) -> bool {
        a < self.source[0] || a > self.source[self.source.len() - 1]
    }

    /// The steeper of the two tails' slopes.
    pub fn tail_slope(&self) -> f64 {
        let (p, q, n) = (&self.source, &self.target, self.source.len());
        if n < 2 || self.tail == Tail::Shift {
            return 1.0;
        }
        let slope = |i: usize| (q[i + 1] - q[i]) / (p[i + 1] - p[i]);
        slope(0).max(slope(n - 2))
    }

    /// Checks what deserialisation cannot: as many targets as knots, at least one, increasing, finite.
    pub fn is_sound(&self) -> bool {
        !self.source.is_empty()
            && self.source.len() == self.target.len()
            && self.source.windows(2).all(|w| w[0] < w[1])
            && self.source.iter().chain(&self.target).all(|x| x.is_finite())
    }
}

/// One percentile map for each column, from `source` to `target` (cells × columns each).
pub fn fit_percentile_maps(
    source: ArrayView2<'_, f32>,
    target: ArrayView2<'_, f32>,
    range: [f64; 2],
    tail: Tail,
) -> Vec<PercentileMap> {
    (0..source.ncols())
        .into_par_iter()
        .map(|j| {
            let mut s: Vec<f64> = source.column(j).iter().map(|&x| f64::from(x)).collect();
            let mut t: Vec<f64> = target.column(j).iter().map(|&x| f64::from(x)).collect();
            PercentileMap::fit(&mut s, &mut t, range, tail)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map through given percentiles: 101 samples are their own percentiles.
    fn through(s: impl Fn(f64) -> f64, t: impl Fn(f64) -> f64) -> PercentileMap {
        let mut a: Vec<f64> = (0..=100).map(|j| s(f64::from(j))).collect();
        let mut b: Vec<f64> = (0..=100).map(|j| t(f64::from(j))).collect();
        PercentileMap::fit(&mut a, &mut b, PAPER_KNOTS, Tail::Linear)
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }

    #[test]
    fn percentiles_are_type_7() {
        near(percentile(&[1.0, 2.0, 4.0, 8.0], 0.25), 1.75);
        near(percentile(&[1.0, 2.0, 4.0, 8.0], 0.90), 6.8);
        assert!(percentile(&[], 0.5).is_nan());
    }

    /// numpy 2: c = (cumsum(w) - w / 2) / sum(w); interp([0.05, 0.5, 0.7, 0.99], c, [1, 2, 4, 8])
    /// with w = [1, 2, 1, 4]: [1, 4.8, 7.36, 8]
    #[test]
    fn weighted_quantiles_equal_numpy() {
        let q = weighted_quantiles(&[8.0, 2.0, 4.0, 1.0], &[4.0, 2.0, 1.0, 1.0], &[0.05, 0.5, 0.7, 0.99]);
        for (a, e) in q.iter().zip([1.0, 4.8, 7.36, 8.0]) {
            near(*a, e);
        }
        assert!(weighted_quantiles(&[], &[], &[0.5])[0].is_nan());
    }

    #[test]
    fn an_affine_change_is_followed_everywhere() {
        let m = through(|j| j, |j| 2.0 * j + 1.0);
        near(m.apply(-5.0), -9.0);
        near(m.apply(50.5), 102.0);
        near(m.apply(150.0), 301.0);
    }

    #[test]
    fn a_curved_change_is_followed_with_linear_tails() {
        let m = through(|j| j, |j| j * j);
        near(m.apply(-1.0), -1.0);
        near(m.apply(50.5), 2550.5);
        near(m.apply(101.0), 10_199.0);
    }

    #[test]
    fn equal_sets_are_the_identity_tails_included() {
        let m = through(|j| j * j, |j| j * j);
        for a in [-7.0, 0.0, 33.3, 9_999.0, 12_345.0] {
            near(m.apply(a), a);
        }
    }

    #[test]
    fn tied_source_percentiles_become_one_knot_with_the_mean_target() {
        let (mut s, mut t) = ([0.0, 0.0, 0.0, 1.0], [0.0, 2.0, 4.0, 6.0]);
        let m = PercentileMap::fit(&mut s, &mut t, PAPER_KNOTS, Tail::Linear);
        near(m.apply(0.0), 1.98);
        near(m.apply(0.01), 4.02);
        near(m.apply(1.0), 6.0);
    }

    #[test]
    fn a_constant_source_is_shifted_by_the_means() {
        let (mut s, mut t) = ([3.0, 3.0], [1.0, 2.0, 6.0]);
        let m = PercentileMap::fit(&mut s, &mut t, PAPER_KNOTS, Tail::Linear);
        near(m.apply(3.0), 3.0);
        near(m.apply(10.0), 10.0);
    }

    #[test]
    fn shift_tails_keep_slope_one() {
        let (mut s, mut t) = ([0.0, 1.0], [0.0, 10.0]);
        let m = PercentileMap::fit(&mut s, &mut t, PAPER_KNOTS, Tail::Shift);
        near(m.apply(0.5), 5.0);
        near(m.apply(2.0), 11.0);
        near(m.apply(-2.0), -2.0);
        near(m.tail_slope(), 1.0);
        assert!(m.outside(1.5) && !m.outside(0.5));
    }

    proptest::proptest! {
        #[test]
        fn the_map_is_continuous_non_decreasing_and_affine_equivariant(
            mut s in proptest::collection::vec(-5.0..5.0f64, 2..60),
            mut t in proptest::collection::vec(-5.0..5.0f64, 2..60),
            a in -9.0..9.0f64,
        ) {
            let m = PercentileMap::fit(&mut s, &mut t, PAPER_KNOTS, Tail::Linear);
            let up = m.apply(a + 1e-9);
            proptest::prop_assert!(up >= m.apply(a) - 1e-6);
            let mut t2: Vec<f64> = s.iter().map(|x| 3.0 * x - 1.0).collect();
            let affine = PercentileMap::fit(&mut s, &mut t2, PAPER_KNOTS, Tail::Linear);
            proptest::prop_assert!((affine.apply(a) - (3.0 * a - 1.0)).abs() < 1e-6);
        }
    }
}
