//! Why data sets cannot be put together.

use crate::data::DataError;

/// Why data sets cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum ConcatError {
    /// They do not fit; what to do is in the message.
    #[error("{what}")]
    Usage {
        /// What does not fit.
        what: String,
    },
    /// No element type holds the values of all; what to do is in the message.
    #[error("{what}")]
    CannotHold {
        /// Which value of which file, and what to do.
        what: String,
    },
    /// One of them cannot be read on or breaks an invariant.
    #[error("{file}")]
    Data {
        /// Which.
        file: String,
        /// Why.
        #[source]
        source: DataError,
    },
}

pub(super) fn fail(file: &str) -> impl Fn(DataError) -> ConcatError + '_ {
    |source| ConcatError::Data { file: file.to_owned(), source }
}
