//! What the figures share: sizes, colours, axes.

use crate::report::scale::Scale;
use crate::report::svg::{Anchor, Rect, Svg};

/// Width of a figure that takes the whole page.
pub(super) const FULL: f64 = 1080.0;

/// Colour of real cells.
pub(in crate::report) const REAL: &str = "#0072B2";
/// Colour of generated cells.
pub(in crate::report) const GENERATED: &str = "#D55E00";
/// Colours of types and curves, by number: the palette of Okabe and Ito, then darker ones.
pub(in crate::report) const TYPES: [&str; 14] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5C00", "#5B3A8E", "#8C1C13",
    "#4C6B22", "#1B7F8C", "#B0578D", "#6B7075", "#222222",
];

/// A plot's area with its two scales.
pub(super) struct Axes {
    pub(super) area: Rect,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Axes {
    pub(super) fn linear(area: Rect, x: (f64, f64), y: (f64, f64)) -> Self {
        Axes { area, x: Scale::linear(x, area.x, area.right()), y: Scale::linear(y, area.bottom(), area.y) }
    }

    pub(super) fn at(&self, p: [f64; 2]) -> [f64; 2] {
        [self.x.at_within(p[0]), self.y.at_within(p[1])]
    }

    /// Ground, grid lines and tick labels.
    pub(super) fn draw(&self, svg: &mut Svg, ticks: (usize, usize)) {
        let a = self.area;
        svg.rect(a, "ground");
        for t in self.x.ticks(ticks.0) {
            let x = self.x.at(t.at);
            svg.line([x, a.y], [x, a.bottom()], "grid");
            svg.text([x, a.bottom() + 16.0], Anchor::Middle, "tick", &t.label);
        }
        for t in self.y.ticks(ticks.1) {
            let y = self.y.at(t.at);
            svg.line([a.x, y], [a.right(), y], "grid");
            svg.text([a.x - 7.0, y + 4.0], Anchor::End, "tick", &t.label);
        }
    }

    /// The frame, drawn last so that it closes what was clipped.
    pub(super) fn close(&self, svg: &mut Svg) {
        svg.rect(self.area, "frame");
    }

    pub(super) fn x_label(&self, svg: &mut Svg, text: &str) {
        let middle = self.area.x + self.area.w / 2.0;
        svg.text([middle, self.area.bottom() + 37.0], Anchor::Middle, "label", text);
    }

    pub(super) fn y_label(&self, svg: &mut Svg, text: &str) {
        let middle = self.area.y + self.area.h / 2.0;
        svg.text_upwards([self.area.x - 42.0, middle], "label", text);
    }
}

/// A quantity with its unit, for an axis.
pub(super) fn with_unit(what: &str, unit: &str) -> String {
    if unit.is_empty() { what.to_owned() } else { format!("{what}, {unit}") }
}
