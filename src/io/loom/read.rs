//! From a loom file to a [`Dataset`], wherever it states its version.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::attrs::{self, Axis, CELL_NAMES, GENE_NAMES};
use super::graphs::{COLUMN_GRAPHS, ROW_GRAPHS};
use super::matrix::{self, Turned};
use super::{globals, graphs};
use crate::data::{Dataset, Source as Origin};
use crate::io::hdf5::{Node, Source, has_magic, open_shared};
use crate::io::{Fit, Probe, ReadError, ReadOptions};

/// How sure the content makes us: an HDF5 file with a dataset `/matrix` and attributes of both axes is a loom.
pub fn probe(probe: &Probe) -> Fit {
    if !has_magic(probe.path) {
        return Fit::No;
    }
    // Reading says what is wrong with a file that cannot be opened.
    let Ok(f) = open_shared(probe.path) else { return Fit::Possible };
    let matrix = f.dataset("matrix").is_ok();
    match (matrix, f.link_exists("row_attrs"), f.link_exists("col_attrs")) {
        (true, true, true) => Fit::Sure,
        (false, false, false) => Fit::No,
        _ => Fit::Possible,
    }
}

/// Reads a loom file. Tables, graphs and what the file says of itself come into memory, matrices stay on disk.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let source = Source { path: path.to_owned(), limits: options.limits };
    let file = source.open()?;
    let root: &Group = &file;
    let x = main_matrix(&source, root)?;
    let [genes, cells] = axes(&x);
    let (var, varm) = attrs::read(&source, root, &genes)?;
    let (obs, obsm) = attrs::read(&source, root, &cells)?;
    let mut dataset = Dataset::new(obs, var);
    (dataset.obsm, dataset.varm) = (obsm, varm);
    dataset.x = Some(x.into_matrix());
    layers(&source, root, &mut dataset)?;
    dataset.varp = graphs::read(&source, root, ROW_GRAPHS, genes.len)?;
    dataset.obsp = graphs::read(&source, root, COLUMN_GRAPHS, cells.len)?;
    of_itself(&source, root, &mut dataset)?;
    unknown(&source, root)?;
    dataset.check().map_err(|e| source.malformed("/", e.to_string()))?;
    Ok(dataset)
}

/// The matrix every loom has.
pub(super) fn main_matrix(source: &Source, root: &Group) -> Result<Turned, ReadError> {
    match source.node(root, "matrix")? {
        Some(Node::Dataset(d)) => matrix::open(source, &d, true),
        Some(Node::Group(g)) => {
            Err(source.malformed(g.name(), "is a group, expected a dataset of genes × cells"))
        }
        None => Err(no_matrix(source, root)),
    }
}

/// The axes of genes and of cells.
pub(super) fn axes(x: &Turned) -> [Axis<'static>; 2] {
    let (genes, cells) = x.stored_shape();
    [
        Axis { group: "row_attrs", what: "genes", len: genes, names: GENE_NAMES },
        Axis { group: "col_attrs", what: "cells", len: cells, names: CELL_NAMES },
    ]
}

/// Adds what the file says of itself.
pub(super) fn of_itself(source: &Source, root: &Group, dataset: &mut Dataset) -> Result<(), ReadError> {
    let globals = globals::read(source, root)?;
    dataset.uns = globals.uns;
    let dialect = match globals.version {
        Some(version) => format!("loom {version}"),
        None => "loom (version not stated)".into(),
    };
    dataset.source = Origin { path: source.path.clone(), dialect, keywords: globals.keywords };
    Ok(())
}

pub(super) fn no_matrix(source: &Source, root: &Group) -> ReadError {
    if root.link_exists("row_attrs") || root.link_exists("col_attrs") {
        return source.malformed("/matrix", "is missing: not a complete loom");
    }
    ReadError::NotRecognised {
        path: source.path.clone(),
        what: "HDF5, but no /matrix, /row_attrs and /col_attrs: not a loom".into(),
    }
}

/// Adds the layers, left on disk.
pub(super) fn layers(source: &Source, root: &Group, dataset: &mut Dataset) -> Result<(), ReadError> {
    let Some(Node::Group(layers)) = source.node(root, "layers")? else { return Ok(()) };
    let (cells, genes) = (dataset.n_obs(), dataset.n_vars());
    for name in source.members(&layers)? {
        let Some(Node::Dataset(d)) = source.node(&layers, &name)? else {
            tracing::warn!("{}: /layers/{name}: a group, not a matrix; left out", source.path.display());
            continue;
        };
        let m = matrix::open(source, &d, false)?;
        if m.stored_shape() != (genes, cells) {
            let (g, c) = m.stored_shape();
            let what = format!("{g} genes × {c} cells, but /matrix has {genes} × {cells}");
            return Err(source.malformed(d.name(), what));
        }
        dataset.layers.insert(name, m.into_matrix());
    }
    Ok(())
}

/// Says what else is in the file.
pub(super) fn unknown(source: &Source, root: &Group) -> Result<(), ReadError> {
    const KNOWN: &[&str] = &[
        "matrix",
        "layers",
        "attrs",
        "row_attrs",
        "col_attrs",
        "row_graphs",
        "col_graphs",
        "row_edges",
        "col_edges",
    ];
    for name in source.members(root)?.into_iter().filter(|n| !KNOWN.contains(&n.as_str())) {
        tracing::warn!("{}: /{name}: no part of a loom; left out", source.path.display());
    }
    Ok(())
}
