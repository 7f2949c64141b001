//! A predicted response: genes on two axes, violins of several sets of cells, clouds of them.

use std::fmt::Write as _;

use super::super::labels::{Ground, Label, place};
use super::super::perturbation::colour;
use super::super::scale::{drawable, quantile_range, widen};
use super::super::svg::{Anchor, Rect, Svg, fit, num, text_width};
use super::super::{GeneScatter, SetCloud, SetViolin};
use super::violin::shape;
use super::{Axes, FULL, with_unit};

/// Genes without a name that are drawn at most.
const GENES: usize = 4000;

/// Cells of a set that are drawn at most.
const CELLS: usize = 3000;

/// Genes on two axes of the same range; `None` without one to draw.
pub(in super::super) fn scatter(id: &str, s: &GeneScatter) -> Option<String> {
    let width = 520.0;
    let sound = |p: &[f64; 2]| drawable(p[0]) && drawable(p[1]);
    let drawn: Vec<&([f64; 2], Option<String>)> = s.genes.iter().filter(|g| sound(&g.0)).collect();
    let mut all: Vec<f64> = drawn.iter().flat_map(|g| g.0).collect();
    let range = widen(quantile_range(&mut all, 0.0)?, 0.05);
    let area = Rect { x: 62.0, y: 26.0, w: width - 76.0, h: width - 76.0 };
    let axes = Axes::linear(area, range, range);
    let mut svg = Svg::new(id, width, area.bottom() + 48.0, &s.title, &s.says);
    svg.text([area.x, 16.0], Anchor::Start, "part", &s.title);
    axes.draw(&mut svg, (5, 5));
    let ends = (axes.at([range.0, range.0]), axes.at([range.1, range.1]));
    svg.line(ends.0, ends.1, "identity");
    let step = drawn.len().div_ceil(GENES).max(1);
    let mut d = String::new();
    for g in drawn.iter().filter(|g| g.1.is_none()).step_by(step) {
        let [x, y] = axes.at(g.0);
        let _ = write!(d, "M{} {}h0", num(x), num(y));
    }
    svg.path(&d, &format!("class=\"cells\" stroke=\"{}\" stroke-opacity=\"0.5\"", colour(0)));
    let named: Vec<(&str, [f64; 2])> =
        drawn.iter().filter_map(|g| Some((g.1.as_deref()?, axes.at(g.0)))).collect();
    let dots: Vec<[f64; 2]> = named.iter().map(|n| n.1).collect();
    for (name, at) in &named {
        svg.dot(*at, 3.5, "marker-dot", None, name);
    }
    let labels: Vec<Label<'_>> = named.iter().map(|(text, at)| Label { text, at: *at }).collect();
    let ground = Ground { dots: &dots, taken: &[], lines: &[ends], frame: area };
    for p in place(&labels, &ground, 12.0) {
        if let Some(end) = p.leader {
            svg.line(labels[p.index].at, end, "leader");
        }
        svg.text(p.text_at, Anchor::Middle, "name", labels[p.index].text);
    }
    axes.close(&mut svg);
    axes.x_label(&mut svg, &s.x);
    axes.y_label(&mut svg, &s.y);
    Some(svg.finish())
}

/// A gene over sets of cells, one shape each; `None` without a value.
pub(in super::super) fn violins_of(id: &str, v: &SetViolin, unit: &str) -> Option<String> {
    let (width, height) = (530.0, 250.0);
    let sets: Vec<(usize, &str, Vec<f64>)> = v
        .sets
        .iter()
        .enumerate()
        .map(|(i, s)| (i, s.0.as_str(), s.1.iter().map(|x| f64::from(*x)).filter(|x| drawable(*x)).collect()))
        .filter(|s: &(usize, &str, Vec<f64>)| !s.2.is_empty())
        .collect();
    let mut all: Vec<f64> = sets.iter().flat_map(|s| s.2.iter().copied()).collect();
    let range = widen(quantile_range(&mut all, 0.0005)?, 0.06);
    let area = Rect { x: 62.0, y: 24.0, w: width - 70.0, h: height - 52.0 };
    let axes = Axes::linear(area, (0.0, sets.len() as f64), range);
    let desc: Vec<String> = sets.iter().map(|s| format!("{}: {} cells", s.1, s.2.len())).collect();
    let mut svg = Svg::new(id, width, height, &v.gene, &desc.join("; "));
    svg.text([area.x, 15.0], Anchor::Start, "part", &fit(&v.gene, 14.0, area.w));
    svg.rect(area, "ground");
    for t in axes.y.ticks(5) {
        let y = axes.y.at(t.at);
        svg.line([area.x, y], [area.right(), y], "grid");
        svg.text([area.x - 7.0, y + 4.0], Anchor::End, "tick", &t.label);
    }
    let slot = area.w / sets.len() as f64;
    for (k, (i, name, values)) in sets.iter().enumerate() {
        let middle = area.x + (k as f64 + 0.5) * slot;
        for side in [-1.0, 1.0] {
            let d = shape(values, range, middle, side * slot * 0.4, area.y..area.bottom());
            svg.path(&d, &format!("class=\"half\" fill=\"{}\"", colour(*i)));
        }
        let most = slot - 6.0;
        let label = if text_width(name, 12.0) > most { fit(name, 12.0, most) } else { (*name).to_owned() };
        svg.text([middle, area.bottom() + 16.0], Anchor::Middle, "tick", &label);
    }
    axes.close(&mut svg);
    axes.y_label(&mut svg, &with_unit("expression", if unit.len() > 24 { "" } else { unit }));
    Some(svg.finish())
}

/// All sets on the same axes; `None` without a cell to draw.
pub(in super::super) fn clouds_of(id: &str, c: &SetCloud) -> Option<String> {
    let along = |i: usize| {
        let all = c.sets.iter().flat_map(|s| &s.1).filter(|p| drawable(p[0]) && drawable(p[1]));
        let mut all: Vec<f64> = all.map(|p| p[i]).collect();
        quantile_range(&mut all, 0.001).map(|r| widen(r, 0.05))
    };
    let (x, y) = (along(0)?, along(1)?);
    let area = Rect { x: 60.0, y: 12.0, w: FULL - 68.0, h: 420.0 };
    let axes = Axes::linear(area, x, y);
    let desc: Vec<String> = c.sets.iter().map(|s| format!("{}: {} cells", s.0, s.1.len())).collect();
    let mut svg = Svg::new(id, FULL, area.bottom() + 48.0, "Cells on components", &desc.join("; "));
    axes.draw(&mut svg, (8, 6));
    svg.begin_clip(area);
    // Others first, so that they lie below what is asked about.
    let order = (0..c.sets.len()).rev();
    for i in order {
        let step = c.sets[i].1.len().div_ceil(CELLS).max(1);
        let mut d = String::new();
        for p in c.sets[i].1.iter().step_by(step).filter(|p| drawable(p[0]) && drawable(p[1])) {
            let [x, y] = axes.at(*p);
            let _ = write!(d, "M{} {}h0", num(x), num(y));
        }
        svg.path(&d, &format!("class=\"cells\" stroke=\"{}\" stroke-opacity=\"0.6\"", colour(i)));
    }
    svg.end_clip();
    axes.close(&mut svg);
    axes.x_label(&mut svg, &c.x);
    axes.y_label(&mut svg, &c.y);
    Some(svg.finish())
}
