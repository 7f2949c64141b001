//! Parts of a loom file that cannot be read: they are left out and said, so that one damaged part does not keep the rest
//! from being read.

use crate::data::Change;
use crate::io::error::ReadError;

/// The part, or nothing once `left` says why it is left out.
///
/// # Errors
/// What the operating system refuses: that says nothing about the part.
pub(super) fn part<T>(
    left: &mut Vec<Change>,
    element: impl FnOnce() -> String,
    read: Result<T, ReadError>,
) -> Result<Option<T>, ReadError> {
    match read {
        Ok(part) => Ok(Some(part)),
        Err(e @ ReadError::Io { .. }) => Err(e),
        Err(e) => {
            left.push(Change::left(element(), reason(&e)));
            Ok(None)
        }
    }
}

/// What is wrong, without the name of the file.
fn reason(e: &ReadError) -> String {
    match e {
        ReadError::Malformed { at, what, .. } => format!("{at}: {what}"),
        ReadError::Unsupported { what, .. } => what.clone(),
        ReadError::TooLarge { at, asked, limit, .. } => {
            format!("{at} asks for {asked} bytes, the limit is {limit}")
        }
        e => e.to_string(),
    }
}

/// An element as one writes it in Python.
pub(super) fn element(place: &str, name: &str) -> String {
    format!("{place}[{name:?}]")
}
