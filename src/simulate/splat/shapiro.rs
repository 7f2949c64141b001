//! The Shapiro–Wilk test of normality, after Royston's algorithm AS R94 (Applied Statistics 44, 1995), as in R and scipy.

use statrs::function::erf::{erfc, erfc_inv};

/// Values the algorithm was made for.
pub(super) const MOST: usize = 5000;

/// W and the probability of one as small under normality. `None` for fewer than 3 or more than 5,000 values, or values
/// that are all the same.
pub fn shapiro_wilk(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    if !(3..=MOST).contains(&n) || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut x = values.to_vec();
    x.sort_by(f64::total_cmp);
    let mean = x.iter().sum::<f64>() / n as f64;
    let spread: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
    if x[n - 1] - x[0] <= 1e-19 || spread <= 0.0 {
        return None;
    }
    let between: f64 = weights(n).iter().enumerate().map(|(i, a)| a * (x[n - 1 - i] - x[i])).sum();
    let w = (between * between / spread).min(1.0);
    Some((w, probability(w, n)))
}

/// Weight of the difference of the largest and the smallest value, of the next two, ….
fn weights(n: usize) -> Vec<f64> {
    if n == 3 {
        return vec![0.5f64.sqrt()];
    }
    // Expected order statistics of the upper half, after Blom.
    let quantile = |u: f64| -std::f64::consts::SQRT_2 * erfc_inv(2.0 * u);
    let m: Vec<f64> = (0..n / 2).map(|i| -quantile((i as f64 + 1.0 - 0.375) / (n as f64 + 0.25))).collect();
    let sum: f64 = 2.0 * m.iter().map(|v| v * v).sum::<f64>();
    let root = 1.0 / (n as f64).sqrt();
    let first =
        m[0] / sum.sqrt() + polynomial(&[0.0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056], root);
    if n <= 5 {
        let scale = ((sum - 2.0 * m[0] * m[0]) / (1.0 - 2.0 * first * first)).sqrt();
        return std::iter::once(first).chain(m[1..].iter().map(|v| v / scale)).collect();
    }
    let second =
        m[1] / sum.sqrt() + polynomial(&[0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633], root);
    let scale = ((sum - 2.0 * m[0] * m[0] - 2.0 * m[1] * m[1])
        / (1.0 - 2.0 * first * first - 2.0 * second * second))
        .sqrt();
    [first, second].into_iter().chain(m[2..].iter().map(|v| v / scale)).collect()
}

/// The chance of such a W, or a smaller one: 1 − W is close to log-normal.
fn probability(w: f64, n: usize) -> f64 {
    if n == 3 {
        let p = 6.0 / std::f64::consts::PI * (w.sqrt().asin() - 0.75f64.sqrt().asin());
        return p.clamp(0.0, 1.0);
    }
    let (size, log) = (n as f64, (n as f64).ln());
    let mut y = (1.0 - w).ln();
    let (mean, sd) = if n <= 11 {
        let gamma = polynomial(&[-2.273, 0.459], size);
        if y >= gamma {
            return 0.0;
        }
        y = -(gamma - y).ln();
        (
            polynomial(&[0.544, -0.39978, 0.025054, -6.714e-4], size),
            polynomial(&[1.3822, -0.77857, 0.062767, -0.0020322], size).exp(),
        )
    } else {
        (
            polynomial(&[-1.5861, -0.31082, -0.083751, 0.0038915], log),
            polynomial(&[-0.4803, -0.082676, 0.0030302], log).exp(),
        )
    };
    0.5 * erfc((y - mean) / sd / std::f64::consts::SQRT_2)
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17: scipy.stats.shapiro(x).
    #[test]
    fn w_and_p_equal_scipy() {
        let skewed = |n: usize| (0..n).map(|i| ((i * 37 % 101) as f64 / 25.0).exp()).collect::<Vec<_>>();
        let even = |n: usize| (0..n).map(|i| ((i * 37 % 101) as f64).sqrt()).collect::<Vec<_>>();
        for (x, w, p) in [
            (skewed(3), 0.8834381061041114, 0.3345699697782043),
            (skewed(5), 0.8012078880103678, 0.08288909601670777),
            (even(9), 0.9306171650138833, 0.48724460591733915),
            (skewed(11), 0.821543953644391, 0.01807284437349562),
            (even(12), 0.9425777278406907, 0.5321708188933398),
            (even(60), 0.9461502266593145, 0.010305959874313242),
            (skewed(60), 0.8125850738481601, 2.8199402480851845e-07),
            (even(1001), 0.9456545287935343, 1.0176878317498844e-18),
        ] {
            let (found, chance) = shapiro_wilk(&x).unwrap();
            assert!((found - w).abs() < 2e-6, "{}: W {found} {w}", x.len());
            assert!((chance - p).abs() < 1e-4 * (p + 1e-3), "{}: p {chance} {p}", x.len());
        }
    }

    #[test]
    fn what_cannot_be_tested_is_refused() {
        assert_eq!(shapiro_wilk(&[1.0, 2.0]), None);
        assert_eq!(shapiro_wilk(&[3.0; 9]), None);
        assert_eq!(shapiro_wilk(&[1.0, 2.0, f64::NAN]), None);
        assert_eq!(shapiro_wilk(&vec![0.0; MOST + 1]), None);
    }
}
