//! Why nothing can be predicted.

use crate::linalg::LinalgError;

/// Why nothing can be predicted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// Something asked for does not fit; what to do is in the message.
    #[error("{what}")]
    Usage {
        /// What does not fit.
        what: String,
    },
    /// The data do not allow it.
    #[error("{what}")]
    Input {
        /// What is wrong with them.
        what: String,
    },
    /// The room for it is missing.
    #[error("{what}")]
    TooLarge {
        /// What does not fit.
        what: String,
    },
    /// A decomposition failed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// A matrix cannot be read.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// Variable genes could not be found.
    #[error(transparent)]
    Recipe(#[from] crate::recipe::RecipeError),
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl PredictError {
    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into() }
    }

    pub(super) fn input(what: impl Into<String>) -> Self {
        Self::Input { what: what.into() }
    }
}
