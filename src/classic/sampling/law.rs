//! Distribution function and quantiles of one negative binomial law, and of the normal law.

use statrs::function::erf::{erfc, erfc_inv};
use statrs::function::gamma::checked_gamma_lr;

/// Up to this mean probabilities are summed from zero on: e^−500 is still a number.
const SUMMED_BELOW: f64 = 500.0;
/// A walk through probabilities ends here.
const MOST_STEPS: u64 = 1_000_000;
/// Quantiles are asked for no closer to 0 and 1.
const EDGE: f64 = 1e-15;

/// P(Z ≤ z) of the standard normal.
pub(super) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// The z with P(Z ≤ z) = u.
pub(super) fn normal_quantile(u: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * u.clamp(EDGE, 1.0 - EDGE))
}

/// A negative binomial law: variance mean + mean² / theta.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law {
    pub mean: f64,
    pub theta: f64,
}

impl Law {
    /// P(X < k) and P(X ≤ k).
    pub(super) fn around(self, k: u64) -> (f64, f64) {
        if self.mean > SUMMED_BELOW {
            let below = if k == 0 { 0.0 } else { self.smooth(k as f64 - 0.5) };
            return (below, self.smooth(k as f64 + 0.5));
        }
        let (mut p, mut below) = (self.at_zero(), 0.0);
        for i in 0..k.min(MOST_STEPS) {
            below += p;
            p *= self.ratio(i as f64);
        }
        (below.min(1.0), (below + p).min(1.0))
    }

    /// The smallest k with P(X ≤ k) ≥ u.
    pub(super) fn quantile(self, u: f64) -> u64 {
        let u = u.min(1.0 - EDGE);
        if self.mean > SUMMED_BELOW {
            return self.smooth_quantile(u);
        }
        let (mut p, mut k) = (self.at_zero(), 0);
        let mut sum = p;
        while sum < u && k < MOST_STEPS && p > 0.0 {
            p *= self.ratio(k as f64);
            sum += p;
            k += 1;
        }
        k
    }

    fn at_zero(self) -> f64 {
        (-self.theta * (self.mean / self.theta).ln_1p()).exp()
    }

    /// P(X = k + 1) / P(X = k).
    fn ratio(self, k: f64) -> f64 {
        (self.theta + k) / (k + 1.0) * (self.mean / (self.theta + self.mean))
    }

    /// For large means: the gamma law of the same mean and variance.
    fn smooth(self, x: f64) -> f64 {
        let scale = 1.0 + self.mean / self.theta;
        checked_gamma_lr(self.mean / scale, x / scale).unwrap_or(1.0)
    }

    fn smooth_quantile(self, u: f64) -> u64 {
        let (mut low, mut high) = (-1.0, self.mean.ceil());
        while self.smooth(high + 0.5) < u {
            low = high;
            high *= 2.0;
        }
        // P(X ≤ low) < u ≤ P(X ≤ high), both whole.
        while high - low > 1.0 {
            let middle = (0.5 * (low + high)).floor();
            if self.smooth(middle + 0.5) < u {
                low = middle;
            } else {
                high = middle;
            }
        }
        high as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // scipy 1.17: nbinom(theta, theta / (theta + mean)).cdf(k), and norm.
    #[test]
    fn distribution_functions_equal_scipy() {
        let near = |a: f64, b: f64, tolerance: f64| assert!((a - b).abs() < tolerance, "{a} {b}");
        near(Law { mean: 0.3, theta: 0.7 }.around(0).1, 0.779055912670449, 1e-12);
        near(Law { mean: 3.0, theta: 1.5 }.around(4).1, 0.7635635504560329, 1e-12);
        near(Law { mean: 120.0, theta: 9.0 }.around(100).1, 0.35037605613020734, 1e-12);
        near(Law { mean: 40.0, theta: 1e7 }.around(45).1, 0.809649648801543, 1e-7);
        near(Law { mean: 800.0, theta: 2.5 }.around(500).1, 0.3202091185863932, 1e-4);
        near(Law { mean: 3000.0, theta: 400.0 }.around(3100).1, 0.7387565747724663, 1e-3);
        near(normal_cdf(-2.5), 0.006209665325776132, 1e-12);
        near(normal_cdf(0.3), 0.6179114221889526, 1e-12);
        near(normal_quantile(1e-06), -4.753424308822899, 1e-9);
        near(normal_quantile(0.8), 0.8416212335729143, 1e-9);
    }

    #[test]
    fn quantiles_undo_distribution_functions() {
        for (mean, theta) in [(0.05, 0.5), (3.0, 1.5), (200.0, 1e6), (900.0, 0.7), (5000.0, 30.0)] {
            let law = Law { mean, theta };
            for k in [0, 1, 2, 7, 180, 905, 4000] {
                let (below, to) = law.around(k);
                if to - below > 1e-9 && to < 1.0 - 1e-9 {
                    assert_eq!(law.quantile(0.5 * (below + to)), k, "{mean} {theta}");
                }
            }
        }
        assert_eq!(Law { mean: 0.5, theta: 1e8 }.quantile(0.0), 0);
        assert!(Law { mean: 2000.0, theta: 1e8 }.quantile(1.0) < 2600);
    }
}
