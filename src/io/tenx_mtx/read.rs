//! From a folder to a [`Dataset`].

use std::path::Path;

use super::files::{find, holds_matrix};
use super::header::{self, Header, is_banner};
use super::load::load;
use super::text::{Text, start};
use super::{files::Files, tables};
use crate::data::{Dataset, Frame, Source as Origin};
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;
use crate::io::tenx::{TYPES, warn_duplicates};

/// How sure the content makes us: a folder with a matrix, or a Matrix Market file.
pub fn probe(probe: &Probe) -> Fit {
    let sure = if probe.path.is_dir() { holds_matrix(probe.path) } else { is_banner(&start(probe.head)) };
    if sure { Fit::Sure } else { Fit::No }
}

/// Reads a folder, or the files that belong to a matrix. X comes into memory as rows of cells when it takes no more than
/// a third of `options.memory`, otherwise it lies in a temporary file while it is used.
///
/// # Errors
/// [`ReadError`] that names the file and the line.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let files = find(path, options)?;
    let obs = tables::cells(&files.barcodes, options)?;
    let var = tables::features(&files.features, options)?;
    let header = first_lines(&files)?;
    agree(&files, &header, &obs, &var)?;
    warn_duplicates(&files.barcodes, "barcodes", &obs);
    warn_duplicates(&files.features, "names of features", &var);
    let mut dataset = without_entries(path, obs, var);
    options.limits.check(&files.matrix, "entries", header.nnz, 8)?;
    dataset.x = Some(load(&files.matrix, &header, options)?);
    dataset.check().map_err(|e| ReadError::malformed(path, "folder", e.to_string()))?;
    Ok(dataset)
}

/// A data set with everything but X.
pub(super) fn without_entries(path: &Path, obs: Frame, var: Frame) -> Dataset {
    let version = if var.column(TYPES).is_some() { 3 } else { 2 };
    let mut dataset = Dataset::new(obs, var);
    dataset.source = Origin {
        path: path.to_owned(),
        dialect: format!("10x folder of Cell Ranger {version}"),
        keywords: Vec::new(),
    };
    dataset
}

/// What the first lines of the matrix say.
pub(super) fn first_lines(files: &Files) -> Result<Header, ReadError> {
    let mut text = Text::open(&files.matrix)?;
    header::read(&files.matrix, &mut text)
}

/// The three files must speak of the same numbers of cells and features.
pub(super) fn agree(files: &Files, header: &Header, obs: &Frame, var: &Frame) -> Result<(), ReadError> {
    let (f, c) = (header.n_features, header.n_cells);
    if (var.len(), obs.len()) == (c, f) && f != c {
        let what = format!("{f} × {c} is cells × features; 10x writes features × cells: turn it first");
        return Err(ReadError::malformed(&files.matrix, "sizes", what));
    }
    fits(&files.barcodes, "barcodes", obs.len(), c)?;
    fits(&files.features, "features", var.len(), f)
}

/// A table has one line for each cell or feature.
pub(super) fn fits(path: &Path, what: &str, found: usize, wanted: usize) -> Result<(), ReadError> {
    if found == wanted {
        return Ok(());
    }
    let mut what = format!("{found} {what}, but the matrix has {wanted}");
    if found == wanted + 1 {
        what.push_str("; is the first line a header?");
    }
    Err(ReadError::malformed(path, "lines", what))
}
