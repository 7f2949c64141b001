//! Seeds and their named streams: the only place that makes a random generator.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, Gamma, Poisson};
use sha2::{Digest, Sha256};

/// The one number a user gives; everything random follows from it and a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of that name. The same seed and name always give the same numbers; names differ, numbers differ.
    pub fn stream(self, name: &str) -> Stream {
        let mut hash = Sha256::new();
        hash.update(b"scx stream 1\0");
        hash.update(self.0.to_le_bytes());
        hash.update(name.as_bytes());
        Stream { rng: ChaCha12Rng::from_seed(hash.finalize().into()), spare: None }
    }
}

/// Means up to which negative binomials are drawn by inversion.
const INVERSION_BELOW: f64 = 20.0;

/// The walk of an inversion ends here: with means below the bound, more would be an accident of rounding.
const INVERSION_STEPS: f64 = 10_000.0;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream {
    rng: ChaCha12Rng,
    spare: Option<f64>,
}

impl Stream {
    /// Uniform in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // Widening multiply: the bias is below n / 2^64.
        ((u128::from(self.rng.next_u64()) * n as u128) >> 64) as usize
    }

    /// Standard normal (Box–Muller).
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare.take() {
            return z;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Gamma with that shape and mean `shape * scale`; 0 where shape or scale is not positive.
    pub fn gamma(&mut self, shape: f64, scale: f64) -> f64 {
        Gamma::new(shape, scale).map_or(0.0, |law| law.sample(&mut self.rng))
    }

    /// Poisson with that mean; 0 where the mean is not positive.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        // Numbers this large are drawn as floats, which hold them exactly.
        Poisson::new(mean).map_or(0, |law| law.sample(&mut self.rng) as u64)
    }

    /// Negative binomial with that mean and inverse dispersion `theta` (variance mean + mean² / theta); Poisson where
    /// `theta` is infinite, 0 where the mean is not positive.
    pub fn negative_binomial(&mut self, mean: f64, theta: f64) -> u64 {
        if !(mean > 0.0 && theta > 0.0) {
            return 0;
        }
        if mean > INVERSION_BELOW {
            let rate = if theta.is_finite() { self.gamma(theta, mean / theta) } else { mean };
            return self.poisson(rate);
        }
        // Small means, which most genes have: walk up the probabilities until they pass a uniform number.
        let share = mean / (theta + mean);
        let mut p = if theta.is_finite() { (-theta * (mean / theta).ln_1p()).exp() } else { (-mean).exp() };
        let mut left = self.uniform() - p;
        let mut k = 0.0;
        while left >= 0.0 && k < INVERSION_STEPS {
            p *= if theta.is_finite() { (theta + k) / (k + 1.0) * share } else { mean / (k + 1.0) };
            left -= p;
            k += 1.0;
            if p == 0.0 {
                break;
            }
        }
        k as u64
    }

    /// An index drawn with these weights; 0 when none is positive.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.uniform() * total;
        for (i, &w) in weights.iter().enumerate() {
            left -= w;
            if left < 0.0 && w > 0.0 {
                return i;
            }
        }
        weights.iter().rposition(|&w| w > 0.0).unwrap_or(0)
    }

    /// The numbers 0..n in random order (Fisher–Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i + 1));
        }
        order
    }

    /// `k` different numbers of 0..n, increasing; all of them when `k >= n`.
    pub fn sample(&mut self, n: usize, k: usize) -> Vec<usize> {
        if k >= n {
            return (0..n).collect();
        }
        let mut picked = self.permutation(n);
        picked.truncate(k);
        picked.sort_unstable();
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_by_seed_and_name_and_differ_otherwise() {
        let take = |s: u64, name: &str| Seed(s).stream(name).uniform();
        assert_eq!(take(1, "init"), take(1, "init"));
        assert_ne!(take(1, "init"), take(1, "shuffle"));
        assert_ne!(take(1, "init"), take(2, "init"));
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let mut s = Seed(3).stream("test");
        let n = 40_000;
        let u: f64 = (0..n).map(|_| s.uniform()).sum::<f64>() / f64::from(n);
        assert!((u - 0.5).abs() < 0.01, "{u}");
        let z: Vec<f64> = (0..n).map(|_| s.normal()).collect();
        let mean = z.iter().sum::<f64>() / f64::from(n);
        let var = z.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.02 && (var - 1.0).abs() < 0.03, "{mean} {var}");
    }

    /// Mean m and variance m + m² / θ, by inversion (small means) and by gamma and Poisson (large ones).
    #[test]
    fn negative_binomials_have_their_moments() {
        let mut s = Seed(5).stream("nb");
        for (mean, theta) in [(0.3, 0.7), (4.0, 2.0), (60.0, 5.0), (3.0, f64::INFINITY)] {
            let n = 60_000;
            let x: Vec<f64> = (0..n).map(|_| s.negative_binomial(mean, theta) as f64).collect();
            let m = x.iter().sum::<f64>() / f64::from(n);
            let v = x.iter().map(|x| (x - m).powi(2)).sum::<f64>() / f64::from(n);
            let expected = mean + mean * mean / theta;
            assert!((m / mean - 1.0).abs() < 0.03 && (v / expected - 1.0).abs() < 0.06, "{mean} {m} {v}");
        }
        assert_eq!(s.negative_binomial(0.0, 1.0) + s.negative_binomial(f64::NAN, 1.0), 0);
    }

    #[test]
    fn weighted_draws_follow_their_weights() {
        let mut s = Seed(6).stream("w");
        let mut seen = [0; 3];
        (0..9000).for_each(|_| seen[s.weighted(&[1.0, 0.0, 2.0])] += 1);
        assert!(seen[1] == 0 && (2800..3200).contains(&seen[0]), "{seen:?}");
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut p = Seed(0).stream("p").permutation(1000);
        assert_ne!(p[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        p.sort_unstable();
        assert!(p.iter().enumerate().all(|(i, &x)| i == x));
    }
}
