//! Looking for faults in a folder, file by file.

use std::path::Path;

use super::files::find;
use super::load::load;
use super::read::{first_lines, fits};
use super::tables;
use crate::data::Frame;
use crate::io::check::values;
use crate::io::{CheckReport, ReadError, ReadOptions};

/// Looks for faults: the tables of barcodes and features, the first lines of the matrix, their lengths against each other,
/// then every entry; a deep check also walks through the rows made of them.
///
/// # Errors
/// [`ReadError`] when there are no such files, or of a kind scx does not read.
pub fn check(path: &Path, options: &ReadOptions, report: &mut CheckReport) -> Result<(), ReadError> {
    let files = find(path, options)?;
    report.elements += 3;
    let cells = told(tables::cells(&files.barcodes, options), report)?;
    let features = told(tables::features(&files.features, options), report)?;
    let header = told(first_lines(&files), report)?;
    let turned = |h: &super::header::Header| {
        let sizes = (features.as_ref().map(Frame::len), cells.as_ref().map(Frame::len));
        h.n_cells != h.n_features && sizes == (Some(h.n_cells), Some(h.n_features))
    };
    for (file, what, table, wanted) in [
        (&files.barcodes, "barcodes", &cells, header.map(|h| h.n_cells)),
        (&files.features, "features", &features, header.map(|h| h.n_features)),
    ] {
        let Some(table) = table else { continue };
        if let Some(names) = table.index.stored() {
            report.duplicates(&name(file), names);
        }
        if let Some(wanted) = wanted.filter(|_| !header.as_ref().is_some_and(turned)) {
            told(fits(file, what, table.len(), wanted), report)?;
        }
    }
    let Some(header) = header else { return Ok(()) };
    if turned(&header) {
        let what = format!(
            "{} × {} is cells × features; 10x writes features × cells: turn it first",
            header.n_features, header.n_cells
        );
        report.fault(&name(&files.matrix), what);
    }
    let room = options.limits.check(&files.matrix, "entries", header.nnz, 8);
    if told(room, report)?.is_none() {
        return Ok(());
    }
    if let Some(x) = told(load(&files.matrix, &header, options), report)?
        && report.deep
    {
        values("X", &x, options, report);
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A fault of a file goes into the report, under the name of the file; everything else is an error.
fn told<T>(done: Result<T, ReadError>, report: &mut CheckReport) -> Result<Option<T>, ReadError> {
    match done {
        Ok(found) => Ok(Some(found)),
        Err(ReadError::Malformed { path, at, what }) => {
            report.fault(&format!("{}, {at}", name(&path)), what);
            Ok(None)
        }
        Err(e @ ReadError::TooLarge { .. }) => {
            report.refused("matrix", &e);
            Ok(None)
        }
        Err(e) => Err(e),
    }
}
