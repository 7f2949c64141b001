//! Does the sample move as the controls moved (NE Table 2)?

/// How one set of per-marker changes agrees with another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Pearson correlation; `None` when one side does not vary.
    pub r: Option<f64>,
    /// Slope of `v` on `u`, least squares with intercept; `None` when `u` does not vary.
    pub slope: Option<f64>,
    /// Root of the mean squared difference.
    pub rmse: f64,
}

/// Pearson correlation; `None` when there are fewer than two pairs or one side does not vary.
pub fn pearson(u: &[f64], v: &[f64]) -> Option<f64> {
    let (suu, suv, svv) = moments(u, v)?;
    let r = suv / (suu * svv).sqrt();
    r.is_finite().then_some(r.clamp(-1.0, 1.0))
}

/// Agreement of `v` (the sample's changes) with `u` (the controls' changes).
pub fn agreement(u: &[f64], v: &[f64]) -> Agreement {
    let slope = moments(u, v).map(|(suu, suv, _)| suv / suu).filter(|s| s.is_finite());
    let n = u.len().min(v.len());
    let square: f64 = u.iter().zip(v).map(|(u, v)| (u - v) * (u - v)).sum();
    Agreement { r: pearson(u, v), slope, rmse: (square / n as f64).sqrt() }
}

/// Centred sums of squares and products.
fn moments(u: &[f64], v: &[f64]) -> Option<(f64, f64, f64)> {
    if u.len() != v.len() || u.len() < 2 {
        return None;
    }
    let n = u.len() as f64;
    let (mu, mv) = (u.iter().sum::<f64>() / n, v.iter().sum::<f64>() / n);
    Some(u.iter().zip(v).fold((0.0, 0.0, 0.0), |(a, b, c), (x, y)| {
        (a + (x - mu) * (x - mu), b + (x - mu) * (y - mv), c + (y - mv) * (y - mv))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.16: linregress([0, 1, 2, 5], [1, 1.5, 4, 6]): slope 1.0357143, rvalue 0.9631947
    #[test]
    fn correlation_and_slope_equal_scipy() {
        let a = agreement(&[0.0, 1.0, 2.0, 5.0], &[1.0, 1.5, 4.0, 6.0]);
        assert!((a.slope.unwrap() - 1.035_714_286).abs() < 1e-8, "{a:?}");
        assert!((a.r.unwrap() - 0.963_194_7).abs() < 1e-6, "{a:?}");
        assert!((a.rmse - ((1.0 + 0.25 + 4.0 + 1.0) / 4.0f64).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn no_change_has_no_correlation() {
        assert_eq!(pearson(&[1.0, 2.0, 3.0], &[0.0, 0.0, 0.0]), None);
        assert_eq!(agreement(&[1.0, 2.0], &[0.0, 0.0]).slope, Some(0.0));
    }
}
