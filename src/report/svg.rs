//! A writer for inline SVG: every number and every text goes through here, so none can break the page.

use std::fmt::Write as _;

use super::html::escape;

/// Where a text stands relative to its point.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.h
    }

    pub(super) fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub(super) fn holds(&self, p: [f64; 2]) -> bool {
        p[0] > self.x && p[0] < self.right() && p[1] > self.y && p[1] < self.bottom()
    }

    pub(super) fn within(&self, outer: &Rect) -> bool {
        self.x >= outer.x
            && self.y >= outer.y
            && self.right() <= outer.right()
            && self.bottom() <= outer.bottom()
    }
}

/// One figure under way.
pub(super) struct Svg {
    id: String,
    head: String,
    body: String,
    clips: usize,
}

impl Svg {
    /// `id` must be unique on the page; title and description are what a screen reader says.
    pub(super) fn new(id: &str, width: f64, height: f64, title: &str, desc: &str) -> Self {
        let (w, h) = (num(width), num(height));
        let head = format!(
            "<svg class=\"figure\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
             aria-labelledby=\"{id}-t {id}-d\">\n<title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n",
            escape(title),
            escape(desc)
        );
        Svg { id: id.to_owned(), head, body: String::new(), clips: 0 }
    }

    pub(super) fn line(&mut self, from: [f64; 2], to: [f64; 2], class: &str) {
        let _ = writeln!(
            self.body,
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            num(from[0]),
            num(from[1]),
            num(to[0]),
            num(to[1])
        );
    }

    pub(super) fn rect(&mut self, r: Rect, class: &str) {
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            num(r.x),
            num(r.y),
            num(r.w.max(0.0)),
            num(r.h.max(0.0))
        );
    }

    /// A text whose baseline starts, centres or ends at a point.
    pub(super) fn text(&mut self, at: [f64; 2], anchor: Anchor, class: &str, text: &str) {
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>",
            num(at[0]),
            num(at[1]),
            anchor.word(),
            escape(text)
        );
    }

    /// A text that runs upwards, centred at a point.
    pub(super) fn text_upwards(&mut self, at: [f64; 2], class: &str, text: &str) {
        let (x, y) = (num(at[0]), num(at[1]));
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" transform=\"translate({x} {y}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escape(text)
        );
    }

    /// A text that ends at a point and comes up to it from the lower left.
    pub(super) fn text_slanted(&mut self, at: [f64; 2], class: &str, text: &str) {
        let (x, y) = (num(at[0]), num(at[1]));
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" transform=\"translate({x} {y}) rotate(-35)\" text-anchor=\"end\">{}</text>",
            escape(text)
        );
    }

    /// A dot with a text that shows when pointed at.
    pub(super) fn dot(&mut self, at: [f64; 2], radius: f64, class: &str, fill: Option<&str>, tip: &str) {
        let fill = fill.map(|f| format!(" fill=\"{f}\"")).unwrap_or_default();
        let _ = writeln!(
            self.body,
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"{fill}><title>{}</title></circle>",
            num(at[0]),
            num(at[1]),
            num(radius),
            escape(tip)
        );
    }

    /// A path with attributes made by us (never by a name from a file).
    pub(super) fn path(&mut self, d: &str, attributes: &str) {
        if !d.is_empty() {
            let _ = writeln!(self.body, "<path {attributes} d=\"{d}\"/>");
        }
    }

    /// What follows, up to [`Svg::end_clip`], shows only inside the rectangle.
    pub(super) fn begin_clip(&mut self, r: Rect) {
        self.clips += 1;
        let id = format!("{}-c{}", self.id, self.clips);
        let _ = writeln!(
            self.body,
            "<clipPath id=\"{id}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n\
             <g clip-path=\"url(#{id})\">",
            num(r.x),
            num(r.y),
            num(r.w),
            num(r.h)
        );
    }

    pub(super) fn end_clip(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// An arrow with a white edge, so that it shows on any cloud.
    pub(super) fn arrow(&mut self, from: [f64; 2], to: [f64; 2], class: &str) {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy);
        // Shorter than its head: nothing moved that one could point at.
        if length.is_nan() || length <= 13.0 {
            return;
        }
        let (ux, uy) = (dx / length, dy / length);
        let tip = [to[0] - ux * 5.0, to[1] - uy * 5.0];
        let neck = [tip[0] - ux * 8.0, tip[1] - uy * 8.0];
        self.line(from, neck, "halo");
        self.line(from, neck, class);
        let (px, py) = (-uy * 4.5, ux * 4.5);
        let head = format!(
            "M{} {}L{} {}L{} {}Z",
            num(tip[0]),
            num(tip[1]),
            num(neck[0] + px),
            num(neck[1] + py),
            num(neck[0] - px),
            num(neck[1] - py)
        );
        self.path(&head, &format!("class=\"{class}-head\""));
    }

    pub(super) fn finish(self) -> String {
        format!("{}{}</svg>\n", self.head, self.body)
    }
}

/// A coordinate with at most one decimal. What is not finite must have been left out before; here it may not
/// break the page.
pub(super) fn num(v: f64) -> String {
    let rounded = (v * 10.0).round() / 10.0;
    if !rounded.is_finite() || rounded == 0.0 {
        return "0".to_owned();
    }
    format!("{rounded}")
}

/// Width of a text in a sans-serif font, a little generous: the page brings no font of its own to measure.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.29,
            'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' => 0.36,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.9,
            c if c.is_ascii_uppercase() => 0.72,
            c if c.is_ascii() => 0.58,
            c if c < '\u{2000}' => 0.68,
            _ => 1.0,
        })
        .sum();
    em * size
}

/// A name cut to a width, with an ellipsis where something was cut off.
pub(super) fn fit(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if text_width(&kept, size) + size > width {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_have_one_decimal_and_are_never_nan() {
        assert_eq!(num(12.345), "12.3");
        assert_eq!(num(-0.04), "0");
        assert_eq!(num(7.0), "7");
        assert_eq!(num(f64::NAN), "0");
        assert_eq!(num(f64::INFINITY), "0");
    }

    #[test]
    fn long_names_are_cut_to_the_width_given() {
        assert_eq!(fit("CD3", 10.0, 100.0), "CD3");
        let cut = fit("a very long marker name that no one would write", 10.0, 100.0);
        assert!(cut.ends_with('…') && text_width(&cut, 10.0) <= 100.0, "{cut}");
        assert_eq!(fit("αβγδ", 10.0, 1.0), "…");
    }
}
