//! What is not in a data set as it was where it came from.

use serde::Serialize;

use super::Dataset;

/// An element that a reader or a verb left behind or changed. Every road out reports it: see [`crate::io::loss`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The element, as `obs["batch"]`.
    pub element: String,
    /// What became of it.
    pub what: String,
    /// Whether something of it cannot be had back.
    pub lost: bool,
    /// Whether nothing of it is there any more.
    #[serde(skip)]
    pub left: bool,
    /// Where it lies in the HDF5 file the data set was read from, as `/obsm/table`, when a copy of that file must not keep
    /// it as it is there.
    #[serde(skip)]
    pub place: Option<String>,
}

impl Change {
    /// An element that is left behind, and why.
    pub fn left(element: impl Into<String>, why: impl Into<String>) -> Self {
        Self { element: element.into(), what: why.into(), lost: true, left: true, place: None }
    }

    /// An element that is there in another form, from which it cannot be had back.
    pub fn lossy(element: impl Into<String>, what: impl Into<String>) -> Self {
        Self { element: element.into(), what: what.into(), lost: true, left: false, place: None }
    }

    /// An element that is there in another form, from which it can be had back.
    pub fn harmless(element: impl Into<String>, what: impl Into<String>) -> Self {
        Self { element: element.into(), what: what.into(), lost: false, left: false, place: None }
    }

    /// With its place in the file, which a copy of the file must not keep as it is.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// In a few words: `left behind: …`, or what it became.
    pub fn words(&self) -> String {
        if self.left { format!("left behind: {}", self.what) } else { self.what.clone() }
    }
}

impl Dataset {
    /// The line about an element, as `layers["counts"]`, that was left behind when the file was read.
    pub(crate) fn left_out(&self, element: &str) -> Option<&Change> {
        self.changes.iter().find(|c| c.left && c.element == element)
    }
}
