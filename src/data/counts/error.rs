//! Why there are no counts to take.

use super::Place;
use crate::data::DataError;

/// Why there are no counts to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CountsError {
    /// The place that was asked for is not there.
    #[error("{place} is not there; {there}")]
    Missing {
        /// What was asked for.
        place: Place,
        /// What is there.
        there: String,
    },
    /// The place that was asked for was left out when the file was read.
    #[error("{place} was left out: {why}")]
    LeftOut {
        /// What was asked for.
        place: Place,
        /// What is wrong with it.
        why: String,
    },
    /// The features that were asked for are not there.
    #[error("{place} has no features of type {asked}; {there}")]
    NoFeatures {
        /// Which matrix.
        place: Place,
        /// What was asked for.
        asked: String,
        /// What is there.
        there: String,
    },
    /// No matrix holds counts.
    #[error("raw counts are needed (whole numbers, none negative); {found}; {advice}")]
    NotCounts {
        /// What the matrices look like.
        found: String,
        /// What to do.
        advice: String,
    },
    /// A value that is no count.
    #[error(
        "{place}: cell {cell}, gene {gene}: found {value}, expected a whole number of 0 or more; {advice}"
    )]
    Value {
        /// Which matrix.
        place: Place,
        /// Name of the cell.
        cell: String,
        /// Name of the gene.
        gene: String,
        /// What is there.
        value: f64,
        /// Where such values come from, and what to do.
        advice: String,
    },
    /// The matrix cannot be read on, or its counts cannot be kept.
    #[error("{place}")]
    Data {
        /// Which matrix.
        place: Place,
        /// Why.
        #[source]
        source: DataError,
    },
    /// Counts cannot be kept.
    #[error(transparent)]
    Keep(#[from] DataError),
}
