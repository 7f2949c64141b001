//! What writers of several formats share.

use std::path::Path;

use super::error::WriteError;
use crate::data::{Dataset, Matrix};

/// X, which the target cannot do without.
///
/// # Errors
/// [`WriteError::CannotHold`] that names what could take its place.
pub(super) fn need_x<'a>(dataset: &'a Dataset, path: &Path) -> Result<&'a Matrix, WriteError> {
    dataset.x.as_ref().ok_or_else(|| {
        let mut other: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
        other.extend(dataset.raw.as_ref().map(|_| "raw"));
        let what = if other.is_empty() {
            "there is no X and nothing to take its place; h5ad holds a file without".to_owned()
        } else {
            format!("there is no X; choose what takes its place with --x (there are: {})", other.join(", "))
        };
        WriteError::CannotHold { path: path.to_owned(), what }
    })
}

/// Reads back what was just written without a word: warnings were said of the data already, and they would name a
/// temporary file.
pub(super) fn silently<T>(read: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), read)
}
