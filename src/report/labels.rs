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

/// Places labels in the order given, the important ones first; one that fits nowhere is left out.
pub(super) fn place(
    labels: &[Label<'_>],
    dots: &[[f64; 2]],
    taken: &[Rect],
    frame: Rect,
    size: f64,
) -> Vec<Placed> {
    let dot_boxes: Vec<Rect> =
        dots.iter().map(|d| Rect { x: d[0] - 4.5, y: d[1] - 4.5, w: 9.0, h: 9.0 }).collect();
    let mut taken = taken.to_vec();
    let mut leaders: Vec<([f64; 2], [f64; 2])> = Vec::new();
    let mut placed = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let w = text_width(label.text, size) + 4.0;
        let h = size * LINE;
        let candidates = DISTANCES.iter().flat_map(|d| DIRECTIONS.iter().map(move |dir| (*d, *dir)));
        for (distance, dir) in candidates {
            let centre = [
                label.at[0] + dir[0] * (distance + w / 2.0),
                label.at[1] + dir[1] * (distance + h / 2.0),
            ];
            let bounds = Rect { x: centre[0] - w / 2.0, y: centre[1] - h / 2.0, w, h };
            let end = nearest(&bounds, label.at);
            let free = bounds.within(&frame)
                && !taken.iter().chain(&dot_boxes).any(|t| t.overlaps(&bounds))
                && !leaders.iter().any(|(a, b)| meets(*a, *b, &bounds))
                && !taken.iter().any(|t| meets(label.at, end, t));
            if !free {
                continue;
            }
            let leader = (distance > 12.0).then_some(end);
            if leader.is_some() {
                leaders.push((label.at, end));
            }
            taken.push(bounds);
            placed.push(Placed { index, text_at: [centre[0], centre[1] + size * 0.35], leader });
            break;
        }
    }
    placed
}

/// The point of a rectangle closest to another point.
fn nearest(r: &Rect, to: [f64; 2]) -> [f64; 2] {
    [to[0].clamp(r.x, r.right()), to[1].clamp(r.y, r.bottom())]
}

/// Whether a line runs through a rectangle; sampled, which is exact enough for text.
fn meets(from: [f64; 2], to: [f64; 2], r: &Rect) -> bool {
    (1..20).any(|i| {
        let t = f64::from(i) / 20.0;
        let (x, y) = (from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t);
        x > r.x && x < r.right() && y > r.y && y < r.bottom()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rect = Rect { x: 0.0, y: 0.0, w: 400.0, h: 400.0 };

    #[test]
    fn labels_of_close_dots_do_not_overlap() {
        let names: Vec<String> = (0..12).map(|i| format!("CD{i}00")).collect();
        let dots: Vec<[f64; 2]> = (0..12).map(|i| [200.0 + f64::from(i % 4) * 6.0, 200.0 + f64::from(i / 4) * 6.0]).collect();
        let labels: Vec<Label<'_>> = names.iter().zip(&dots).map(|(t, d)| Label { text: t, at: *d }).collect();
        let placed = place(&labels, &dots, &[], FRAME, 12.0);
        assert!(placed.len() >= 8, "only {} placed", placed.len());
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
        assert!(place(&[Label { text: &wide, at: [200.0, 200.0] }], &[], &[], FRAME, 12.0).is_empty());
    }
}
