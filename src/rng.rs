//! Seeds and their named streams: the only place that makes a random generator.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
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

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut p = Seed(0).stream("p").permutation(1000);
        assert_ne!(p[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        p.sort_unstable();
        assert!(p.iter().enumerate().all(|(i, &x)| i == x));
    }
}
