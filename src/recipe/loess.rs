//! Local quadratic regression on one variable, with the curve between a few exact points that Cleveland's program draws:
//! the data are cut in halves until no cell holds more than a fifth of a neighbourhood; value and slope are fitted at the
//! borders of the cells, and cubics join them.

/// Share of a neighbourhood that one cell holds at most.
const CELL: f64 = 0.2;

/// Fitted values at `x`. `span` is the share of the points that each local fit sees. `None` when there are too few points
/// or they coincide.
pub(super) fn loess(x: &[f64], y: &[f64], span: f64) -> Option<Vec<f64>> {
    let n = x.len();
    let near = ((n as f64 * span + 1e-5).floor() as usize).min(n);
    if near < 4 || y.len() != n || x.iter().chain(y).any(|v| !v.is_finite()) {
        return None;
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let sorted: Vec<(f64, f64)> = order.iter().map(|&i| (x[i], y[i])).collect();
    let knots = borders(&sorted, (n as f64 * span * CELL).floor() as usize);
    let fits = knots.iter().map(|&q| local(&sorted, q, near)).collect::<Option<Vec<_>>>()?;
    Some(x.iter().map(|&x| between(&knots, &fits, x)).collect())
}

/// Borders of the cells, ascending: ends a little outside the data, and cuts at data points.
fn borders(sorted: &[(f64, f64)], most: usize) -> Vec<f64> {
    let (low, high) = (sorted[0].0, sorted[sorted.len() - 1].0);
    let margin = 0.005 * (high - low).max(1e-10 * low.abs().max(high.abs()) + 1e-30);
    let mut all = vec![low - margin, high + margin];
    let mut cells = vec![(0, sorted.len() - 1, low - margin, high + margin)];
    while let Some((from, to, left, right)) = cells.pop() {
        if to - from < most.max(1) {
            continue;
        }
        let cut_after = cut(sorted, from, to);
        let at = sorted[cut_after].0;
        if at == left || at == right {
            continue;
        }
        all.push(at);
        cells.push((from, cut_after, left, at));
        cells.push((cut_after + 1, to, at, right));
    }
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

/// The last point of the left half: the middle one, or the nearest to it whose right neighbour differs.
fn cut(sorted: &[(f64, f64)], from: usize, to: usize) -> usize {
    // Counted from 1, the middle is rounded down.
    let middle = (from + to + 2) / 2 - 1;
    for away in 0..=(to - from) {
        for at in [Some(middle + away), middle.checked_sub(away)] {
            // Ran past an end: all that was seen coincides.
            let Some(at) = at.filter(|at| (from..to).contains(at)) else { return middle };
            if sorted[at].0 != sorted[at + 1].0 {
                return at;
            }
        }
    }
    middle
}

/// Value and slope at `q` of the quadratic through its `near` nearest points, weighted by distance.
fn local(sorted: &[(f64, f64)], q: f64, near: usize) -> Option<(f64, f64)> {
    // The nearest points are neighbours in the sorted list.
    let mut from = 0;
    while from + near < sorted.len() && sorted[from + near].0 - q < q - sorted[from].0 {
        from += 1;
    }
    let points = sorted.get(from..from + near)?;
    let radius = points.iter().map(|p| (p.0 - q).abs()).fold(0.0, f64::max);
    if radius == 0.0 {
        return None;
    }
    let rows: Vec<[f64; 4]> = points
        .iter()
        .map(|&(x, y)| {
            let w = (1.0 - ((x - q).abs() / radius).powi(3)).powi(3).max(0.0).sqrt();
            let u = (x - q) / radius;
            [w, w * u, w * u * u, w * y]
        })
        .collect();
    let c = least_squares(rows)?;
    Some((c[0], c[1] / radius))
}

/// Coefficients of three columns that fit the fourth best, by Gram-Schmidt done twice over.
fn least_squares(mut rows: Vec<[f64; 4]>) -> Option<[f64; 3]> {
    let mut r = [[0.0; 4]; 3];
    for k in 0..3 {
        let size = rows.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt();
        for j in 0..k {
            // What rounding left of the earlier columns.
            let rest: f64 = rows.iter().map(|row| row[j] * row[k]).sum();
            r[j][k] += rest;
            rows.iter_mut().for_each(|row| row[k] -= rest * row[j]);
        }
        let norm = rows.iter().map(|row| row[k] * row[k]).sum::<f64>().sqrt();
        if norm <= 1e-14 * size || norm == 0.0 {
            return None;
        }
        rows.iter_mut().for_each(|row| row[k] /= norm);
        r[k][k] = norm;
        for j in k + 1..4 {
            let along: f64 = rows.iter().map(|row| row[k] * row[j]).sum();
            r[k][j] = along;
            rows.iter_mut().for_each(|row| row[j] -= along * row[k]);
        }
    }
    let mut c = [0.0; 3];
    for k in (0..3).rev() {
        let known: f64 = (k + 1..3).map(|j| r[k][j] * c[j]).sum();
        c[k] = (r[k][3] - known) / r[k][k];
    }
    Some(c)
}

/// The cubic with given value and slope at the two knots around `x`.
fn between(knots: &[f64], fits: &[(f64, f64)], x: f64) -> f64 {
    let right = knots.partition_point(|k| *k < x).clamp(1, knots.len() - 1);
    let (from, to) = (knots[right - 1], knots[right]);
    let ((v0, s0), (v1, s1)) = (fits[right - 1], fits[right]);
    let wide = to - from;
    let h = (x - from) / wide;
    let g = 1.0 - h;
    g * g * (1.0 + 2.0 * h) * v0 + h * h * (3.0 - 2.0 * h) * v1 + (h * g * g * s0 - h * h * g * s1) * wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_its_own_fit() {
        let x: Vec<f64> = (0..50).map(|i| f64::from(i * i) / 100.0).collect();
        let y: Vec<f64> = x.iter().map(|x| 1.0 - 2.0 * x + 0.3 * x * x).collect();
        for (fit, y) in loess(&x, &y, 0.3).unwrap().iter().zip(&y) {
            assert!((fit - y).abs() < 1e-9 * y.abs().max(1.0), "{fit} {y}");
        }
    }

    #[test]
    fn points_that_coincide_or_are_too_few_have_no_curve() {
        assert!(loess(&[1.0; 20], &[0.0; 20], 0.3).is_none());
        assert!(loess(&[1.0, 2.0, 3.0], &[0.0; 3], 0.3).is_none());
    }

    #[test]
    fn ties_go_to_one_side_of_a_cut() {
        let points: Vec<(f64, f64)> = [0., 1., 1., 1., 1., 5., 6.].iter().map(|&x| (x, 0.0)).collect();
        assert_eq!(cut(&points, 0, 6), 4);
        assert_eq!(cut(&points[1..], 0, 5), 3);
        let same = vec![(1.0, 0.0); 6];
        assert_eq!(cut(&same, 0, 5), 2);
    }
}
