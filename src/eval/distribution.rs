//! One-dimensional distributions.

/// Median of unsorted values (mean of the middle two when even); NaN when empty. Reorders its input.
pub fn median(values: &mut [f32]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (low, &mut high, _) = values.select_nth_unstable_by(n / 2, f32::total_cmp);
    let high = f64::from(high);
    if n % 2 == 1 {
        return high;
    }
    let below = low.iter().copied().max_by(f32::total_cmp).map_or(high, f64::from);
    0.5 * (below + high)
}

/// Earth mover's (first Wasserstein) distance between two samples; NaN when one is empty. Sorts its input.
///
/// The area between the two empirical distribution functions, as `scipy.stats.wasserstein_distance`.
pub fn emd(a: &mut [f32], b: &mut [f32]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return f64::NAN;
    }
    a.sort_unstable_by(f32::total_cmp);
    b.sort_unstable_by(f32::total_cmp);
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let (mut i, mut j, mut area) = (0, 0, 0.0);
    let mut x = f64::from(a[0].min(b[0]));
    while i < a.len() || j < b.len() {
        let next = match (a.get(i), b.get(j)) {
            (Some(&u), Some(&v)) => f64::from(u.min(v)),
            (Some(&u), None) => f64::from(u),
            (None, Some(&v)) => f64::from(v),
            (None, None) => break,
        };
        area += (i as f64 / na - j as f64 / nb).abs() * (next - x);
        x = next;
        while a.get(i).is_some_and(|&u| f64::from(u) <= x) {
            i += 1;
        }
        while b.get(j).is_some_and(|&v| f64::from(v) <= x) {
            j += 1;
        }
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_even_counts_is_between_the_middle_two() {
        assert_eq!(median(&mut [4.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(&mut []).is_nan());
    }

    /// scipy 1.16:
    /// wasserstein_distance([0, 1, 3], [5, 6, 8]) = 5.0
    /// wasserstein_distance([0.5, 1.25, 3, 3], [1.0, 3.5]) = 0.4375
    /// wasserstein_distance([1, 1, 2], [1, 2, 2]) = 0.33333
    #[test]
    fn emd_equals_scipy() {
        let near = |x: f64, y: f64| assert!((x - y).abs() < 1e-7, "{x} {y}");
        near(emd(&mut [0.0, 1.0, 3.0], &mut [5.0, 6.0, 8.0]), 5.0);
        near(emd(&mut [0.5, 1.25, 3.0, 3.0], &mut [1.0, 3.5]), 0.4375);
        near(emd(&mut [1.0, 1.0, 2.0], &mut [1.0, 2.0, 2.0]), 1.0 / 3.0);
        near(emd(&mut [2.0, 7.0], &mut [7.0, 2.0]), 0.0);
        assert!(emd(&mut [], &mut [1.0]).is_nan());
    }
}
