//! Why cells could not be clustered.

use crate::data::DataError;
use crate::data::counts::CountsError;
use crate::linalg::LinalgError;
use crate::recipe::RecipeError;

/// Why cells could not be clustered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A request that does not fit the data.
    #[error("{what}")]
    Usage {
        /// What is wrong, and what to do.
        what: String,
    },
    /// The data are not what can be clustered.
    #[error("{what}")]
    Input {
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// No counts.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// The counts could not be prepared.
    #[error(transparent)]
    Recipe(RecipeError),
    /// A decomposition, a search or the community detection failed.
    #[error(transparent)]
    Linalg(LinalgError),
    /// The counts could not be read on.
    #[error(transparent)]
    Data(DataError),
}

impl From<RecipeError> for ClusterError {
    fn from(e: RecipeError) -> Self {
        match e {
            RecipeError::Cancelled => ClusterError::Cancelled,
            e => ClusterError::Recipe(e),
        }
    }
}

impl From<LinalgError> for ClusterError {
    fn from(e: LinalgError) -> Self {
        match e {
            LinalgError::Cancelled => ClusterError::Cancelled,
            e => ClusterError::Linalg(e),
        }
    }
}

impl From<DataError> for ClusterError {
    fn from(e: DataError) -> Self {
        match e {
            DataError::Stopped(inner) => match inner.downcast::<ClusterError>() {
                Ok(own) => *own,
                Err(inner) => ClusterError::Data(DataError::Stopped(inner)),
            },
            e => ClusterError::Data(e),
        }
    }
}
