//! A logistic curve through points, by least squares.

/// Steps after which the search has failed.
const MOST_STEPS: usize = 200;

/// Midpoint x₀ and shape k of y = 1 / (1 + exp(−k (x − x₀))), from 0 and −1 on, after Levenberg and Marquardt. `None`
/// when the search does not end.
pub(super) fn fit(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let curve = |x: f64, [x0, k]: [f64; 2]| 1.0 / (1.0 + (-k * (x - x0)).exp());
    let residual = |p: [f64; 2]| points.iter().map(|&(x, y)| (y - curve(x, p)).powi(2)).sum::<f64>();
    let mut at = [0.0, -1.0];
    let (mut value, mut damping) = (residual(at), 1e-3);
    for _ in 0..MOST_STEPS {
        let (mut a, mut b, mut d, mut u, mut v) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(x, y) in points {
            let f = curve(x, at);
            let slope = f * (1.0 - f);
            let (by_x0, by_k) = (-at[1] * slope, (x - at[0]) * slope);
            a += by_x0 * by_x0;
            b += by_x0 * by_k;
            d += by_k * by_k;
            u += by_x0 * (y - f);
            v += by_k * (y - f);
        }
        let (da, dd) = (a * (1.0 + damping), d * (1.0 + damping));
        let determinant = da * dd - b * b;
        let step = [(dd * u - b * v) / determinant, (da * v - b * u) / determinant];
        let next = [at[0] + step[0], at[1] + step[1]];
        let found = residual(next);
        if found.is_finite() && found <= value {
            let small = (0..2).all(|i| step[i].abs() <= 1e-10 * (1.0 + at[i].abs()));
            (at, value) = (next, found);
            damping = (0.1 * damping).max(1e-12);
            if small {
                return Some((at[0], at[1]));
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                return None;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R 4.2: nls(y ~ 1 / (1 + exp(-k * (x - x0))), start = list(x0 = 0, k = -1)).
    #[test]
    fn the_curve_equals_nls() {
        let points: Vec<(f64, f64)> = (0..60)
            .map(|i| {
                let x = f64::from(i) / 10.0 - 4.0;
                (x, 1.0 / (1.0 + (1.3 * (x - 0.7)).exp()) + 0.02 * (f64::from(i * 7 % 11) / 5.0 - 1.0))
            })
            .collect();
        let (x0, k) = fit(&points).unwrap();
        assert!((x0 - 0.70084115471).abs() < 1e-5 && (k - -1.29776040103).abs() < 1e-5, "{x0} {k}");
    }

    #[test]
    fn points_without_a_curve_are_refused() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(f64::NAN, 0.5)]), None);
    }
}
