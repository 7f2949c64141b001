//! Labels beside dots: each where it covers no other label and no dot, or nowhere.

use super::svg::{Rect, text_width};

/// Height of a label relative to its font size.
const LINE: f64 = 1.15;

/// A label to place.
pub(super) struct Label<'a> {
    pub(super) text: &'a str,
    pub(super) at: [f64; 2],
}

/// Where a label came to stand.
pub(super) struct Placed {
    /// Which of the labels asked for.
    pub(super) index: usize,
    /// Where its text goes: the middle of its baseline.
    pub(super) text_at: [f64; 2],
    /// End of a line back to its dot, where it stands off.
    pub(super) leader: Option<[f64; 2]>,
}

/// Directions to try, best first: right, left, above, below, then the corners.
const DIRECTIONS: [[f64; 2]; 12] = [
    [1.0, 0.0],
    [-1.0, 0.0],
    [0.0, -1.0],
    [0.0, 1.0],
    [0.71, -0.71],
    [-0.71, -0.71],
    [0.71, 0.71],
    [-0.71, 0.71],
    [0.92, -0.38],
    [-0.92, -0.38],
    [0.92, 0.38],
    [-0.92, 0.38],
];

/// Distances from the dot to try, in pixels.
const DISTANCES: [f64; 6] = [7.0, 12.0, 20.0, 30.0, 42.0, 56.0];

/// What labels must keep clear of.
pub(super) struct Ground<'a> {
    /// All dots, labelled or not.
    pub(super) dots: &'a [[f64; 2]],
    /// Boxes with something in them.
    pub(super) taken: &'a [Rect],
    /// Lines that text should not cross.
    pub(super) lines: &'a [([f64; 2], [f64; 2])],
    /// What they must stay within.
    pub(super) frame: Rect,
}

/// Places labels in the order given, the important ones first; one that fits nowhere is left out.
pub(super) fn place(labels: &[Label<'_>], ground: &Ground<'_>, size: f64) -> Vec<Placed> {
    let mut taken = Taken {
        frame: ground.frame,
        boxes: ground.taken.to_vec(),
        dots: ground.dots.iter().map(|d| Rect { x: d[0] - 4.5, y: d[1] - 4.5, w: 9.0, h: 9.0 }).collect(),
        leaders: Vec::new(),
        lines: ground.lines.to_vec(),
    };
    let mut placed = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let (w, h) = (text_width(label.text, size) + 4.0, size * LINE);
        // A label over a line, or its leader through a dot, is better than no label.
        let found = candidates(label.at, w, h)
            .find(|(bounds, _)| taken.allows(label.at, bounds) && taken.is_clear(label.at, bounds))
            .or_else(|| candidates(label.at, w, h).find(|(bounds, _)| taken.allows(label.at, bounds)));
        let Some((bounds, distance)) = found else { continue };
        let leader = (distance > 12.0).then(|| nearest(&bounds, label.at));
        taken.leaders.extend(leader.map(|end| (label.at, end)));
        taken.boxes.push(bounds);
        placed.push(Placed {
            index,
            text_at: [bounds.x + w / 2.0, bounds.y + h / 2.0 + size * 0.35],
            leader,
        });
    }
    placed
}

/// Boxes around a dot with their distance from it, best first.
fn candidates(at: [f64; 2], w: f64, h: f64) -> impl Iterator<Item = (Rect, f64)> {
    let box_at = move |distance: f64, dir: [f64; 2]| Rect {
        x: at[0] + dir[0] * (distance + w / 2.0) - w / 2.0,
        y: at[1] + dir[1] * (distance + h / 2.0) - h / 2.0,
        w,
        h,
    };
    DISTANCES.into_iter().flat_map(move |d| DIRECTIONS.into_iter().map(move |dir| (box_at(d, dir), d)))
}

/// What is there already.
struct Taken {
    frame: Rect,
    boxes: Vec<Rect>,
    dots: Vec<Rect>,
    leaders: Vec<([f64; 2], [f64; 2])>,
    lines: Vec<([f64; 2], [f64; 2])>,
}

impl Taken {
    /// Whether a label covers nothing that must be seen.
    fn allows(&self, dot: [f64; 2], bounds: &Rect) -> bool {
        let end = nearest(bounds, dot);
        bounds.within(&self.frame)
            && !self.boxes.iter().chain(&self.dots).any(|t| t.overlaps(bounds))
            && !self.leaders.iter().any(|(a, b)| meets(*a, *b, bounds))
            && !self.boxes.iter().any(|t| meets(dot, end, t))
    }

    /// Whether it also keeps off lines, and its leader off other dots.
    fn is_clear(&self, dot: [f64; 2], bounds: &Rect) -> bool {
        let end = nearest(bounds, dot);
        !self.lines.iter().any(|(a, b)| meets(*a, *b, bounds))
            && !self.dots.iter().any(|d| !d.holds(dot) && meets(dot, end, d))
    }
}

/// The point of a rectangle closest to another point.
fn nearest(r: &Rect, to: [f64; 2]) -> [f64; 2] {
    [to[0].clamp(r.x, r.right()), to[1].clamp(r.y, r.bottom())]
}

/// Whether a line runs through a rectangle: the stretch of it within the one side's range and within the other's
/// must have something in common.
fn meets(from: [f64; 2], to: [f64; 2], r: &Rect) -> bool {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (a, b, lo, hi) in [(from[0], to[0], r.x, r.right()), (from[1], to[1], r.y, r.bottom())] {
        if a == b {
            if a <= lo || a >= hi {
                return false;
            }
            continue;
        }
        let (t, u) = ((lo - a) / (b - a), (hi - a) / (b - a));
        enter = enter.max(t.min(u));
        leave = leave.min(t.max(u));
    }
    // A line that only ends at the edge does not run through.
    leave - enter > 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rect = Rect { x: 0.0, y: 0.0, w: 400.0, h: 400.0 };

    #[test]
    fn labels_of_close_dots_do_not_overlap() {
        let names: Vec<String> = (0..12).map(|i| format!("CD{i}00")).collect();
        let dots: Vec<[f64; 2]> =
            (0..12).map(|i| [200.0 + f64::from(i % 4) * 6.0, 200.0 + f64::from(i / 4) * 6.0]).collect();
        let labels: Vec<Label<'_>> =
            names.iter().zip(&dots).map(|(t, d)| Label { text: t, at: *d }).collect();
        let ground = Ground { dots: &dots, taken: &[], lines: &[], frame: FRAME };
        let placed = place(&labels, &ground, 12.0);
        assert!(placed.len() >= 7, "only {} placed", placed.len());
        let boxes: Vec<Rect> = placed
            .iter()
            .map(|p| {
                let w = text_width(labels[p.index].text, 12.0);
                Rect { x: p.text_at[0] - w / 2.0, y: p.text_at[1] - 9.0, w, h: 11.0 }
            })
            .collect();
        for (i, a) in boxes.iter().enumerate() {
            assert!(a.within(&FRAME));
            assert!(boxes.iter().skip(i + 1).all(|b| !a.overlaps(b)));
        }
    }

    #[test]
    fn a_label_that_fits_nowhere_is_left_out() {
        let wide = "x".repeat(200);
        let ground = Ground { dots: &[], taken: &[], lines: &[], frame: FRAME };
        assert!(place(&[Label { text: &wide, at: [200.0, 200.0] }], &ground, 12.0).is_empty());
    }

    #[test]
    fn a_label_keeps_off_a_line_beside_its_dot() {
        let at = [200.0, 200.0];
        let line = ([210.0, 0.0], [210.0, 400.0]);
        let ground = Ground { dots: &[at], taken: &[], lines: &[line], frame: FRAME };
        let placed = place(&[Label { text: "CD4", at }], &ground, 12.0);
        assert!(placed[0].text_at[0] < 200.0, "{:?}", placed[0].text_at);
    }

    #[test]
    fn a_line_meets_a_box_it_crosses_and_not_one_it_touches() {
        let r = Rect { x: 10.0, y: 10.0, w: 10.0, h: 10.0 };
        assert!(meets([0.0, 0.0], [30.0, 30.0], &r));
        assert!(meets([0.0, 15.0], [30.0, 15.0], &r));
        assert!(!meets([0.0, 0.0], [10.0, 15.0], &r));
        assert!(!meets([0.0, 5.0], [30.0, 5.0], &r));
        assert!(!meets([0.0, 25.0], [30.0, 31.0], &r));
    }
}
