//! Targets of verbs whose result is columns of the table of cells.

use std::path::Path;

use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::{losses, targets};
use crate::data::{Annotation, Dataset};
use crate::io::loss::LossReport;
use crate::io::{self, Additions, Codec, Format, Table, WriteOptions, h5ad};
use crate::provenance;

/// The format of a target, when it has a place for columns of cells.
///
/// # Errors
/// [`CliError`] that names the formats that do; what the columns are is said in `what`.
pub(in crate::cli) fn format(target: &Path, asked: Option<Format>, what: &str) -> Result<Format, CliError> {
    let to = targets::format(target, asked)?;
    if matches!(to, Format::H5ad | Format::Loom | Format::Csv | Format::Parquet) {
        return Ok(to);
    }
    Err(CliError::usage(format!(
        "{}: {} has no place for {what}; write h5ad, loom, csv or parquet",
        target.display(),
        to.name()
    )))
}

/// Writes a data set with additions: an h5ad that was read is copied with them, other targets are written anew.
///
/// # Errors
/// [`CliError`] when it cannot be written.
pub(in crate::cli) fn write(
    (codec, to): (&Codec, Format),
    mut dataset: Dataset,
    additions: Additions,
    (output, force): (&Path, bool),
    memory: Option<u64>,
    console: &Console,
) -> Result<(), CliError> {
    if (codec.format, to) == (Format::H5ad, Format::H5ad) && h5ad::takes_columns(&dataset) {
        return Ok(io::annotate(&dataset, to, &additions, output, force)?);
    }
    let Additions { result: _, obs, obsm, obsp, uns, record } = additions;
    for (name, column) in obs {
        dataset.obs.set(&name, column);
    }
    dataset.obsm.extend(obsm.into_iter().map(|(n, m)| (n, Annotation::Matrix(m))));
    dataset.obsp.extend(obsp.into_iter().map(|(n, m)| (n, Annotation::Matrix(m))));
    dataset.uns.extend(uns);
    provenance::append(&mut dataset.uns, &record);
    let table_folder = io::folder_of(to, output).is_some();
    let defaults = WriteOptions::default();
    let options = WriteOptions {
        memory: memory.unwrap_or(defaults.memory),
        // A single table is that of the cells, where the columns are.
        table: (!table_folder).then_some(Table::Obs),
        table_folder,
        progress: console,
        ..defaults
    };
    if to != Format::H5ad {
        losses::say(&LossReport::new(&dataset, to, &options), &[], console);
    }
    io::keep_keywords(&mut dataset, to);
    Ok(io::save(&dataset, to, output, force, &options)?)
}
