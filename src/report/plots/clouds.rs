//! Clouds of cells, side by side on the same axes: principal components, and two markers.

use std::fmt::Write as _;

use super::super::scale::{drawable, number, quantile_range, widen};
use super::super::svg::{Anchor, Rect, Svg, fit, num};
use super::super::{Biaxial, PcaCloud, Points, Role};
use super::{Axes, FULL, with_unit};

/// Paths per group. Within one path overlapping dots do not add up; over several they do, so that dense places
/// look dense, and groups are drawn in turns, so that none hides another.
const LAYERS: usize = 12;
/// Share of cells that may lie beyond either end of an axis.
const TAIL: f64 = 0.002;

/// One of the plots side by side.
struct Part {
    title: &'static str,
    roles: Vec<Role>,
    arrows: Vec<(Role, Role)>,
    guides: Option<Role>,
}

/// Controls and sample on two principal components, before | after; `None` without a point to draw.
pub(in super::super) fn pca(id: &str, cloud: &PcaCloud) -> Option<String> {
    use Role::{After, Before, SourceControl, TargetControl};
    let parts = [
        Part {
            title: "Before",
            roles: vec![SourceControl, TargetControl, Before],
            arrows: vec![(SourceControl, TargetControl)],
            guides: None,
        },
        Part {
            title: "After",
            roles: vec![TargetControl, After],
            arrows: vec![(SourceControl, TargetControl), (Before, After)],
            guides: None,
        },
    ];
    let name = |i: usize| {
        let share = cloud.explained.get(i).copied().filter(|v| v.is_finite());
        match share {
            Some(v) => format!("PC{} ({} % of variance)", i + 1, number(100.0 * v, 1)),
            None => format!("PC{}", i + 1),
        }
    };
    let text = Text {
        title: "Principal components of controls and sample, before and after".to_owned(),
        x: name(0),
        y: name(1),
    };
    draw(id, &cloud.groups, &parts, 420.0, &text)
}

/// Two markers against each other: controls | sample before | sample after (| truth).
pub(in super::super) fn biaxial(id: &str, b: &Biaxial, unit: &str) -> Option<String> {
    use Role::{After, Before, SourceControl, TargetControl, Truth};
    let mut parts = vec![
        Part {
            title: "Controls",
            roles: vec![SourceControl, TargetControl],
            arrows: vec![(SourceControl, TargetControl)],
            guides: None,
        },
        Part { title: "Sample before", roles: vec![Before], arrows: vec![], guides: Some(Before) },
        Part {
            title: "Sample after",
            roles: vec![After],
            arrows: vec![(Before, After)],
            guides: Some(Before),
        },
    ];
    if b.groups.iter().any(|g| g.role == Truth && !g.at.is_empty()) {
        parts.push(Part {
            title: "Held-out truth",
            roles: vec![Truth],
            arrows: vec![(Before, Truth)],
            guides: Some(Before),
        });
    }
    let text = Text {
        title: format!("{} against {}: controls, sample before and after", b.y, b.x),
        x: with_unit(&fit(&b.x, 13.0, 150.0), unit),
        y: with_unit(&fit(&b.y, 13.0, 200.0), unit),
    };
    let height = if parts.len() > 3 { 240.0 } else { 310.0 };
    draw(id, &b.groups, &parts, height, &text)
}

struct Text {
    title: String,
    x: String,
    y: String,
}

fn draw(id: &str, groups: &[Points], parts: &[Part], height: f64, text: &Text) -> Option<String> {
    let drawn = |p: &&[f64; 2]| drawable(p[0]) && drawable(p[1]);
    let is_shown = |g: &&Points| parts.iter().any(|p| p.roles.contains(&g.role));
    let along = |i: usize| {
        let mut all: Vec<f64> = groups
            .iter()
            .filter(is_shown)
            .flat_map(|g| g.at.iter().filter(drawn))
            .filter_map(|p| p.get(i).copied())
            .collect();
        quantile_range(&mut all, TAIL).map(|r| widen(r, 0.06))
    };
    let (x, y) = (along(0)?, along(1)?);
    let (left, gap, top) = (60.0, 42.0, 28.0);
    let n = parts.len() as f64;
    let w = (FULL - left - 8.0 - gap * (n - 1.0)) / n;
    let desc: Vec<String> = groups
        .iter()
        .filter(is_shown)
        .map(|g| format!("{}: {} cells", g.role.name(), g.at.iter().filter(drawn).count()))
        .collect();
    let mut svg = Svg::new(id, FULL, top + height + 48.0, &text.title, &desc.join(", "));
    for (i, part) in parts.iter().enumerate() {
        let area = Rect { x: left + i as f64 * (w + gap), y: top, w, h: height };
        let axes = Axes::linear(area, x, y);
        axes.draw(&mut svg, (((w / 65.0) as usize).max(3), 6));
        svg.text([area.x, area.y - 9.0], Anchor::Start, "part", part.title);
        draw_part(&mut svg, &axes, groups, part);
        axes.close(&mut svg);
        axes.x_label(&mut svg, &text.x);
        if i == 0 {
            axes.y_label(&mut svg, &text.y);
        }
    }
    Some(svg.finish())
}

fn draw_part(svg: &mut Svg, axes: &Axes, groups: &[Points], part: &Part) {
    svg.begin_clip(axes.area);
    if let Some(m) = part.guides.and_then(|r| middle(groups, r)) {
        let at = axes.at(m);
        svg.line([at[0], axes.area.y], [at[0], axes.area.bottom()], "guide");
        svg.line([axes.area.x, at[1]], [axes.area.right(), at[1]], "guide");
    }
    let shown: Vec<&Points> = groups.iter().filter(|g| part.roles.contains(&g.role)).collect();
    for layer in 0..LAYERS {
        for g in &shown {
            let attributes = format!(
                "class=\"cells\" stroke=\"{}\" stroke-opacity=\"{}\"",
                g.role.colour(),
                opacity(g.at.len())
            );
            svg.path(&dots(&g.at, layer, axes), &attributes);
        }
    }
    svg.end_clip();
    for (from, to) in &part.arrows {
        if let (Some(a), Some(b)) = (middle(groups, *from), middle(groups, *to)) {
            svg.arrow(axes.at(a), axes.at(b), if *from == Role::Before { "move" } else { "drift" });
        }
    }
    // The place an arrow starts from belongs to it, though its cells are not drawn there.
    let starts = part.arrows.iter().map(|a| a.0).filter(|r| !part.roles.contains(r));
    for role in starts.chain(part.roles.iter().copied()) {
        if let Some(m) = middle(groups, role) {
            let tip = format!("median of {}: {}, {}", role.name(), number(m[0], 2), number(m[1], 2));
            svg.dot(axes.at(m), 5.0, "centre", Some(role.colour()), &tip);
        }
    }
}

/// Every `LAYERS`-th cell as a line of no length; its round ends make the dot.
fn dots(at: &[[f64; 2]], layer: usize, axes: &Axes) -> String {
    let mut d = String::new();
    for p in at.iter().skip(layer).step_by(LAYERS).filter(|p| drawable(p[0]) && drawable(p[1])) {
        let [x, y] = axes.at(*p);
        let _ = write!(d, "M{} {}h0", num(x), num(y));
    }
    d
}

/// Fainter the more cells there are.
fn opacity(n: usize) -> f64 {
    let v = (600.0 / n.max(1) as f64).clamp(0.18, 0.7);
    (v * 100.0).round() / 100.0
}

/// Median of the points drawn, each coordinate by itself.
fn middle(groups: &[Points], role: Role) -> Option<[f64; 2]> {
    let g = groups.iter().find(|g| g.role == role)?;
    let along = |i: usize| {
        let mut v: Vec<f64> =
            g.at.iter().filter_map(|p| p.get(i).copied()).filter(|v| drawable(*v)).collect();
        v.sort_by(f64::total_cmp);
        let n = v.len();
        let upper = *v.get(n / 2)?;
        Some(if n % 2 == 1 { upper } else { f64::midpoint(*v.get(n / 2 - 1)?, upper) })
    };
    Some([along(0)?, along(1)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_median_of_finite_points() {
        let at = vec![[1.0, 5.0], [3.0, 7.0], [f64::NAN, 9.0], [f64::INFINITY, 11.0]];
        let groups = [Points { role: Role::Before, at }];
        assert_eq!(middle(&groups, Role::Before), Some([2.0, 8.0]));
        assert_eq!(middle(&groups, Role::After), None);
    }

    #[test]
    fn each_cell_is_drawn_once_over_all_layers() {
        let at: Vec<[f64; 2]> = (0..100).map(|i| [f64::from(i), 0.0]).collect();
        let area = Rect { x: 0.0, y: 0.0, w: 99.0, h: 10.0 };
        let axes = Axes::linear(area, (0.0, 99.0), (-1.0, 1.0));
        let all: String = (0..LAYERS).map(|l| dots(&at, l, &axes)).collect();
        assert_eq!(all.matches("h0").count(), 100);
        assert!(all.contains("M57 5h0"));
    }
}
