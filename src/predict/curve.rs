//! Variance as a curve of the mean: bins of the log mean, joined by a monotone cubic.

/// Bins of the mean.
const BINS: usize = 40;

/// Means and variances below these say nothing.
const LEAST: (f64, f64) = (1e-4, 1e-6);

/// Variance as a curve of the mean.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
    slope: Vec<f64>,
}

impl Curve {
    /// Fits it to pairs of mean and variance; `None` when none of them can be used.
    pub(super) fn fit(pairs: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let mut at: Vec<(f64, f64)> =
            pairs.filter(|p| p.0 > LEAST.0 && p.1 > LEAST.1).map(|(m, v)| (m.ln(), v.ln())).collect();
        at.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let edges = quantiles(&at, BINS)?;
        let mut sums = vec![(0.0, 0.0, 0.0); BINS];
        for (m, v) in &at {
            // As many edges as lie left of the value, less one.
            let bin = edges.partition_point(|e| e < m).saturating_sub(1).min(BINS - 1);
            let s = &mut sums[bin];
            *s = (s.0 + 1.0, s.1 + m, s.2 + v);
        }
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (n, m, v) in sums.into_iter().filter(|s| s.0 > 0.0) {
            let m = m / n;
            if x.last().is_none_or(|last| m > last + 1e-9) {
                x.push(m);
                y.push(v / n);
            }
        }
        let slope = slopes(&x, &y);
        Some(Self { x, y, slope })
    }

    /// Variance at a mean. Right of the data it stays as it is, left of it variance falls with the mean.
    pub(super) fn at(&self, mean: f64) -> f64 {
        let m = mean.max(1e-6).ln();
        let (first, last) = (self.x[0], self.x[self.x.len() - 1]);
        (self.cubic(m.clamp(first, last)) + (m - first).min(0.0)).exp()
    }

    fn cubic(&self, m: f64) -> f64 {
        let n = self.x.len();
        if n == 1 {
            return self.y[0];
        }
        let i = self.x.partition_point(|x| *x <= m).clamp(1, n - 1) - 1;
        let h = self.x[i + 1] - self.x[i];
        let t = (m - self.x[i]) / h;
        let (t2, t3) = (t * t, t * t * t);
        (2.0 * t3 - 3.0 * t2 + 1.0) * self.y[i]
            + (t3 - 2.0 * t2 + t) * h * self.slope[i]
            + (3.0 * t2 - 2.0 * t3) * self.y[i + 1]
            + (t3 - t2) * h * self.slope[i + 1]
    }
}

/// `n` + 1 evenly spaced quantiles of sorted values, linear between neighbours; `None` of none.
fn quantiles(sorted: &[(f64, f64)], n: usize) -> Option<Vec<f64>> {
    let last = sorted.len().checked_sub(1)?;
    Some(
        (0..=n)
            .map(|i| {
                let at = i as f64 / n as f64 * last as f64;
                let below = at.floor() as usize;
                let (a, b) = (sorted[below].0, sorted[(below + 1).min(last)].0);
                a + (b - a) * at.fract()
            })
            .collect(),
    )
}

/// Slopes that let no cubic between two knots leave their range (Fritsch and Butland 1984), as PCHIP sets them.
fn slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    if n < 2 {
        return vec![0.0; n];
    }
    let h: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
    let d: Vec<f64> = y.windows(2).zip(&h).map(|(w, h)| (w[1] - w[0]) / h).collect();
    if n == 2 {
        return vec![d[0]; 2];
    }
    let mut out = vec![0.0; n];
    for i in 1..n - 1 {
        if d[i - 1] * d[i] > 0.0 {
            let (a, b) = (2.0 * h[i] + h[i - 1], h[i] + 2.0 * h[i - 1]);
            out[i] = (a + b) / (a / d[i - 1] + b / d[i]);
        }
    }
    out[0] = end(h[0], h[1], d[0], d[1]);
    out[n - 1] = end(h[n - 2], h[n - 3], d[n - 2], d[n - 3]);
    out
}

/// Slope at an end, from three points, kept to the shape of the data.
fn end(h0: f64, h1: f64, d0: f64, d1: f64) -> f64 {
    let s = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
    match () {
        () if s * d0 <= 0.0 => 0.0,
        () if d0 * d1 <= 0.0 && s.abs() > 3.0 * d0.abs() => 3.0 * d0,
        () => s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1, PchipInterpolator([0, 1, 2.5, 3, 5], [1, 3, 2, 2.5, 7]) at 0.5, 1.7, 2.8, 4 and 5: made by
    /// fixtures/make/make_perturbation.py.
    #[test]
    fn the_cubic_equals_scipy() {
        let (x, y) = (vec![0.0, 1.0, 2.5, 3.0, 5.0], vec![1.0, 3.0, 2.0, 2.5, 7.0]);
        let c = Curve { slope: slopes(&x, &y), x, y };
        for (at, expected) in PCHIP {
            assert!((c.cubic(at) - expected).abs() < 1e-12, "{at}: {} {expected}", c.cubic(at));
        }
    }

    const PCHIP: [(f64, f64); 5] = [
        (0.5, 2.3833333333333333),
        (1.7, 2.5499259259259257),
        (2.8, 2.2314285714285713),
        (4.0, 4.258928571428571),
        (5.0, 7.0),
    ];

    #[test]
    fn a_power_law_is_found_again_and_goes_on_to_small_means() {
        let pairs = (1..2000).map(|i| f64::from(i) / 500.0).map(|m| (m, 0.7 * m));
        let c = Curve::fit(pairs).unwrap();
        for m in [0.01, 0.3, 2.0, 3.9] {
            assert!((c.at(m) / (0.7 * m) - 1.0).abs() < 0.03, "{m} {}", c.at(m));
        }
        assert!((c.at(1e-5) / 0.7e-5 - 1.0).abs() < 0.3, "{}", c.at(1e-5));
        assert!(Curve::fit([(0.0, 0.0), (-1.0, 2.0)].into_iter()).is_none());
        assert!((Curve::fit([(2.0, 3.0)].into_iter()).unwrap().at(9.0) - 3.0).abs() < 1e-12);
    }
}
