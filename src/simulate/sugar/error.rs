//! Why SUGAR cannot learn or make cells.

use super::MOST_POINTS;
use crate::linalg::LinalgError;

/// Why SUGAR cannot learn or make cells.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SugarError {
    /// As many labels as cells are needed, each below the number of labels.
    #[error("{labels} labels below {n_labels} for {cells} cells; each cell needs one")]
    Labels {
        /// Labels given.
        labels: usize,
        /// Number of different ones.
        n_labels: usize,
        /// Cells given.
        cells: usize,
    },
    /// Too few cells to have neighbourhoods.
    #[error("{found} cells with counts; SUGAR needs {needed} to know a neighbourhood")]
    TooFew {
        /// Cells with counts.
        found: usize,
        /// Cells needed.
        needed: usize,
    },
    /// More points than kernels over all pairs allow.
    #[error(
        "{found} {what}; SUGAR works with kernels over all pairs and takes at most {MOST_POINTS}: \
         take fewer cells, or another model"
    )]
    TooMany {
        /// Points found or asked for.
        found: usize,
        /// Real cells or new ones.
        what: &'static str,
    },
    /// Principal components or neighbours could not be found.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}
