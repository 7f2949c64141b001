//! The result of `correct` as a data set, for targets that are not a copy of their input.

use std::fmt::Write;
use std::path::Path;

use crate::cli::correct::inputs::{Inputs, Opened};
use crate::cli::correct::outputs;
use crate::cli::correct::settings::Job;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::losses;
use crate::data::{Dataset, Matrix};
use crate::io::loss::LossReport;
use crate::io::{self, Format, Table, WriteOptions, fcs};
use crate::progress::Progress;
use crate::provenance;

/// Name of the layer the result goes to.
pub(in crate::cli) const LAYER: &str = "scx_correct";

/// Whether the target is a copy of the input with the result added: everything else in it stays bit for bit.
pub(in crate::cli) fn in_place(opened: &Opened, to: Format) -> bool {
    opened.format == to && io::codec(to).annotate.is_some()
}

/// The matrix that is corrected.
///
/// # Errors
/// [`CliError`] when there is none.
pub(in crate::cli) fn matrix(opened: &Opened) -> Result<Matrix, CliError> {
    let found = opened.dataset.matrix(opened.layer.as_deref());
    found.cloned().ok_or_else(|| CliError::input(format!("{}: there is no matrix to correct", opened.name())))
}

/// How targets are written: tables hold the matrix, for there the result is.
pub(in crate::cli) fn options<'a>(to: Format, out: &Path, progress: &'a dyn Progress) -> WriteOptions<'a> {
    let table_folder = io::folder_of(to, out).is_some();
    WriteOptions { table: Some(Table::X), table_folder, progress, ..WriteOptions::default() }
}

/// The data set of a target, with `matrix` as the result: a layer where the format has layers, otherwise X. Also what this
/// leaves behind, in words.
pub(in crate::cli) fn dataset(
    opened: &Opened,
    matrix: Matrix,
    into_x: bool,
    to: Format,
    record: Option<&str>,
) -> (Dataset, Vec<String>) {
    let mut dataset = opened.dataset.clone();
    let mut left = Vec::new();
    match &opened.layer {
        _ if !to.has_layers() => {
            if dataset.x.replace(matrix).is_some() && !into_x {
                left.push(format!("X: the corrected values take its place, {} holds one matrix", to.name()));
            }
        }
        _ if !into_x => {
            // loom has no file without a main matrix.
            if to == Format::Loom && dataset.x.is_none() {
                dataset.x = Some(matrix.clone());
            }
            dataset.layers.insert(LAYER.into(), matrix);
        }
        None => dataset.x = Some(matrix),
        Some(layer) => {
            dataset.layers.insert(layer.clone(), matrix);
        }
    }
    io::keep_keywords(&mut dataset, to);
    match (record, to) {
        (None, _) => {}
        (Some(record), Format::Fcs) => fcs::add_record(&mut dataset, record),
        (Some(record), _) => provenance::append(&mut dataset.uns, record),
    }
    (dataset, left)
}

/// What targets of other formats will not hold, for a dry run.
///
/// # Errors
/// [`CliError`] when there is no matrix.
pub(in crate::cli) fn plan(job: &Job, inputs: &Inputs, console: &Console) -> Result<String, CliError> {
    let mut text = String::new();
    for (file, out) in outputs::files(job, inputs).into_iter().zip(&job.outputs) {
        let opened = &inputs.files[file];
        let to = outputs::format_of(job, opened, out)?;
        if in_place(opened, to) {
            continue;
        }
        let (dataset, left) = dataset(opened, matrix(opened)?, job.into_x, to, None);
        let _ = writeln!(text, "  in {} ({}):", out.display(), to.name());
        let report = LossReport::new(&dataset, to, &options(to, out, console));
        text.push_str(&losses::table(&report, &left));
    }
    Ok(text)
}
