//! What can go wrong with a correction.

use crate::data::DataError;
use crate::io::{ReadError, WriteError};
use crate::panel::PanelError;
use crate::zoo::ZooError;

/// What can go wrong with a correction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorrectError {
    /// The request does not fit the data: another column, run, marker or option is needed.
    #[error("{what}")]
    Usage {
        /// What was asked, what there is, what to do.
        what: String,
    },
    /// The data cannot be corrected.
    #[error("{file}: {what}")]
    Input {
        /// Which file.
        file: String,
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// A result is no number.
    #[error("{what}")]
    Numerical {
        /// Where, and what to do.
        what: String,
    },
    /// Reading a file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Writing a file.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Data in memory.
    #[error("{file}: {source}")]
    Data {
        /// Which file.
        file: String,
        /// What is wrong.
        #[source]
        source: DataError,
    },
    /// Panels of files.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// The model.
    #[error(transparent)]
    Zoo(#[from] ZooError),
}

impl CorrectError {
    /// A [`CorrectError::Usage`].
    pub fn usage(what: impl Into<String>) -> Self {
        CorrectError::Usage { what: what.into() }
    }

    /// A [`CorrectError::Input`].
    pub fn input(file: impl Into<String>, what: impl Into<String>) -> Self {
        CorrectError::Input { file: file.into(), what: what.into() }
    }
}
