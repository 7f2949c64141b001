//! Why generated cells could not be judged.

use crate::linalg::LinalgError;

/// Why generated cells could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// The cells do not allow it.
    #[error("{what}")]
    Input {
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// A decomposition or a forest failed.
    #[error(transparent)]
    Linalg(LinalgError),
    /// A generator that was asked for cells failed.
    #[error("{method}: {what}")]
    Augment {
        /// Which one.
        method: String,
        /// What it said.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl From<LinalgError> for GenerationError {
    fn from(e: LinalgError) -> Self {
        match e {
            LinalgError::Cancelled => Self::Cancelled,
            e => Self::Linalg(e),
        }
    }
}

impl GenerationError {
    pub(super) fn input(what: impl Into<String>) -> Self {
        Self::Input { what: what.into() }
    }
}
