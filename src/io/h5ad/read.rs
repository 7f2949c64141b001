//! From an h5ad file to a [`Dataset`], whatever version of anndata wrote it.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::{elem, frame, matrix, stored};
use crate::data::{Annotation, Categories, Dataset, Frame, Matrix, Raw, Source as Origin, Uns};
use crate::io::hdf5::{Node, Source, has_magic, open_shared};
use crate::io::{Fit, Probe, ReadError, ReadOptions};

/// The dialect of files whose tables are stored as records.
pub(super) const RECORDS: &str = "anndata before 0.7";

/// How sure the content makes us: an HDF5 file with `/obs` and `/var` is h5ad, any other HDF5 file might be.
pub fn probe(probe: &Probe) -> Fit {
    if !has_magic(probe.path) {
        return Fit::No;
    }
    match open_shared(probe.path) {
        Ok(f) if f.link_exists("obs") && f.link_exists("var") => Fit::Sure,
        // Reading says what is wrong with it.
        _ => Fit::Possible,
    }
}

/// Reads an h5ad file. Tables and `uns` come into memory, matrices stay on disk.
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
    let source = Source { path: path.to_owned(), limits: options.limits };
    let file = source.open()?;
    let root: &Group = &file;
    let (obs, var) = tables(&source, root)?;
    let mut dataset = Dataset::new(
        frame::read_like(&source, &obs, like.map(|d| &d.obs.index))?,
        frame::read(&source, &var)?,
    );
    dataset.uns = elem::uns(&source, root)?;
    dataset.x = match source.node(root, "X")? {
        Some(node) if !is_null(&source, &node)? => {
            Some(main_matrix(&source, &node, dataset.n_obs(), dataset.n_vars())?)
        }
        _ => None,
    };
    read_layers(&source, root, &mut dataset)?;
    dataset.obsm = elem::annotations(&source, root, "obsm")?;
    dataset.varm = elem::annotations(&source, root, "varm")?;
    dataset.obsp = elem::annotations(&source, root, "obsp")?;
    dataset.varp = elem::annotations(&source, root, "varp")?;
    adopt_old_neighbours(&mut dataset);
    dataset.raw = raw(&source, root)?;
    keep_unknown(&source, root, &mut dataset)?;
    let old_tables = matches!(obs, Node::Dataset(_)) || matches!(var, Node::Dataset(_));
    if old_tables {
        adopt_old_categories(&source, &mut dataset)?;
    }
    dataset.source =
        Origin { path: path.to_owned(), dialect: dialect(&source, root, old_tables)?, keywords: Vec::new() };
    dataset.check().map_err(|e| source.malformed("/", e.to_string()))?;
    Ok(dataset)
}

/// The two tables every h5ad file has.
pub(super) fn tables(source: &Source, root: &Group) -> Result<(Node, Node), ReadError> {
    match (source.node(root, "obs")?, source.node(root, "var")?) {
        (Some(obs), Some(var)) => Ok((obs, var)),
        (obs, var) => Err(not_h5ad(source, obs.is_some(), var.is_some())),
    }
}

fn not_h5ad(source: &Source, obs: bool, var: bool) -> ReadError {
    match (obs, var) {
        (false, false) => ReadError::NotRecognised {
            path: source.path.clone(),
            what: "HDF5, but no /obs and /var: not an h5ad".into(),
        },
        (false, true) => source.malformed("/", "the table obs is missing: not a complete h5ad"),
        _ => source.malformed("/", "the table var is missing: not a complete h5ad"),
    }
}

/// Whether an element stands for Python's `None`.
fn is_null(source: &Source, node: &Node) -> Result<bool, ReadError> {
    Ok(source.attr_string(node.location(), "encoding-type")?.as_deref() == Some("null"))
}

/// Layers that are matrices go into the data set; others are remembered by their place.
fn read_layers(source: &Source, root: &Group, dataset: &mut Dataset) -> Result<(), ReadError> {
    let Some(Node::Group(layers)) = source.node(root, "layers")? else { return Ok(()) };
    for name in source.members(&layers)? {
        let Some(node) = source.node(&layers, &name)? else { continue };
        if let Some(m) = matrix::on_disk(source, &node)? {
            dataset.layers.insert(name, m);
            continue;
        }
        tracing::warn!(
            "{}: {}: not a matrix scx understands; it stays in the file",
            source.path.display(),
            node.name()
        );
        dataset.unknown.extend(stored(source, node.location()).map(|o| (format!("layers/{name}"), o)));
    }
    Ok(())
}

/// Every name an AnnData file has at its root.
const ROOT: &[&str] = &[
    "X", "obs", "var", "layers", "obsm", "varm", "obsp", "varp", "uns", "raw", "raw.X", "raw.var", "raw.varm",
];

/// Remembers what no AnnData has at its root, and a raw that is not understood.
fn keep_unknown(source: &Source, root: &Group, dataset: &mut Dataset) -> Result<(), ReadError> {
    for name in source.members(root)? {
        let known = ROOT.contains(&name.as_str()) && (name != "raw" || dataset.raw.is_some());
        if known {
            continue;
        }
        match source.node(root, &name) {
            Ok(Some(node)) => {
                dataset.unknown.extend(stored(source, node.location()).map(|o| (name, o)));
            }
            Ok(None) => {}
            Err(e) => tracing::warn!("{}: /{name}: left in the file: {e}", source.path.display()),
        }
    }
    Ok(())
}

/// X or raw X. anndata before 0.7 squeezed it when there was one cell or one gene.
fn main_matrix(source: &Source, node: &Node, n_obs: usize, n_vars: usize) -> Result<Matrix, ReadError> {
    let Some(m) = matrix::on_disk(source, node)? else {
        let encoding = source
            .attr_string(node.location(), "encoding-type")?
            .unwrap_or_else(|| "no encoding-type".into());
        return Err(ReadError::unsupported(
            &source.path,
            format!("{} is not a dense, CSR or CSC matrix of numbers ({encoding})", node.name()),
        ));
    };
    if m.shape() != (n_obs, n_vars) {
        let what = format!(
            "shape {} × {} but there are {n_obs} cells in obs and {n_vars} variables in var",
            m.shape().0,
            m.shape().1
        );
        return Err(source.malformed(node.name(), what));
    }
    Ok(m)
}

/// `raw`, or `raw.X` and `raw.var` as anndata wrote them before 0.7.
fn raw(source: &Source, root: &Group) -> Result<Option<Raw>, ReadError> {
    let (x, var, varm) = match source.node(root, "raw")? {
        Some(Node::Group(g)) => {
            (source.node(&g, "X")?, source.node(&g, "var")?, elem::annotations(source, &g, "varm")?)
        }
        _ => (
            source.node(root, "raw.X")?,
            source.node(root, "raw.var")?,
            elem::annotations(source, root, "raw.varm")?,
        ),
    };
    let (Some(x), Some(var)) = (x, var) else { return Ok(None) };
    let var = frame::read(source, &var)?;
    match matrix::on_disk(source, &x)? {
        Some(x) => Ok(Some(Raw { x, var, varm })),
        None => {
            tracing::warn!(
                "{}: {}: not a matrix scx understands; raw is left out",
                source.path.display(),
                x.name()
            );
            Ok(None)
        }
    }
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
