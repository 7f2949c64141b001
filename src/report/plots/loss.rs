//! Training loss over steps.

use std::fmt::Write as _;

use super::super::scale::{Scale, drawable, number, range, widen};
use super::super::svg::{Rect, Svg, num};
use super::{Axes, FULL};

/// Points of the line; more steps than that are put together.
const POINTS: usize = 400;
const HEIGHT: f64 = 270.0;

/// A stretch of steps drawn as one point.
struct Stretch {
    step: f64,
    mean: f64,
    low: f64,
    high: f64,
}

/// The loss curve; `None` when no step has a loss to draw.
pub(in super::super) fn loss(id: &str, steps: &[(f64, f64)]) -> Option<String> {
    let mut steps: Vec<(f64, f64)> =
        steps.iter().copied().filter(|(s, l)| drawable(*s) && drawable(*l)).collect();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let stretches = stretches(&steps);
    let (first, last) = range(steps.iter().map(|s| s.0))?;
    let (low, high) = range(steps.iter().map(|s| s.1))?;
    // A logarithmic axis when the values span more than a decade.
    let log = low > 0.0 && high / low > 10.0;
    let area = Rect { x: 70.0, y: 10.0, w: FULL - 70.0 - 18.0, h: HEIGHT - 10.0 - 48.0 };
    let x = if last > first { (first, last) } else { widen((first, last), 0.0) };
    let x = Scale::linear(x, area.x, area.right());
    let y = if log {
        Scale::log((low / 1.15, high * 1.15), area.bottom(), area.y)
    } else {
        Scale::linear(widen((low, high), 0.06), area.bottom(), area.y)
    };
    let axes = Axes { area, x, y };
    let desc = match (steps.first(), steps.last()) {
        (Some(a), Some(b)) => {
            format!("{} values; from {} to {}", steps.len(), number(a.1, 4), number(b.1, 4))
        }
        _ => String::new(),
    };
    let mut svg = Svg::new(id, FULL, HEIGHT, "Training loss", &desc);
    axes.draw(&mut svg, (10, 5));
    svg.begin_clip(area);
    if stretches.len() < steps.len() {
        let upper = stretches.iter().map(|s| [s.step, s.high]);
        let lower = stretches.iter().rev().map(|s| [s.step, s.low]);
        svg.path(&format!("{}Z", trace(upper.chain(lower), &axes)), "class=\"band\"");
    }
    svg.path(&trace(stretches.iter().map(|s| [s.step, s.mean]), &axes), "class=\"loss-line\"");
    svg.end_clip();
    axes.close(&mut svg);
    axes.x_label(&mut svg, "training step");
    axes.y_label(&mut svg, if log { "loss (log axis)" } else { "loss" });
    Some(svg.finish())
}

fn stretches(steps: &[(f64, f64)]) -> Vec<Stretch> {
    let size = steps.len().div_ceil(POINTS).max(1);
    steps
        .chunks(size)
        .map(|c| {
            let n = c.len() as f64;
            Stretch {
                step: c.iter().map(|s| s.0).sum::<f64>() / n,
                mean: c.iter().map(|s| s.1).sum::<f64>() / n,
                low: c.iter().map(|s| s.1).fold(f64::INFINITY, f64::min),
                high: c.iter().map(|s| s.1).fold(f64::NEG_INFINITY, f64::max),
            }
        })
        .collect()
}

fn trace(points: impl Iterator<Item = [f64; 2]>, axes: &Axes) -> String {
    let mut d = String::new();
    for p in points {
        let [x, y] = axes.at(p);
        let _ = write!(d, "{}{} {}", if d.is_empty() { 'M' } else { 'L' }, num(x), num(y));
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_steps_are_put_together_without_losing_one() {
        let steps: Vec<(f64, f64)> = (0..10_001).map(|i| (f64::from(i), 1.0 + f64::from(i % 7))).collect();
        let s = stretches(&steps);
        assert!(s.len() <= POINTS);
        assert!(s.iter().all(|s| s.low == 1.0 && s.high == 7.0 || s.high == s.low || s.step > 9_975.0));
    }

    #[test]
    fn the_axis_is_logarithmic_over_more_than_a_decade() {
        let svg = loss("l", &[(0.0, 10.0), (1.0, 0.5)]).unwrap();
        assert!(svg.contains("log axis"));
        let svg = loss("l", &[(0.0, 10.0), (1.0, 5.0)]).unwrap();
        assert!(!svg.contains("log axis"));
        let svg = loss("l", &[(0.0, 10.0), (1.0, -5.0)]).unwrap();
        assert!(!svg.contains("log axis"));
    }

    #[test]
    fn no_loss_no_figure_and_one_value_is_one_figure() {
        assert!(loss("l", &[]).is_none());
        assert!(loss("l", &[(0.0, f64::NAN)]).is_none());
        assert!(loss("l", &[(0.0, 1.0)]).is_some());
    }
}
