//! What every reader makes and every writer takes. Knows no format and no tensor.

mod amplifier;
mod arrange;
mod bytes;
mod change;
pub mod counts;
mod dataset;
mod frame;
mod genes;
mod kind;
mod looks;
mod matrix;
mod names;
mod patch;
mod patched;
pub mod scratch;
mod select;
mod spelling;
mod spillover;
mod stream;
mod summary;
pub mod synthetic;
mod take;
mod uns;
mod values;

pub use amplifier::{Amplifier, amplifiers, amplify, mark_linear};
pub use bytes::Word;
pub use change::Change;
pub use counts::{Counts, CountsBuilder};
pub use dataset::{Annotation, Dataset, Raw, Source};
pub use frame::{Categorical, Categories, Column, Frame, Index};
pub use genes::{GeneNames, NoGeneColumn};
pub use kind::ValueKind;
pub use looks::{LOOK_ROWS, LOOK_VALUES, Looks, Odd, Sample, not_finite, place};
pub use matrix::{
    Block, Dense, Layout, Matrix, RowSource, Sparse, StoredArrays, check_indices, check_indptr, pick_csr,
    pick_dense,
};
pub use names::{Names, Repeats};
pub use patch::Patch;
pub use spelling::{did_you_mean, find_value, is_missing, same_value};
pub use spillover::{Compensation, Spillover};
pub use stream::{BlockSink, append, csr_slice, in_runs, rows_per_run, slice};
pub use summary::Summary;
pub use take::Take;
pub use uns::{StoredObject, Uns};
pub use values::{DType, Element, Values};

/// What can be wrong with data in memory, or with reading more of it from where it was left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Two things that belong together differ in length.
    #[error("{what}: {found} entries, expected {expected}")]
    Length {
        /// What is of the wrong length.
        what: String,
        /// Entries it should have.
        expected: usize,
        /// Entries it has.
        found: usize,
    },
    /// A matrix does not fit the cells and variables around it.
    #[error("{what}: shape {} × {} does not fit {obs} cells × {vars} variables", found.0, found.1)]
    Shape {
        /// Which matrix.
        what: String,
        /// Its shape.
        found: (usize, usize),
        /// Cells of the data set.
        obs: usize,
        /// Variables of the data set.
        vars: usize,
    },
    /// An index outside its range.
    #[error("{what} {index} is outside 0..{len}")]
    OutOfRange {
        /// Row or column.
        what: &'static str,
        /// The index asked for.
        index: usize,
        /// How many there are.
        len: usize,
    },
    /// Anything else that breaks an invariant.
    #[error("{what}")]
    Invalid {
        /// What is wrong, in words.
        what: String,
    },
    /// Whoever took the rows of a matrix stopped; holds their own error.
    #[error("stopped")]
    Stopped(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Temporary files could not be kept.
    #[error("temporary files cannot be kept in {}: give another folder with --temp-dir", folder.display())]
    Scratch {
        /// Their folder.
        folder: std::path::PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// A matrix left on disk could not be read.
    #[error("cannot read on")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DataError {
    /// A [`DataError::Scratch`].
    pub fn scratch(folder: &std::path::Path, source: std::io::Error) -> Self {
        DataError::Scratch { folder: folder.to_owned(), source }
    }

    /// A [`DataError::Stopped`].
    pub fn stopped(e: impl std::error::Error + Send + Sync + 'static) -> Self {
        DataError::Stopped(Box::new(e))
    }

    /// Puts the name of the element it happened in before the message.
    #[must_use]
    pub fn within(self, element: &str) -> Self {
        match self {
            DataError::Length { what, expected, found } => {
                DataError::Length { what: format!("{element}: {what}"), expected, found }
            }
            DataError::Invalid { what } => DataError::Invalid { what: format!("{element}: {what}") },
            other => other,
        }
    }
}
