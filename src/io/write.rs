//! Writing data sets, whatever the format.

use std::path::Path;

use super::additions::Additions;
use super::atomic::{replace, replace_folder};
use super::codec::Format;
use super::error::WriteError;
use super::fcs;
use super::formats::{codec, folder_of};
use super::options::WriteOptions;
use crate::data::Dataset;

/// Puts FCS keywords where a format that has none of its own keeps them: in `uns["fcs"]`, where [`fcs::write`] looks for
/// them on the way back.
pub fn keep_keywords(dataset: &mut Dataset, to: Format) {
    if !codec(to).keywords && !dataset.source.keywords.is_empty() {
        let kept = fcs::keywords_to_uns(&dataset.source.keywords, &dataset.source.dialect);
        dataset.uns.entry("fcs".into()).or_insert(kept);
    }
}

/// Writes a data set as a new file (a new folder for formats that are folders), whole or not at all.
///
/// # Errors
/// [`WriteError`]; the target is then as it was before.
pub fn save(
    dataset: &Dataset,
    format: Format,
    path: &Path,
    force: bool,
    options: &WriteOptions,
) -> Result<(), WriteError> {
    let write = |tmp: &Path| (codec(format).write)(dataset, tmp, options);
    match folder_of(format, path) {
        Some(files) => replace_folder(path, force, files, write),
        None => replace(path, force, write),
    }
}

/// Writes the file `dataset` was read from again as `path`, with additions, whole or not at all.
///
/// # Errors
/// [`WriteError`]; the target is then as it was before.
pub fn annotate(
    dataset: &Dataset,
    format: Format,
    additions: &Additions,
    path: &Path,
    force: bool,
) -> Result<(), WriteError> {
    let Some(annotate) = codec(format).annotate else {
        let what = format!("{} has no place for a result beside X; write h5ad instead", format.name());
        return Err(WriteError::CannotHold { path: path.to_owned(), what });
    };
    replace(path, force, |tmp| annotate(dataset, additions, tmp))
}
