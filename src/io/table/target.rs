//! Where tables go: one file, or a folder of several.

use std::path::Path;

use crate::data::Dataset;
use crate::io::error::WriteError;
use crate::io::options::{Table, Tables, WriteOptions};
use crate::io::writers::need_x;

/// Files of a folder of tables, in either format.
pub const FILES: &[&str] = &["obs.csv", "var.csv", "X.csv", "obs.parquet", "var.parquet", "X.parquet"];

/// The files a folder of tables holds: a target without extension, or one that is a folder already, becomes one.
pub(super) fn files(path: &Path) -> Option<&'static [&'static str]> {
    (path.extension().is_none() || path.is_dir()).then_some(FILES)
}

/// Writes each table into a file of its own in an empty folder.
pub(super) fn write_folder(
    dataset: &Dataset,
    folder: &Path,
    options: &WriteOptions,
    extension: &str,
    write: fn(&Dataset, &Path, &WriteOptions) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    for table in Tables::folder(options.table).iter() {
        let path = folder.join(format!("{}.{extension}", table.file()));
        write(dataset, &path, &WriteOptions { table: Some(table), table_folder: false, ..options.clone() })?;
    }
    Ok(())
}

/// Refuses a data set without X where X is what the file shall hold.
///
/// # Errors
/// [`WriteError::CannotHold`].
pub fn holds(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    if options.table == Some(Table::X) { need_x(dataset, path).map(drop) } else { Ok(()) }
}

/// Tells of progress and stops when asked to.
pub(super) fn advance(options: &WriteOptions, path: &Path, done: usize) -> Result<(), WriteError> {
    options.progress.advance(done as u64, "");
    if options.progress.cancelled() {
        return Err(WriteError::Cancelled { path: path.to_owned() });
    }
    Ok(())
}
