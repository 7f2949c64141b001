//! Change of medians: one dot per marker, sample against controls or against the truth.

use super::super::labels::{Ground, Label, place};
use super::super::scale::{drawable, number, range, widen};
use super::super::svg::{Anchor, Rect, Svg, fit, text_width};
use super::super::{MedianChange, Medians};
use super::{Axes, with_unit};

const WIDTH: f64 = 530.0;
const HEIGHT: f64 = 510.0;
const FONT: f64 = 12.0;
/// Labels at most, the most shifted markers first.
const LABELS: usize = 14;

/// What the sample's change is set against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Against {
    /// The change of the controls: was the correction carried over?
    Controls,
    /// The change it should have made: was it right?
    Truth,
}

struct Dot<'a> {
    marker: &'a str,
    value: [f64; 2],
    at: [f64; 2],
}

/// The scatter plot; `None` when no marker has both changes.
pub(in super::super) fn change_plot(id: &str, m: &Medians, against: Against, unit: &str) -> Option<String> {
    let pairs: Vec<(&str, [f64; 2])> = m.changes.iter().filter_map(|c| pair(c, against)).collect();
    let ends = range(pairs.iter().flat_map(|p| p.1).chain([0.0]))?;
    if pairs.is_empty() {
        return None;
    }
    // The same range on both axes, so that the line of equal change is the diagonal.
    let ends = widen(ends, 0.09);
    let area = Rect { x: 62.0, y: 14.0, w: WIDTH - 62.0 - 14.0, h: HEIGHT - 14.0 - 50.0 };
    let axes = Axes::linear(area, ends, ends);
    let dots: Vec<Dot<'_>> =
        pairs.iter().map(|(marker, value)| Dot { marker, value: *value, at: axes.at(*value) }).collect();

    let (title, x_name) = match against {
        Against::Controls => ("Change of medians, sample against controls", "change in the controls"),
        Against::Truth => ("Change of medians, sample against truth", "true change of the sample"),
    };
    let desc = format!(
        "{} markers; x: {x_name}, y: change in the sample. {}",
        dots.len(),
        corner(m, against).join(", ")
    );
    let mut svg = Svg::new(id, WIDTH, HEIGHT, title, &desc);
    axes.draw(&mut svg, (6, 6));
    svg.line(axes.at([ends.0, 0.0]), axes.at([ends.1, 0.0]), "zero");
    svg.line(axes.at([0.0, ends.0]), axes.at([0.0, ends.1]), "zero");
    svg.line(axes.at([ends.0, ends.0]), axes.at([ends.1, ends.1]), "identity");
    let stats = stats_box(&corner(m, against), &dots, area);
    let taken: Vec<Rect> = stats.iter().map(|s| s.0).collect();
    draw_dots(&mut svg, &dots, &taken, area);
    if let Some((bounds, lines)) = stats {
        for (i, line) in lines.iter().enumerate() {
            let y = bounds.y + 17.0 + 18.0 * i as f64;
            svg.text([bounds.x + 8.0, y], Anchor::Start, "stats", line);
        }
    }
    axes.close(&mut svg);
    axes.x_label(&mut svg, &with_unit(x_name, unit));
    axes.y_label(&mut svg, &with_unit("change in the sample", unit));
    Some(svg.finish())
}

fn pair(c: &MedianChange, against: Against) -> Option<(&str, [f64; 2])> {
    let x = match against {
        Against::Controls => c.control_change,
        Against::Truth => c.true_change?,
    };
    (drawable(x) && drawable(c.sample_change)).then_some((c.marker.as_str(), [x, c.sample_change]))
}

fn corner(m: &Medians, against: Against) -> Vec<String> {
    let line = |name: &str, v: Option<f64>| {
        v.filter(|v| v.is_finite()).map(|v| format!("{name} = {}", number(v, 3)))
    };
    let lines = match against {
        Against::Controls => vec![line("r", m.r), line("slope", m.slope), line("RMSE", m.rmse)],
        Against::Truth => vec![line("r_true", m.r_true)],
    };
    lines.into_iter().flatten().collect()
}

/// The corner off the diagonal that holds fewer dots.
fn stats_box(lines: &[String], dots: &[Dot<'_>], area: Rect) -> Option<(Rect, Vec<String>)> {
    let w = lines.iter().map(|l| text_width(l, 14.0)).fold(0.0, f64::max) + 16.0;
    let h = 18.0 * lines.len() as f64 + 8.0;
    let upper = Rect { x: area.x + 6.0, y: area.y + 6.0, w, h };
    let lower = Rect { x: area.right() - w - 6.0, y: area.bottom() - h - 6.0, w, h };
    let count = |r: &Rect| {
        let near = Rect { x: r.x - 15.0, y: r.y - 15.0, w: r.w + 30.0, h: r.h + 30.0 };
        dots.iter().filter(|d| near.overlaps(&Rect { x: d.at[0], y: d.at[1], w: 0.1, h: 0.1 })).count()
    };
    (!lines.is_empty()).then(|| (if count(&lower) < count(&upper) { lower } else { upper }, lines.to_vec()))
}

fn draw_dots(svg: &mut Svg, dots: &[Dot<'_>], taken: &[Rect], area: Rect) {
    // Named are the markers that moved far, on either axis.
    let mut order: Vec<&Dot<'_>> = dots.iter().collect();
    let shift = |d: &Dot<'_>| d.value[0].abs().max(d.value[1].abs());
    order.sort_by(|a, b| shift(b).total_cmp(&shift(a)));
    order.truncate(LABELS);
    let names: Vec<String> = order.iter().map(|d| fit(d.marker, FONT, 150.0)).collect();
    let labels: Vec<Label<'_>> = order.iter().zip(&names).map(|(d, text)| Label { text, at: d.at }).collect();
    let all: Vec<[f64; 2]> = dots.iter().map(|d| d.at).collect();
    let inner = Rect { x: area.x + 2.0, y: area.y + 2.0, w: area.w - 4.0, h: area.h - 4.0 };
    let diagonal = ([area.x, area.bottom()], [area.right(), area.y]);
    let ground = Ground { dots: &all, taken, lines: &[diagonal], frame: inner };
    let placed = place(&labels, &ground, FONT);
    for (p, label) in placed.iter().filter_map(|p| labels.get(p.index).map(|l| (p, l))) {
        if let Some(end) = p.leader {
            svg.line(label.at, end, "leader");
        }
    }
    for d in dots {
        let tip = format!("{}: {} → {}", d.marker, number(d.value[0], 3), number(d.value[1], 3));
        svg.dot(d.at, 4.5, "marker-dot", None, &tip);
    }
    for (p, label) in placed.iter().filter_map(|p| labels.get(p.index).map(|l| (p, l))) {
        svg.text(p.text_at, Anchor::Middle, "name", label.text);
    }
}
