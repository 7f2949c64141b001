//! Real and generated cells: clouds, ROC curves, zeros of genes.

use std::fmt::Write as _;

use super::super::scale::{drawable, quantile_range, widen};
use super::super::svg::{Anchor, Rect, Svg, num};
use super::super::{Cloud, RocCurve, ZeroShares};
use super::{Axes, FULL, GENERATED, REAL, TYPES};

/// Paths per colour: over several, dense places look dense, and no colour hides another.
const LAYERS: usize = 8;
/// Genes drawn at most.
const GENES: usize = 4000;

/// Cells as dots of one colour.
struct Dots {
    colour: &'static str,
    at: Vec<[f64; 2]>,
}

/// Both on top of each other | real cells by type | generated cells by type; `None` without a cell to draw.
pub(in super::super) fn cloud(id: &str, c: &Cloud) -> Option<String> {
    let places = |cells: &[([f64; 2], Option<usize>)]| cells.iter().map(|c| c.0).collect::<Vec<_>>();
    let (real, generated) = (places(&c.real), places(&c.generated));
    let along = |i: usize| {
        let all = real.iter().chain(&generated).filter(|p| drawable(p[0]) && drawable(p[1]));
        let mut all: Vec<f64> = all.filter_map(|p| p.get(i).copied()).collect();
        quantile_range(&mut all, 0.001).map(|r| widen(r, 0.05))
    };
    let (x, y) = (along(0)?, along(1)?);
    let both =
        vec![Dots { colour: REAL, at: real.clone() }, Dots { colour: GENERATED, at: generated.clone() }];
    let mut parts = vec![("Real and generated", both)];
    let by_type = |cells: &[([f64; 2], Option<usize>)]| {
        let of = |t: usize| cells.iter().filter(|c| c.1 == Some(t)).map(|c| c.0).collect();
        let dots = |t: usize| Dots { colour: TYPES[t % TYPES.len()], at: of(t) };
        (0..c.types.len()).map(dots).collect::<Vec<_>>()
    };
    if c.types.is_empty() {
        parts.push(("Real cells", vec![Dots { colour: REAL, at: real.clone() }]));
        parts.push(("Generated cells", vec![Dots { colour: GENERATED, at: generated.clone() }]));
    } else {
        parts.push(("Real cells by type", by_type(&c.real)));
        parts.push(("Generated cells by type", by_type(&c.generated)));
    }
    let (left, gap, top, height) = (60.0, 42.0, 28.0, 320.0);
    let w = (FULL - left - 8.0 - gap * 2.0) / 3.0;
    let desc = format!("{} real and {} generated cells", real.len(), generated.len());
    let mut svg = Svg::new(id, FULL, top + height + 48.0, "Real and generated cells", &desc);
    for (i, (title, dots)) in parts.iter().enumerate() {
        let area = Rect { x: left + i as f64 * (w + gap), y: top, w, h: height };
        let axes = Axes::linear(area, x, y);
        axes.draw(&mut svg, (5, 6));
        svg.text([area.x, area.y - 9.0], Anchor::Start, "part", title);
        svg.begin_clip(area);
        let n: usize = dots.iter().map(|d| d.at.len()).sum();
        let opacity = ((900.0 / n.max(1) as f64).clamp(0.25, 0.8) * 100.0).round() / 100.0;
        for layer in 0..LAYERS {
            for d in dots {
                let attributes =
                    format!("class=\"cells\" stroke=\"{}\" stroke-opacity=\"{opacity}\"", d.colour);
                svg.path(&specks(d.at.iter().skip(layer).step_by(LAYERS), &axes), &attributes);
            }
        }
        svg.end_clip();
        axes.close(&mut svg);
        axes.x_label(&mut svg, &c.x);
        if i == 0 {
            axes.y_label(&mut svg, &c.y);
        }
    }
    Some(svg.finish())
}

/// Lines of no length; their round ends make the dots.
fn specks<'a>(at: impl Iterator<Item = &'a [f64; 2]>, axes: &Axes) -> String {
    let mut d = String::new();
    for p in at.filter(|p| drawable(p[0]) && drawable(p[1])) {
        let [x, y] = axes.at(*p);
        let _ = write!(d, "M{} {}h0", num(x), num(y));
    }
    d
}

fn square(width: f64) -> Rect {
    Rect { x: 62.0, y: 12.0, w: width - 62.0 - 14.0, h: width - 62.0 - 14.0 }
}

/// ROC curves; `None` when there is none.
pub(in super::super) fn roc(id: &str, curves: &[RocCurve]) -> Option<String> {
    if curves.iter().all(|c| c.points.is_empty()) {
        return None;
    }
    let width = 520.0;
    let axes = Axes::linear(square(width), (0.0, 1.0), (0.0, 1.0));
    let desc: Vec<String> = curves.iter().map(|c| format!("{}: AUC {}", c.name, c.auc)).collect();
    let mut svg = Svg::new(id, width, axes.area.bottom() + 48.0, "ROC curves", &desc.join(", "));
    axes.draw(&mut svg, (5, 5));
    svg.line(axes.at([0.0, 0.0]), axes.at([1.0, 1.0]), "identity");
    for (i, curve) in curves.iter().enumerate() {
        let mut d = String::new();
        for &(x, y) in curve.points.iter().filter(|p| drawable(p.0) && drawable(p.1)) {
            let [x, y] = axes.at([x, y]);
            let _ = write!(d, "{}{} {}", if d.is_empty() { 'M' } else { 'L' }, num(x), num(y));
        }
        svg.path(&d, &format!("class=\"roc-line\" stroke=\"{}\"", TYPES[i % TYPES.len()]));
    }
    axes.close(&mut svg);
    axes.x_label(&mut svg, "others taken for real");
    axes.y_label(&mut svg, "real cells taken for real");
    Some(svg.finish())
}

/// Share of zeros of each gene; `None` without genes.
pub(in super::super) fn zeros(id: &str, z: &ZeroShares) -> Option<String> {
    let step = z.genes.len().div_ceil(GENES).max(1);
    let drawn: Vec<[f64; 2]> = z.genes.iter().step_by(step).copied().collect();
    if drawn.is_empty() {
        return None;
    }
    let width = 520.0;
    let axes = Axes::linear(square(width), (0.0, 1.0), (0.0, 1.0));
    let desc = format!("{} genes, {} of them drawn", z.genes.len(), drawn.len());
    let mut svg = Svg::new(id, width, axes.area.bottom() + 48.0, "Share of zeros of each gene", &desc);
    axes.draw(&mut svg, (5, 5));
    svg.line(axes.at([0.0, 0.0]), axes.at([1.0, 1.0]), "identity");
    for layer in 0..LAYERS {
        let attributes = format!("class=\"cells\" stroke=\"{REAL}\" stroke-opacity=\"0.35\"");
        svg.path(&specks(drawn.iter().skip(layer).step_by(LAYERS), &axes), &attributes);
    }
    axes.close(&mut svg);
    axes.x_label(&mut svg, "share of zeros in real cells");
    axes.y_label(&mut svg, "in generated cells");
    Some(svg.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_drawn_twice_and_cells_without_a_type_once() {
        let cells = |n: usize| {
            (0..n).map(|i| ([i as f64, (i % 7) as f64], (i % 3 < 2).then_some(i % 3))).collect::<Vec<_>>()
        };
        let c = Cloud {
            types: vec!["a".into(), "b<".into()],
            real: cells(30),
            generated: cells(60),
            ..Cloud::default()
        };
        let svg = cloud("c", &c).unwrap();
        assert_eq!(svg.matches("h0").count(), 90 + 20 + 40);
        assert!(cloud("c", &Cloud::default()).is_none());
    }

    #[test]
    fn curves_and_genes_are_drawn_where_there_are_some() {
        assert!(roc("r", &[]).is_none() && zeros("z", &ZeroShares::default()).is_none());
        let curve = RocCurve { points: vec![(0.0, 0.0), (0.2, 0.9), (1.0, 1.0)], ..RocCurve::default() };
        assert!(roc("r", &[curve]).unwrap().contains("roc-line"));
        let z = ZeroShares { genes: vec![[0.5, 0.4]; 9000], difference: 0.1 };
        assert_eq!(zeros("z", &z).unwrap().matches("h0").count(), 3000);
    }
}
