//! Tables: delimited text in and out, Parquet out. One file holds one table: obs, var, or X with its names; a folder holds
//! several.

mod matrix;
mod number;
pub(super) mod parquet;
mod read;
mod records;
mod scan;
mod sniff;
mod text;

use std::path::Path;

use super::{Tables, WriteError, WriteOptions};
use crate::data::{Dataset, Matrix};

pub use parquet::{write_frame_parquet, write_matrix_parquet};
pub(super) use read::read;
pub(super) use sniff::probe;
pub(super) use text::write;
pub use text::{delimiter_for, write_frame_csv, write_matrix_csv};

/// Files of a folder of tables, in either format.
pub const FILES: &[&str] = &["obs.csv", "var.csv", "X.csv", "obs.parquet", "var.parquet", "X.parquet"];

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

/// X, which a file that holds X needs.
fn x<'a>(dataset: &'a Dataset, path: &Path) -> Result<&'a Matrix, WriteError> {
    dataset.x.as_ref().ok_or_else(|| WriteError::CannotHold {
        path: path.to_owned(),
        what: "X is absent; choose a layer with --x, or a table with --table obs or --table var".into(),
    })
}

/// Tells of progress and stops when asked to.
fn advance(options: &WriteOptions, path: &Path, done: usize) -> Result<(), WriteError> {
    options.progress.advance(done as u64, "");
    if options.progress.cancelled() {
        return Err(WriteError::Cancelled { path: path.to_owned() });
    }
    Ok(())
}
