//! From a loom file to a [`Dataset`], wherever it states its version.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::attrs::{self, Axis};
use super::graphs::{COLUMN_GRAPHS, ROW_GRAPHS};
use super::left::{element, part};
use super::matrix::{self, Turned};
use super::{globals, graphs};
use crate::data::{Change, Dataset, Source as Origin};
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::hdf5::{Node, Source, has_magic, open_shared};
use crate::io::options::ReadOptions;

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

/// Reads a loom file. Tables, graphs and what the file says of itself come into memory, matrices stay on disk. A damaged
/// part beside the main matrix and the names is left out, and [`Dataset::changes`] says so.
///
/// # Errors
/// [`ReadError`] that names the file and the element, when the main matrix or the names cannot be read.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let root: &Group = &file;
    let x = main_matrix(&source, root)?;
    let [genes, cells] = axes(&x);
    let mut left = Vec::new();
    let (var, varm) = attrs::read(&source, root, &genes, &mut left)?;
    let (obs, obsm) = attrs::read(&source, root, &cells, &mut left)?;
    let mut dataset = Dataset::new(obs, var);
    (dataset.obsm, dataset.varm) = (obsm, varm);
    dataset.x = Some(x.into_matrix());
    layers(&source, root, &mut dataset, &mut left)?;
    dataset.varp = graphs::read(&source, root, ROW_GRAPHS, ("varp", genes.len), &mut left)?;
    dataset.obsp = graphs::read(&source, root, COLUMN_GRAPHS, ("obsp", cells.len), &mut left)?;
    of_itself(&source, root, &mut dataset, &mut left)?;
    unknown(&source, root, &mut left)?;
    dataset.changes = left;
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
    [Axis::genes(genes), Axis::cells(cells)]
}

/// Adds what the file says of itself.
pub(super) fn of_itself(
    source: &Source,
    root: &Group,
    dataset: &mut Dataset,
    left: &mut Vec<Change>,
) -> Result<(), ReadError> {
    let globals = globals::read(source, root, left)?;
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

/// Adds the layers, left on disk; what is no matrix of the shape of `/matrix` goes to `left`.
pub(super) fn layers(
    source: &Source,
    root: &Group,
    dataset: &mut Dataset,
    left: &mut Vec<Change>,
) -> Result<(), ReadError> {
    let layers = match part(left, || "/layers".into(), source.node(root, "layers"))?.flatten() {
        Some(Node::Group(layers)) => layers,
        Some(Node::Dataset(_)) => {
            left.push(Change::left("/layers", "is a dataset, expected a group of matrices"));
            return Ok(());
        }
        None => return Ok(()),
    };
    for name in part(left, || "/layers".into(), source.members(&layers))?.unwrap_or_default() {
        let found = layer(source, &layers, &name, dataset);
        if let Some(m) = part(left, || element("layers", &name), found)? {
            dataset.layers.insert(name, m.into_matrix());
        }
    }
    Ok(())
}

/// One layer, of the shape of the main matrix.
fn layer(source: &Source, layers: &Group, name: &str, dataset: &Dataset) -> Result<Turned, ReadError> {
    let at = format!("/layers/{name}");
    let Some(Node::Dataset(d)) = source.node(layers, name)? else {
        return Err(source.malformed(at, "is a group, not a matrix"));
    };
    let m = matrix::open(source, &d, false)?;
    let ((g, c), (cells, genes)) = (m.stored_shape(), (dataset.n_obs(), dataset.n_vars()));
    if (g, c) != (genes, cells) {
        let what = format!("{g} genes × {c} cells, but /matrix has {genes} × {cells}");
        return Err(source.malformed(at, what));
    }
    Ok(m)
}

/// Says what else is in the file.
pub(super) fn unknown(source: &Source, root: &Group, left: &mut Vec<Change>) -> Result<(), ReadError> {
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
    let others = source.members(root)?.into_iter().filter(|n| !KNOWN.contains(&n.as_str()));
    left.extend(others.map(|name| Change::left(format!("/{name}"), "is no part of a loom")));
    Ok(())
}
