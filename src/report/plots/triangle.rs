//! Correlations between genes: real ones above the diagonal, generated ones below.

use std::fmt::Write as _;

use super::super::Triangle;
use super::super::svg::{Anchor, Rect, Svg, fit, num};

const WIDTH: f64 = 760.0;
/// Steps of colour from −1 to 0 and from 0 to 1.
const STEPS: i32 = 20;

/// The figure; `None` for fewer than two genes or matrices of another size.
pub(in super::super) fn triangle(id: &str, t: &Triangle) -> Option<String> {
    let n = t.genes.len();
    if n < 2 || t.real.len() != n * n || t.generated.len() != n * n {
        return None;
    }
    let area = Rect { x: 96.0, y: 26.0, w: WIDTH - 96.0 - 90.0, h: WIDTH - 96.0 - 90.0 };
    let side = area.w / n as f64;
    let desc = format!("{n} genes; above the diagonal real cells, below generated cells");
    let mut svg = Svg::new(id, WIDTH, area.bottom() + 34.0, "Correlations of marker genes", &desc);
    // One path for each colour.
    let mut cells = vec![String::new(); (2 * STEPS + 1) as usize];
    for i in 0..n {
        for j in 0..n {
            let r = if j > i { t.real[i * n + j] } else { t.generated[i * n + j] };
            if i == j || !r.is_finite() {
                continue;
            }
            let step = (r.clamp(-1.0, 1.0) * f64::from(STEPS)).round() as i32 + STEPS;
            let (x, y) = (area.x + j as f64 * side, area.y + i as f64 * side);
            let (x0, y0, x1, y1) = (num(x), num(y), num(x + side), num(y + side));
            if let Some(d) = cells.get_mut(step as usize) {
                let _ = write!(d, "M{x0} {y0}H{x1}V{y1}H{x0}Z");
            }
        }
    }
    for (step, d) in cells.iter().enumerate() {
        svg.path(d, &format!("fill=\"{}\"", colour(step as i32 - STEPS)));
    }
    svg.rect(area, "frame");
    svg.line([area.x, area.y], [area.right(), area.bottom()], "base");
    let every = (n as f64 / 60.0).ceil() as usize;
    for (i, gene) in t.genes.iter().enumerate().step_by(every.max(1)) {
        let y = area.y + (i as f64 + 0.5) * side + 3.0;
        svg.text([area.x - 5.0, y], Anchor::End, "gene", &fit(gene, 9.0, 86.0));
    }
    svg.text([area.right(), area.y - 8.0], Anchor::End, "part", "Real cells");
    svg.text([area.x, area.bottom() + 20.0], Anchor::Start, "part", "Generated cells");
    scale(&mut svg, area);
    Some(svg.finish())
}

/// The key to the colours.
fn scale(svg: &mut Svg, area: Rect) {
    let (x, h) = (area.right() + 22.0, area.h / 2.0);
    let each = h / f64::from(2 * STEPS + 1);
    for step in -STEPS..=STEPS {
        let y = area.y + f64::from(STEPS - step) * each;
        let (x0, x1, y0, y1) = (num(x), num(x + 14.0), num(y), num(y + each));
        svg.path(&format!("M{x0} {y0}H{x1}V{y1}H{x0}Z"), &format!("fill=\"{}\"", colour(step)));
    }
    for (r, text) in [(1.0, "1"), (0.5, "0.5"), (0.0, "0"), (-0.5, "\u{2212}0.5"), (-1.0, "\u{2212}1")] {
        svg.text([x + 20.0, area.y + (1.0 - r) / 2.0 * h + 4.0], Anchor::Start, "tick", text);
    }
    svg.text([x - 4.0, area.y + h + 20.0], Anchor::Start, "tick", "correlation");
}

/// Blue below zero, white at it, vermilion above.
fn colour(step: i32) -> String {
    let share = f64::from(step.abs()) / f64::from(STEPS);
    // Small correlations are what genes mostly have: they must show.
    let share = share.powf(0.7);
    let full = if step < 0 { [0x00, 0x72, 0xb2] } else { [0xd5, 0x5e, 0x00] };
    let mix = |c: i32| (255.0 + share * (f64::from(c) - 255.0)).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(full[0]), mix(full[1]), mix(full[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_half_is_above_and_the_generated_one_below() {
        let t = Triangle {
            genes: ["A", "B"].map(String::from).to_vec(),
            real: vec![1.0, 1.0, 1.0, 1.0],
            generated: vec![1.0, -1.0, -1.0, 1.0],
        };
        let svg = triangle("t", &t).unwrap();
        let (real, made) = (colour(STEPS), colour(-STEPS));
        // Upper right is at the top of the picture, lower left at the left edge.
        assert!(svg.contains(&format!("<path fill=\"{real}\" d=\"M383 26H")), "{svg}");
        assert!(svg.contains(&format!("<path fill=\"{made}\" d=\"M96 313H")), "{svg}");
        assert_eq!(colour(0), "#ffffff");
        assert!(triangle("t", &Triangle { real: vec![0.0], ..t }).is_none());
    }
}
