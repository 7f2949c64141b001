//! What can go wrong when panels are read and paired.

use crate::data::DataError;

/// Why there is no panel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PanelError {
    /// The request does not fit the files: another name or option is needed.
    #[error("{what}")]
    Usage {
        /// What was asked, what there is, what to do.
        what: String,
    },
    /// The files do not agree, or a panel file cannot be used.
    #[error("{file}: {what}")]
    Input {
        /// Which file.
        file: String,
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// Values could not be looked at.
    #[error("{file}: {source}")]
    Data {
        /// Which file.
        file: String,
        /// What is wrong.
        #[source]
        source: DataError,
    },
}

impl PanelError {
    /// A [`PanelError::Usage`].
    pub(super) fn usage(what: impl Into<String>) -> Self {
        PanelError::Usage { what: what.into() }
    }

    /// A [`PanelError::Input`].
    pub(super) fn input(file: impl Into<String>, what: impl Into<String>) -> Self {
        PanelError::Input { file: file.into(), what: what.into() }
    }
}
