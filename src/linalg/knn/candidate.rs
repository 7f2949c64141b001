//! Neighbours that may become the nearest.

/// Marks a candidate that came in the last round.
pub(super) const NEW: u32 = 1 << 31;

/// A neighbour that may become one of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub(super) square: f32,
    pub(super) id: u32,
}

impl Candidate {
    /// An empty place: farther than anything.
    pub(super) const NONE: Self = Self { square: f32::INFINITY, id: !NEW };

    fn before(self, other: Self) -> bool {
        self.square < other.square || (self.square == other.square && self.id & !NEW < other.id & !NEW)
    }
}

/// Puts a candidate into a sorted list unless it is there or too far; says whether it did.
pub(super) fn insert(list: &mut [Candidate], c: Candidate) -> bool {
    let Some(last) = list.len().checked_sub(1) else { return false };
    if !c.before(list[last]) || list.iter().any(|o| o.id & !NEW == c.id & !NEW) {
        return false;
    }
    let at = list.partition_point(|o| o.before(c));
    list.copy_within(at..last, at + 1);
    list[at] = c;
    true
}
