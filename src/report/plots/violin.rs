//! One gene in several types: half a shape for real cells, half for generated ones.

use std::fmt::Write as _;

use super::super::Violin;
use super::super::scale::{drawable, quantile_range, widen};
use super::super::svg::{Anchor, Rect, Svg, fit, num, text_width};
use super::{Axes, GENERATED, REAL, with_unit};

const WIDTH: f64 = 530.0;
const HEIGHT: f64 = 250.0;
/// Points along a shape.
const CELLS: usize = 61;

/// The plot; `None` without a value to draw.
pub(in super::super) fn violin(id: &str, v: &Violin, unit: &str) -> Option<String> {
    let finite =
        |values: &[f32]| values.iter().map(|x| f64::from(*x)).filter(|x| drawable(*x)).collect::<Vec<_>>();
    let groups: Vec<(&str, Vec<f64>, Vec<f64>)> =
        v.groups.iter().map(|g| (g.name.as_str(), finite(&g.real), finite(&g.generated))).collect();
    let mut all: Vec<f64> = groups.iter().flat_map(|g| g.1.iter().chain(&g.2).copied()).collect();
    let range = widen(quantile_range(&mut all, 0.0005)?, 0.06);
    let n = groups.len();
    let slot = (WIDTH - 62.0 - 8.0) / n as f64;
    let slanted = groups.iter().any(|g| text_width(g.0, 12.0) > slot - 4.0);
    let below = if slanted { 62.0 } else { 24.0 };
    let area = Rect { x: 62.0, y: 24.0, w: WIDTH - 62.0 - 8.0, h: HEIGHT - 24.0 - below };
    let axes = Axes::linear(area, (0.0, n as f64), range);
    let title = if v.marks.is_empty() { v.gene.clone() } else { format!("{} (marks {})", v.gene, v.marks) };
    let desc: Vec<String> = groups
        .iter()
        .map(|(name, real, made)| format!("{name}: {} real, {} generated cells", real.len(), made.len()))
        .collect();
    let mut svg = Svg::new(id, WIDTH, HEIGHT, &title, &desc.join("; "));
    svg.text([area.x, 15.0], Anchor::Start, "part", &fit(&title, 14.0, area.w));
    svg.rect(area, "ground");
    for t in axes.y.ticks(5) {
        let y = axes.y.at(t.at);
        svg.line([area.x, y], [area.right(), y], "grid");
        svg.text([area.x - 7.0, y + 4.0], Anchor::End, "tick", &t.label);
    }
    for (i, (name, real, made)) in groups.iter().enumerate() {
        let middle = area.x + (i as f64 + 0.5) * slot;
        for (values, side, colour) in [(real, -1.0, REAL), (made, 1.0, GENERATED)] {
            let shape = half(values, range, middle, side * slot * 0.44, &axes);
            svg.path(&shape, &format!("class=\"half\" fill=\"{colour}\""));
        }
        if slanted {
            svg.text_slanted([middle + 4.0, area.bottom() + 12.0], "tick", &fit(name, 12.0, 72.0));
        } else {
            svg.text([middle, area.bottom() + 16.0], Anchor::Middle, "tick", name);
        }
    }
    axes.close(&mut svg);
    axes.y_label(&mut svg, &with_unit("expression", if unit.len() > 24 { "" } else { unit }));
    Some(svg.finish())
}

/// Half a violin: the share of values along the axis, the widest place `width` wide.
fn half(values: &[f64], range: (f64, f64), middle: f64, width: f64, axes: &Axes) -> String {
    shape(values, range, middle, width, axes.area.y..axes.area.bottom())
}

/// The same between two heights, the upper one first: the ends of the range.
pub(super) fn shape(
    values: &[f64],
    (lo, hi): (f64, f64),
    middle: f64,
    width: f64,
    between: std::ops::Range<f64>,
) -> String {
    let height = |v: f64| between.end - (v - lo) / (hi - lo) * (between.end - between.start);
    if values.is_empty() {
        return String::new();
    }
    let step = (hi - lo) / (CELLS - 1) as f64;
    let mut mass = [0.0; CELLS];
    for v in values {
        let at = ((v - lo) / step).clamp(0.0, (CELLS - 1) as f64);
        let left = (at.floor() as usize).min(CELLS - 2);
        let share = at - left as f64;
        mass[left] += 1.0 - share;
        mass[left + 1] += share;
    }
    // A narrow kernel: zeros are a place of their own, and would otherwise spread over what lies beside them.
    let kernel: [f64; 5] = [0.06, 0.24, 0.4, 0.24, 0.06];
    let near = |i: usize, k: usize| (i + k).checked_sub(2).and_then(|j| mass.get(j)).copied().unwrap_or(0.0);
    let at = |i: usize| kernel.iter().enumerate().map(|(k, w)| w * near(i, k)).sum::<f64>();
    // Roots: a gene that most cells lack would otherwise be a flat disc and a line.
    let curve: Vec<f64> = (0..CELLS).map(|i| at(i).sqrt()).collect();
    let top = curve.iter().copied().fold(0.0, f64::max);
    let mut d = format!("M{} {}", num(middle), num(height(lo)));
    for (i, c) in curve.iter().enumerate() {
        let _ = write!(d, "L{} {}", num(middle + width * c / top), num(height(lo + step * i as f64)));
    }
    let _ = write!(d, "L{} {}Z", num(middle), num(height(hi)));
    d
}

#[cfg(test)]
mod tests {
    use super::super::super::ViolinGroup;
    use super::*;

    #[test]
    fn halves_stand_left_and_right_and_missing_ones_are_left_out() {
        let group = |name: &str, generated: Vec<f32>| ViolinGroup {
            name: name.into(),
            real: vec![0.0, 0.0, 1.0, 2.0],
            generated,
        };
        let v = Violin {
            gene: "CD3D".into(),
            marks: "T".into(),
            groups: vec![group("T", vec![0.0, f32::NAN, 3.0]), group("B", vec![])],
        };
        let svg = violin("v", &v, "ln(1 + x)").unwrap();
        assert_eq!(svg.matches("class=\"half\"").count(), 3);
        assert!(!svg.contains("NaN"));
        assert!(violin("v", &Violin::default(), "").is_none());
    }
}
