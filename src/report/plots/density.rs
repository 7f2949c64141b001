//! Densities of one marker in controls and sample: a small plot per marker.

use std::fmt::Write as _;

use super::super::scale::{drawable, quantile_range, widen};
use super::super::svg::{Anchor, Rect, Svg, fit, num};
use super::super::{MarkerValues, Role};
use super::Axes;

const WIDTH: f64 = 212.0;
const HEIGHT: f64 = 126.0;
/// Points of a curve; two pixels each.
const CELLS: usize = 101;

/// The small plot; `None` when no group has a value to draw.
pub(in super::super) fn density(id: &str, m: &MarkerValues) -> Option<String> {
    let groups: Vec<(Role, Vec<f64>)> = Role::ALL
        .iter()
        .filter_map(|r| values(m, *r).map(|v| (*r, v)))
        .map(|(r, v)| (r, v.iter().map(|x| f64::from(*x)).filter(|x| drawable(*x)).collect()))
        .collect();
    let mut all: Vec<f64> = groups.iter().flat_map(|g| g.1.iter().copied()).collect();
    let range = widen(quantile_range(&mut all, 0.001)?, 0.07);
    let curves: Vec<(Role, Vec<f64>)> =
        groups.iter().filter(|g| !g.1.is_empty()).map(|(r, v)| (*r, curve(v, range))).collect();
    let top = curves.iter().flat_map(|c| c.1.iter().copied()).fold(0.0_f64, f64::max);
    let area = Rect { x: 4.0, y: 24.0, w: WIDTH - 8.0, h: HEIGHT - 24.0 - 20.0 };
    let axes = Axes::linear(area, range, (0.0, if top > 0.0 { top * 1.04 } else { 1.0 }));

    let desc: Vec<String> = groups.iter().map(|(r, v)| format!("{}: {} cells", r.name(), v.len())).collect();
    let mut svg =
        Svg::new(id, WIDTH, HEIGHT, &format!("{}: density per group of cells", m.marker), &desc.join(", "));
    svg.text([area.x, 15.0], Anchor::Start, "part", &fit(&m.marker, 14.0, area.w));
    for t in axes.x.ticks(5) {
        let x = axes.x.at(t.at);
        svg.line([x, area.y], [x, area.bottom()], "grid");
        // A label at the very edge would be cut off.
        if x > 10.0 && x < WIDTH - 10.0 {
            svg.text([x, area.bottom() + 14.0], Anchor::Middle, "tick", &t.label);
        }
    }
    svg.line([area.x, area.bottom()], [area.right(), area.bottom()], "base");
    for (role, c) in &curves {
        let line = trace(c, range, &axes);
        if *role == Role::After {
            let foot = num(area.bottom());
            let closed = format!("{line}L{} {foot}L{} {foot}Z", num(area.right()), num(area.x));
            svg.path(&closed, &format!("class=\"area\" fill=\"{}\"", role.colour()));
        }
        let dashes = role.dashes().map(|d| format!(" stroke-dasharray=\"{d}\"")).unwrap_or_default();
        svg.path(&line, &format!("class=\"curve\" stroke=\"{}\"{dashes}", role.colour()));
    }
    Some(svg.finish())
}

fn values(m: &MarkerValues, role: Role) -> Option<&[f32]> {
    match role {
        Role::SourceControl => Some(&m.source_control),
        Role::TargetControl => Some(&m.target_control),
        Role::Before => Some(&m.before),
        Role::After => Some(&m.after),
        Role::Truth => m.truth.as_deref(),
    }
}

/// Gaussian kernel density on an even grid: values shared between the two nearest cells, then smoothed.
fn curve(values: &[f64], (lo, hi): (f64, f64)) -> Vec<f64> {
    let step = (hi - lo) / (CELLS - 1) as f64;
    let weight = 1.0 / values.len() as f64;
    let mut mass = [0.0; CELLS];
    for v in values {
        let at = (v - lo) / step;
        if !(0.0..=(CELLS - 1) as f64).contains(&at) {
            continue;
        }
        let left = (at.floor() as usize).min(CELLS - 2);
        let share = at - left as f64;
        mass[left] += weight * (1.0 - share);
        mass[left + 1] += weight * share;
    }
    // Narrower than a cell or so the grid would show instead of the data.
    let sd = (bandwidth(values) / step).clamp(1.3, 8.0);
    let reach = (3.5 * sd).ceil() as usize;
    let kernel: Vec<f64> = (0..=reach).map(|i| (-0.5 * (i as f64 / sd).powi(2)).exp()).collect();
    let whole = 2.0 * kernel.iter().sum::<f64>() - 1.0;
    (0..CELLS)
        .map(|i| {
            let near = i.saturating_sub(reach)..=(i + reach).min(CELLS - 1);
            near.map(|j| mass[j] * kernel[i.abs_diff(j)]).sum::<f64>() / whole
        })
        .collect()
}

/// Two thirds of Silverman's rule, which blurs markers with two peaks; the spread of the middle half where that
/// is smaller.
fn bandwidth(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let mut sorted = values.to_vec();
    let quartiles = quantile_range(&mut sorted, 0.25).map_or(0.0, |(a, b)| b - a) / 1.34;
    let spread = if quartiles > 0.0 { sd.min(quartiles) } else { sd };
    0.6 * spread * n.powf(-0.2)
}

/// The curve as a path, without the points a straight line passes through anyhow.
fn trace(curve: &[f64], (lo, hi): (f64, f64), axes: &Axes) -> String {
    let step = (hi - lo) / (CELLS - 1) as f64;
    let points: Vec<(String, String)> = curve
        .iter()
        .enumerate()
        .map(|(i, v)| axes.at([lo + step * i as f64, *v]))
        .map(|p| (num(p[0]), num(p[1])))
        .collect();
    let mut d = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        let level = |j: Option<usize>| j.and_then(|j| points.get(j)).is_some_and(|p| p.1 == *y);
        if level(i.checked_sub(1)) && level(Some(i + 1)) {
            continue;
        }
        let _ = write!(d, "{}{x} {y}", if i == 0 { 'M' } else { 'L' });
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_sums_to_one_and_peaks_where_the_values_are() {
        let values: Vec<f64> = (0..500).map(|i| 3.0 + (f64::from(i) - 250.0) / 500.0).collect();
        let c = curve(&values, (0.0, 10.0));
        assert!((c.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let peak = c.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert!((28..=32).contains(&peak), "{peak}");
    }

    #[test]
    fn values_beyond_the_axis_lower_the_curve_and_do_not_pile_up_at_its_end() {
        let c = curve(&[1.0, 1.0, 50.0, -50.0], (0.0, 2.0));
        assert!((c.iter().sum::<f64>() - 0.5).abs() < 1e-6);
        assert!(c[CELLS - 1] < 1e-6);
    }

    #[test]
    fn one_value_gives_a_peak_and_no_nan() {
        assert!(curve(&[1.0], (0.5, 1.5)).iter().all(|v| v.is_finite()));
    }
}
