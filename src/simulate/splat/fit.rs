//! Laws fitted to values: a gamma law by the least Cramér–von Mises distance, a log-normal one by likelihood, and order
//! statistics as R has them.

use rayon::prelude::*;
use statrs::function::gamma::checked_gamma_lr;

use super::MeanLaw;

/// Evaluations after which a search has failed.
const MOST_EVALUATIONS: usize = 1000;
/// A search ends when its values differ by less than this share, and its points by less than that.
const VALUE_TOLERANCE: f64 = 1e-10;
const POINT_TOLERANCE: f64 = 1e-7;
/// Values one thread takes at a time; does not follow the number of threads, so that sums are the same.
const CHUNK: usize = 512;

/// The quantile of sorted values between its neighbours (type 7).
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = q * last as f64;
    let low = at as usize;
    sorted[low] + at.fract() * (sorted[(low + 1).min(last)] - sorted[low])
}

/// The median of values in any order.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// Values below the `q` quantile are raised to it, those above the 1 − `q` quantile lowered to it; sorted.
pub(super) fn winsorised(values: &[f64], q: f64) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, q), quantile(&sorted, 1.0 - q));
    sorted.into_iter().map(|v| v.clamp(low, high)).collect()
}

/// Mean and standard deviation of the natural logarithm, by maximum likelihood.
pub(super) fn log_normal(values: &[f64]) -> (f64, f64) {
    let logs: Vec<f64> = values.iter().map(|v| v.ln()).collect();
    normal(&logs)
}

/// Mean and standard deviation by maximum likelihood: n in the denominator.
pub(super) fn normal(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// A gamma law by moments; `None` when values do not vary.
pub(super) fn gamma_by_moments(values: &[f64]) -> Option<MeanLaw> {
    let (mean, sd) = normal(values);
    let law = MeanLaw { shape: (mean / sd).powi(2), rate: mean / (sd * sd) };
    (law.shape.is_finite() && law.rate.is_finite() && mean > 0.0).then_some(law)
}

/// The gamma law whose distribution function lies closest to that of sorted values, in the sense of Cramér and von Mises
/// (1 / 12n + Σ (F(xᵢ) − (2i − 1) / 2n)²), searched from its moments. `None` when the search does not end.
pub(super) fn gamma_by_distance(sorted: &[f64]) -> Option<MeanLaw> {
    let start = gamma_by_moments(sorted)?;
    // Values that came together share their distribution function.
    let mut runs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, &v) in sorted.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.0 == v => run.2 = i + 1,
            _ => runs.push((v, i, i + 1)),
        }
    }
    let n = sorted.len() as f64;
    let distance = |p: [f64; 2]| {
        let (shape, rate) = (p[0].exp(), p[1].exp());
        let parts: Vec<f64> = runs
            .par_chunks(CHUNK)
            .map(|chunk| {
                let each = |&(v, from, to): &(f64, usize, usize)| {
                    let f = checked_gamma_lr(shape, v * rate).unwrap_or(f64::NAN);
                    (from..to).map(|i| (f - (2.0 * i as f64 + 1.0) / (2.0 * n)).powi(2)).sum::<f64>()
                };
                chunk.iter().map(each).sum()
            })
            .collect();
        1.0 / (12.0 * n) + parts.iter().sum::<f64>()
    };
    let found = nelder_mead([start.shape.ln(), start.rate.ln()], distance)?;
    Some(MeanLaw { shape: found[0].exp(), rate: found[1].exp() })
}

/// The least value of a function of two numbers, after Nelder and Mead (1965) with their coefficients 1, 2, ½, ½.
fn nelder_mead(start: [f64; 2], f: impl Fn([f64; 2]) -> f64) -> Option<[f64; 2]> {
    // What is no number is worse than anything.
    let value = |p: [f64; 2]| Some(f(p)).filter(|v| v.is_finite()).unwrap_or(f64::INFINITY);
    let along = |a: [f64; 2], b: [f64; 2], t: f64| [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
    let corners = [start, [start[0] + 0.1, start[1]], [start[0], start[1] + 0.1]];
    let mut simplex = corners.map(|p| (p, value(p)));
    let mut evaluations = 3;
    while evaluations < MOST_EVALUATIONS {
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        let [best, middle, worst] = simplex;
        let size =
            simplex.iter().flat_map(|s| (0..2).map(|d| (s.0[d] - best.0[d]).abs())).fold(0.0, f64::max);
        if worst.1 - best.1 <= VALUE_TOLERANCE * best.1.abs() && size < POINT_TOLERANCE {
            return best.1.is_finite().then_some(best.0);
        }
        let centre = along(best.0, middle.0, 0.5);
        let mut at = |t: f64| {
            let p = along(centre, worst.0, t);
            evaluations += 1;
            (p, value(p))
        };
        let reflected = at(-1.0);
        if reflected.1 < best.1 {
            let expanded = at(-2.0);
            simplex[2] = if expanded.1 < reflected.1 { expanded } else { reflected };
        } else if reflected.1 < middle.1 {
            simplex[2] = reflected;
        } else {
            let contracted = if reflected.1 < worst.1 { at(-0.5) } else { at(0.5) };
            if contracted.1 < worst.1.min(reflected.1) {
                simplex[2] = contracted;
            } else {
                for s in &mut simplex[1..] {
                    let p = along(best.0, s.0, 0.5);
                    *s = (p, value(p));
                }
                evaluations += 2;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means() -> Vec<f64> {
        (1..=300).map(|i| f64::from(i * 37 % 307) / 307.0).map(|u| 2.0 * u * u / (1.02 - u)).collect()
    }

    /// R 4.2, quantile() and fitdistrplus::fitdist(winsorised, "gamma", method = "mge", gof = "CvM").
    #[test]
    fn the_gamma_law_equals_fitdistrplus() {
        let w = winsorised(&means(), 0.1);
        assert!(
            (w[0] - 0.0220414550599).abs() < 1e-9 && (w[299] - 13.4088308275).abs() < 1e-9,
            "{} {}",
            w[0],
            w[299]
        );
        let law = gamma_by_distance(&w).unwrap();
        assert!((law.shape / 0.38304567801 - 1.0).abs() < 2e-3, "{}", law.shape);
        assert!((law.rate / 0.121621785311 - 1.0).abs() < 2e-3, "{}", law.rate);
        let m = gamma_by_moments(&w).unwrap();
        assert!(
            (m.shape / 0.51639228825 - 1.0).abs() < 1e-6 && (m.rate / 0.164661123456 - 1.0).abs() < 1e-6,
            "{m:?}"
        );
    }

    #[test]
    fn values_that_do_not_vary_have_no_gamma_law() {
        assert_eq!(gamma_by_moments(&[2.0; 9]), None);
        assert_eq!(gamma_by_distance(&[2.0; 9]), None);
    }

    #[test]
    fn the_search_finds_a_narrow_valley() {
        let rosenbrock = |p: [f64; 2]| (1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2);
        let p = nelder_mead([-1.2, 1.0], rosenbrock).unwrap();
        assert!((p[0] - 1.0).abs() < 1e-5 && (p[1] - 1.0).abs() < 1e-5, "{p:?}");
        assert_eq!(nelder_mead([0.0, 0.0], |p| p[0] + p[1]), None);
    }
}
