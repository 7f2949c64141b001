//! Why a sampler cannot be fitted or cannot make cells.

use crate::linalg::LinalgError;

/// Why a sampler cannot be fitted, or cannot make cells of a label.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// As many labels as cells are needed.
    #[error("{labels} labels for {cells} cells")]
    Lengths {
        /// Labels given.
        labels: usize,
        /// Cells given.
        cells: usize,
    },
    /// A label outside its range.
    #[error("there is no label {label}; there are {n_labels}, numbered from 0")]
    NoLabel {
        /// The label asked for.
        label: usize,
        /// Number of labels.
        n_labels: usize,
    },
    /// Not enough cells of a label.
    #[error("label {label} had {found} cells with counts to learn from; {needed} are needed")]
    TooFew {
        /// The label.
        label: usize,
        /// Cells it had.
        found: usize,
        /// Cells needed.
        needed: usize,
    },
    /// Principal components or neighbours could not be found.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}
