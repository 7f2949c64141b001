//! From an h5ad file to a [`Dataset`], whatever version of anndata wrote it.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::elem::Along;
use super::{elem, frame, matrix, mudata, raw, stored};
use crate::data::{Annotation, Categories, Change, Dataset, Frame, Matrix, Source as Origin, Uns};
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::hdf5::{Node, Source, has_magic, open_shared};
use crate::io::options::ReadOptions;

/// The dialect of files whose tables are stored as records.
pub(super) const RECORDS: &str = "anndata before 0.7";

/// How sure the content makes us: an HDF5 file with `/obs` and `/var` is h5ad, any other HDF5 file might be.
pub fn probe(probe: &Probe) -> Fit {
    if !has_magic(probe.path) {
        return Fit::No;
    }
    match open_shared(probe.path) {
        Ok(f) if f.link_exists("obs") && f.link_exists("var") && !mudata::has_modalities(&f) => Fit::Sure,
        // Reading says what it is, or what is wrong with it.
        _ => Fit::Possible,
    }
}

/// Reads an h5ad file. Tables and `uns` come into memory, matrices stay on disk. What AnnData does not define, and what is
/// damaged beside the matrices and the tables of cells and variables, is left out: [`Dataset::changes`] says so.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    read_like(path, options, None)
}

/// As [`read`], of a file whose cells are most likely those of `like`: names that are equal are shared.
pub(super) fn read_like(
    path: &Path,
    options: &ReadOptions,
    like: Option<&Dataset>,
) -> Result<Dataset, ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let root: &Group = &file;
    let (obs, var) = tables(&source, root)?;
    let mut changes = Vec::new();
    let mut dataset = Dataset::new(
        frame::read_like(&source, &obs, like.map(|d| &d.obs.index), Some(&mut changes))?,
        frame::read_like(&source, &var, None, Some(&mut changes))?,
    );
    raw::unlisted(&source, &obs, &mut changes);
    raw::unlisted(&source, &var, &mut changes);
    dataset.uns = elem::uns(&source, root, &mut changes);
    let shape = (dataset.n_obs(), dataset.n_vars());
    dataset.x = match source.node(root, "X")? {
        Some(node) if !is_null(&source, &node)? => Some(main_matrix(&source, &node, shape)?),
        _ => None,
    };
    read_layers(&source, root, &mut dataset, &mut changes)?;
    let mut along = |group, axis, square| {
        let names = if axis == "obs" { &dataset.obs.index } else { &dataset.var.index };
        let along = Along { group, called: group, names, axis, square };
        elem::annotations(&source, root, &along, &mut changes)
    };
    let all = [
        along("obsm", "obs", false)?,
        along("varm", "var", false)?,
        along("obsp", "obs", true)?,
        along("varp", "var", true)?,
    ];
    [dataset.obsm, dataset.varm, dataset.obsp, dataset.varp] = all;
    adopt_old_neighbours(&mut dataset);
    dataset.raw = raw::read(&source, root, shape.0, &mut changes)?;
    keep_unknown(&source, root, &mut dataset, &mut changes)?;
    for name in source.attr_names(root)?.into_iter().filter(|n| !ATTRIBUTES.contains(&n.as_str())) {
        let what = "AnnData has no attributes at the root beside its encoding";
        changes.push(Change::left(format!("/@{name}"), what).at(format!("/@{name}")));
    }
    let old_tables = matches!(obs, Node::Dataset(_)) || matches!(var, Node::Dataset(_));
    if old_tables {
        adopt_old_categories(&source, &mut dataset)?;
    }
    dataset.changes = changes;
    dataset.source =
        Origin { path: path.to_owned(), dialect: dialect(&source, root, old_tables)?, keywords: Vec::new() };
    dataset.check().map_err(|e| source.malformed("/", e.to_string()))?;
    Ok(dataset)
}

/// The two tables every h5ad file has.
pub(super) fn tables(source: &Source, root: &Group) -> Result<(Node, Node), ReadError> {
    if mudata::is(source, root)? {
        return Err(mudata::refusal(source, root));
    }
    match (source.node(root, "obs")?, source.node(root, "var")?) {
        (Some(obs), Some(var)) => Ok((obs, var)),
        (None, None) => {
            Err(ReadError::NotRecognised { path: source.path.clone(), what: source.stranger(root) })
        }
        (None, _) => Err(source.malformed("/", "the table obs is missing: not a complete h5ad")),
        _ => Err(source.malformed("/", "the table var is missing: not a complete h5ad")),
    }
}

/// Whether an element stands for Python's `None`.
fn is_null(source: &Source, node: &Node) -> Result<bool, ReadError> {
    Ok(source.attr_string(node.location(), "encoding-type")?.as_deref() == Some("null"))
}

/// Layers that are matrices go into the data set; others are remembered by their place.
fn read_layers(
    source: &Source,
    root: &Group,
    dataset: &mut Dataset,
    changes: &mut Vec<Change>,
) -> Result<(), ReadError> {
    let layers = match source.node(root, "layers")? {
        Some(Node::Group(layers)) => layers,
        Some(Node::Dataset(_)) => {
            changes.push(Change::left("layers", "is a dataset, expected a group").at("/layers"));
            return Ok(());
        }
        None => return Ok(()),
    };
    for name in source.members(&layers)? {
        let Some(node) = source.node(&layers, &name)? else { continue };
        let shape = (dataset.n_obs(), dataset.n_vars());
        let read = matrix::on_disk(source, &node, shape).and_then(|m| match m {
            Some(m) if m.shape() != shape => Err(source.malformed(node.name(), misfit(m.shape(), shape))),
            m => Ok(m),
        });
        match read {
            Ok(Some(m)) => {
                dataset.layers.insert(name, m);
                continue;
            }
            Ok(None) => tracing::warn!(
                "{}: {}: not a matrix scx understands; it stays in the file",
                source.path.display(),
                node.name()
            ),
            // What scx has no decoder for may be sound.
            Err(e @ ReadError::Unsupported { .. }) => tracing::warn!("{e}; it stays in the file"),
            Err(e @ ReadError::Malformed { .. }) => {
                changes.push(Change::left(format!("layers[{name:?}]"), e.what()).at(node.name()));
                continue;
            }
            Err(e) => return Err(e),
        }
        dataset
            .unknown
            .extend(stored::stored(source, node.location()).map(|o| (format!("layers/{name}"), o)));
    }
    Ok(())
}

/// Every name an AnnData file has at its root.
const ROOT: &[&str] = &["X", "obs", "var", "layers", "obsm", "varm", "obsp", "varp", "uns"];

/// Every attribute an AnnData file has at its root.
const ATTRIBUTES: &[&str] = &["encoding-type", "encoding-version"];

/// Whether a member of the root is one that AnnData defines.
pub(super) fn defined(name: &str) -> bool {
    ROOT.contains(&name) || name == "raw" || name.starts_with("raw.")
}

/// Why what AnnData does not define is left behind.
pub(super) const UNDEFINED: &str = "AnnData has no such element, and anndata opens no file with one";

/// Leaves behind what no AnnData has at its root, and remembers a raw that is not understood.
fn keep_unknown(
    source: &Source,
    root: &Group,
    dataset: &mut Dataset,
    changes: &mut Vec<Change>,
) -> Result<(), ReadError> {
    for name in source.members(root)? {
        if !defined(&name) {
            changes.push(Change::left(format!("/{name}"), UNDEFINED).at(format!("/{name}")));
        } else if name.starts_with("raw") && dataset.raw.is_none() {
            match source.node(root, &name) {
                Ok(Some(node)) => {
                    dataset.unknown.extend(stored::stored(source, node.location()).map(|o| (name, o)));
                }
                Ok(None) => {}
                Err(e) => changes.push(Change::left(&name, e.what()).at(format!("/{name}"))),
            }
        }
    }
    Ok(())
}

/// X. anndata before 0.7 squeezed it when there was one cell or one gene.
fn main_matrix(source: &Source, node: &Node, shape: (usize, usize)) -> Result<Matrix, ReadError> {
    let Some(m) = matrix::on_disk(source, node, shape)? else {
        let encoding = source
            .attr_string(node.location(), "encoding-type")?
            .unwrap_or_else(|| "no encoding-type".into());
        return Err(ReadError::unsupported(
            &source.path,
            format!("{} is not a dense, CSR or CSC matrix of numbers ({encoding})", node.name()),
        ));
    };
    if m.shape() != shape {
        return Err(source.malformed(node.name(), misfit(m.shape(), shape)));
    }
    Ok(m)
}

/// Why a matrix does not fit the cells and variables around it.
fn misfit((rows, columns): (usize, usize), (n_obs, n_vars): (usize, usize)) -> String {
    let turned = match (columns, rows) == (n_obs, n_vars) {
        true => ": it lies as variables × cells; write its transpose",
        false => "",
    };
    format!(
        "shape {rows} × {columns} but there are {n_obs} cells in obs and {n_vars} variables in var{turned}"
    )
}

/// Moves `uns["<column>_categories"]` into the columns they belong to.
fn adopt_old_categories(source: &Source, dataset: &mut Dataset) -> Result<(), ReadError> {
    let mut lists = Vec::new();
    for (key, value) in &dataset.uns {
        let Some(column) = key.strip_suffix("_categories") else { continue };
        let known = |f: &Frame| f.column(column).is_some();
        if !known(&dataset.obs) && !known(&dataset.var) {
            continue;
        }
        let categories = match value {
            Uns::Strings(v) => Categories::Strings(v.clone()),
            Uns::String(s) => Categories::Strings(vec![s.clone()]),
            Uns::Array { values, .. } | Uns::Number(values) => Categories::Numbers(values.clone()),
            _ => continue,
        };
        lists.push((column.to_owned(), categories));
    }
    frame::adopt_categories(source, "/obs", &mut dataset.obs, &lists)?;
    frame::adopt_categories(source, "/var", &mut dataset.var, &lists)?;
    if let Some(raw) = &mut dataset.raw {
        frame::adopt_categories(source, "/raw.var", &mut raw.var, &lists)?;
    }
    dataset
        .uns
        .retain(|key, _| !lists.iter().any(|(c, _)| key.strip_suffix("_categories") == Some(c.as_str())));
    Ok(())
}

/// Before there was `obsp`, scanpy kept the neighbour graphs in `uns["neighbors"]`; anndata moves them, and so do we.
fn adopt_old_neighbours(dataset: &mut Dataset) {
    let Some(Uns::Map(neighbours)) = dataset.uns.get_mut("neighbors") else { return };
    for key in ["connectivities", "distances"] {
        if dataset.obsp.contains_key(key) {
            continue;
        }
        match neighbours.remove(key) {
            Some(Uns::Matrix(m)) => {
                dataset.obsp.insert(key.to_owned(), Annotation::Matrix(m));
            }
            Some(other) => {
                neighbours.insert(key.to_owned(), other);
            }
            None => {}
        }
    }
}

/// Which anndata wrote it, as far as it says.
pub(super) fn dialect(source: &Source, root: &Group, old_tables: bool) -> Result<String, ReadError> {
    Ok(match source.attr_string(root, "encoding-type")? {
        Some(name) if name == "anndata" => "anndata 0.8 or newer".into(),
        Some(name) => format!("{name} {}", source.attr_string(root, "encoding-version")?.unwrap_or_default()),
        None if old_tables => RECORDS.into(),
        None => "anndata 0.7".into(),
    })
}
