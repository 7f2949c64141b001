//! Why a sheet cannot be used.

use std::path::{Path, PathBuf};

use crate::io::ReadError;

/// Why a sheet cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// It cannot be read as a table.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It lacks a column, or names a file that is not there.
    #[error("{}: {what}", path.display())]
    Missing {
        /// The sheet.
        path: PathBuf,
        /// What is missing, what there is, what to do.
        what: String,
    },
    /// A row cannot be understood, or contradicts another.
    #[error("{}: line {line}: {what}", path.display())]
    Row {
        /// The sheet.
        path: PathBuf,
        /// Line of the file, from 1.
        line: u64,
        /// What was found, what was expected, what to do.
        what: String,
    },
}

impl SheetError {
    pub(super) fn missing(path: &Path, what: impl Into<String>) -> Self {
        SheetError::Missing { path: path.to_owned(), what: what.into() }
    }

    pub(super) fn row(path: &Path, line: u64, what: impl Into<String>) -> Self {
        SheetError::Row { path: path.to_owned(), line, what: what.into() }
    }
}
