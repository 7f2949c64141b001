//! Tables: delimited text in and out, Parquet out. One file holds one table: obs, var, or X with its names; a folder holds
//! several.

mod codec;
mod ids;
mod losses;
mod matrix;
mod number;
pub(super) mod parquet;
mod plain;
mod read;
mod records;
mod scan;
mod sniff;
mod text;
mod transpose;

use std::path::Path;

use super::error::WriteError;
use super::options::{Table, Tables, WriteOptions};
use super::writers::need_x;
use crate::data::Dataset;

pub(super) use codec::CODEC;
pub use codec::{INDEX_COLUMN, OBS_COLUMNS, TABLE, TRANSPOSE};
pub use parquet::{write_frame_parquet, write_matrix_parquet};
pub use plain::{TextRow, TextTable, read_text_table};
pub(super) use read::read;
pub(super) use records::is_gzip;
pub(super) use sniff::probe;
pub(super) use text::write;
pub use text::{delimiter_for, write_frame_csv, write_matrix_csv};

/// Files of a folder of tables, in either format.
pub const FILES: &[&str] = &["obs.csv", "var.csv", "X.csv", "obs.parquet", "var.parquet", "X.parquet"];

/// The files a folder of tables holds: a target without extension, or one that is a folder already, becomes one.
fn files(path: &Path) -> Option<&'static [&'static str]> {
    (path.extension().is_none() || path.is_dir()).then_some(FILES)
}

/// Writes each table into a file of its own in an empty folder.
fn write_folder(
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
fn advance(options: &WriteOptions, path: &Path, done: usize) -> Result<(), WriteError> {
    options.progress.advance(done as u64, "");
    if options.progress.cancelled() {
        return Err(WriteError::Cancelled { path: path.to_owned() });
    }
    Ok(())
}
