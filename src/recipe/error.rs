//! What can go wrong with a recipe.

use crate::data::DataError;

/// Why a recipe could not be fitted or replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A step that makes no sense, alone or in its place.
    #[error("{what}")]
    Usage {
        /// What is wrong, and what to do.
        what: String,
    },
    /// The data are not what the recipe is for.
    #[error("{what}")]
    Input {
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// A result is no number.
    #[error("{what}")]
    Numerical {
        /// Where.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The data could not be read on.
    #[error(transparent)]
    Data(DataError),
}

impl RecipeError {
    pub(super) fn usage(what: impl Into<String>) -> Self {
        RecipeError::Usage { what: what.into() }
    }

    pub(super) fn input(what: impl Into<String>) -> Self {
        RecipeError::Input { what: what.into() }
    }
}

impl From<DataError> for RecipeError {
    fn from(e: DataError) -> Self {
        match e {
            DataError::Stopped(inner) => match inner.downcast::<RecipeError>() {
                Ok(own) => *own,
                Err(inner) => RecipeError::Data(DataError::Stopped(inner)),
            },
            e => RecipeError::Data(e),
        }
    }
}
