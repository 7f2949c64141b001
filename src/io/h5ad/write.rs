//! A data set as a new file in the layout of anndata 0.12, or of an older one when asked for.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::read::read_like;
use super::write_elem::Out;
use super::{matrix_out, names};
use crate::data::{Column, Dataset, Frame, Matrix, StoredObject};
use crate::io::error::WriteError;
use crate::io::hdf5::{new_group, write_file};
use crate::io::options::{ReadOptions, WriteOptions};
use crate::io::writers::silently;

/// Writes a data set as a new h5ad file at `path`. Elements scx does not understand are copied from the HDF5 file they
/// lie in, as they are; where there is none, each is named in a warning and left out. Names that HDF5 cannot hold are
/// changed ([`super::safe_name`]), each with a warning and an entry in `uns["scx"]["names"]`.
///
/// # Errors
/// [`WriteError`] when the disk is full, the data cannot be read on, or the new file does not read back.
pub fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let renamed = names::storable(dataset, path);
    let dataset = renamed.as_ref().unwrap_or(dataset);
    let out = Out { path, options };
    write_file(path, true, |file| fill(dataset, file, &out))?;
    verify(dataset, path)
}

/// Writes all elements. Its handles are gone when it returns: a file closes only when nothing in it is open.
fn fill(dataset: &Dataset, file: &Group, out: &Out) -> Result<(), WriteError> {
    let path = out.path;
    out.encoding(file, "anndata", "0.1.0")?;
    if let Some(x) = &dataset.x {
        matrix_out::write(x, file, "X", out.options, path)?;
    }
    out.frame(file, "obs", &dataset.obs)?;
    out.frame(file, "var", &dataset.var)?;
    let layers = out.dict(file, "layers")?;
    for (name, m) in &dataset.layers {
        matrix_out::write(m, &layers, name, out.options, path)?;
    }
    out.annotations(file, "obsm", &dataset.obsm, &dataset.obs.index)?;
    out.annotations(file, "varm", &dataset.varm, &dataset.var.index)?;
    out.annotations(file, "obsp", &dataset.obsp, &dataset.obs.index)?;
    out.annotations(file, "varp", &dataset.varp, &dataset.var.index)?;
    if let Some(raw) = &dataset.raw {
        let g = out.lib(new_group(file, "raw"))?;
        out.encoding(&g, "raw", "0.1.0")?;
        matrix_out::write(&raw.x, &g, "X", out.options, path)?;
        out.frame(&g, "var", &raw.var)?;
        out.annotations(&g, "varm", &raw.varm, &raw.var.index)?;
    }
    out.uns(file, "uns", &dataset.uns)?;
    unknown(dataset, file, &layers, out)
}

/// Elements there is no room for in a data set: a raw or layers that are not understood.
fn unknown(dataset: &Dataset, root: &Group, layers: &Group, out: &Out) -> Result<(), WriteError> {
    for (place, object) in &dataset.unknown {
        let (group, name) = match place.strip_prefix("layers/") {
            Some(name) => (layers, name),
            None => (root, place.as_str()),
        };
        if !group.link_exists(name) {
            out.copy(group, name, "unknown", Some(object as &StoredObject))?;
        }
    }
    Ok(())
}

/// What must read back as it was meant.
#[derive(Debug, PartialEq)]
struct Outline {
    shape: (usize, usize),
    obs: Vec<(String, usize)>,
    var: Vec<(String, usize)>,
    x: Option<String>,
    layers: Vec<(String, String)>,
}

fn outline(d: &Dataset) -> Outline {
    let names = |f: &Frame| {
        let kept = f.columns.iter().filter(|(_, c)| !matches!(c, Column::Opaque { .. }));
        kept.map(|(n, c)| (n.clone(), c.len())).collect()
    };
    let size = |m: &Matrix| format!("{:?} {:?} {:?} {:?}", m.shape(), m.layout(), m.dtype(), m.nnz());
    Outline {
        shape: (d.n_obs(), d.n_vars()),
        obs: names(&d.obs),
        var: names(&d.var),
        x: d.x.as_ref().map(size),
        layers: d.layers.iter().map(|(k, m)| (k.clone(), size(m))).collect(),
    }
}

/// Reads the new file and compares shapes and names with what was meant.
fn verify(dataset: &Dataset, path: &Path) -> Result<(), WriteError> {
    let fail = |what: String| WriteError::Verify { path: path.to_owned(), what };
    let found = silently(|| read_like(path, &ReadOptions::default(), Some(dataset)))
        .map_err(|e| fail(e.to_string()))?;
    let (found, meant) = (outline(&found), outline(dataset));
    if found == meant { Ok(()) } else { Err(fail(format!("it reads back as {found:?}, expected {meant:?}"))) }
}
