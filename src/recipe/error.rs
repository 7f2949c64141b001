//! What can go wrong with a recipe.

use crate::data::{DataError, Dataset, place};

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
    /// X holds a value that is no finite number.
    #[error("X holds {value} at {}: {}", place(None, Some(*row), None, Some(*column)), NOT_FINITE)]
    NotFinite {
        /// `NaN`, `Inf` or `-Inf`.
        value: &'static str,
        /// The row of X, from 0.
        row: usize,
        /// The column of X, from 0.
        column: usize,
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

/// What to do about values that are no finite numbers.
pub(super) const NOT_FINITE: &str = "the recipe needs finite numbers; find out where it comes from (scx check --deep counts \
                                     them), then set such values to 0 or take out these cells or variables";

impl RecipeError {
    /// A value that is not finite with the names of its cell and variable in `dataset`, instead of their numbers.
    pub(super) fn named(self, dataset: &Dataset) -> Self {
        let RecipeError::NotFinite { value, row, column } = self else { return self };
        let (cell, variable) = (dataset.obs.index.get(row), dataset.var.index.get(column));
        let at = place(cell.as_deref(), Some(row), variable.as_deref(), Some(column));
        Self::input(format!("X holds {value} at {at}: {NOT_FINITE}"))
    }

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
