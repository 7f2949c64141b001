//! What was changed or left behind so far.

use super::Piece;
use crate::data::Change;

/// What was changed or left behind so far.
#[derive(Debug, Default)]
pub(super) struct Changes(pub(super) Vec<Change>);

impl Changes {
    /// What the pieces lack already.
    pub(super) fn of(pieces: &[Piece]) -> Self {
        let mut all = Vec::new();
        for piece in pieces {
            let of = |c: &Change| Change { what: format!("{}: {}", piece.file, c.what), ..c.clone() };
            all.extend(piece.dataset.changes.iter().map(of));
        }
        Self(all)
    }

    pub(super) fn add(&mut self, element: impl Into<String>, what: impl Into<String>) {
        self.0.push(Change::harmless(element, what));
    }

    pub(super) fn left(&mut self, element: impl Into<String>, why: impl Into<String>) {
        self.0.push(Change::left(element, why));
    }

    pub(super) fn lossy(&mut self, element: impl Into<String>, what: impl Into<String>) {
        self.0.push(Change::lossy(element, what));
    }

    pub(super) fn note(&mut self, element: impl Into<String>, what: impl Into<String>, there: bool) {
        if there { self.add(element, what) } else { self.left(element, what) }
    }
}
