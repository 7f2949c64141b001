//! A data set as a new HDF5 file as Cell Ranger 3 and later write it.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Group, Location};

use super::part::FILTERED;
use super::widen::widened;
use crate::data::{Column, Dataset, Frame, Layout, Uns, Values};
use crate::io::error::WriteError;
use crate::io::hdf5::{
    Storage, create, new_group, set_text, set_texts, set_value, write_compressed, write_error, write_file,
    write_fixed_strings, write_rows,
};
use crate::io::options::{ReadOptions, WriteOptions};
use crate::io::tenx::{EXPRESSION, GENOME, IDS, TYPES, compressed, names, texts, texts_or};
use crate::io::writers::silently;

/// Names inside `features` with a meaning of their own.
const RESERVED: &[&str] = &["_all_tag_keys", "feature_type", "gene_id", "id", "name", "target_sets"];

/// Writes X, the names and the columns of var that hold text or booleans as a new file at `path`; everything else a
/// data set may hold has no place in the format. Half-precision floats become single ones. What [`super::read`] takes from a file is written back to its place.
///
/// # Errors
/// [`WriteError`] when there is no X, the disk is full, the data cannot be read on, or the new file does not read back.
pub fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(path, &e);
    let x = widened(compressed(dataset, path, options.memory)?);
    warn_barcodes(dataset, path);
    if x.dtype().is_float() {
        tracing::warn!(
            "{}: X is written as {}; some tools of 10x Genomics expect whole numbers",
            crate::io::atomic::known_as(path).display(),
            x.dtype().name()
        );
    }
    write_file(path, true, |file| {
        attributes(dataset, file).map_err(lib)?;
        let g = new_group(file, "matrix").map_err(lib)?;
        write_fixed_strings(&g, "barcodes", dataset.obs.index.iter()).map_err(lib)?;
        write_compressed(&x, &g, Layout::Csr, options, path)?;
        shape(&g, dataset.n_vars(), dataset.n_obs()).map_err(lib)?;
        if let Some(Column::Numbers(v @ Values::Bool(_))) = dataset.obs.column(FILTERED) {
            numbers(&g, FILTERED, v).map_err(lib)?;
        }
        let features = new_group(&g, "features").map_err(lib)?;
        write_features(dataset, &features).map_err(lib)
    })?;
    verify(dataset, &x, path)
}

/// scanpy takes barcodes for ASCII.
fn warn_barcodes(dataset: &Dataset, path: &Path) {
    let mut foreign = dataset.obs.index.iter().filter(|b| !b.is_ascii());
    if let Some(first) = foreign.next() {
        tracing::warn!(
            "{}: {} barcodes are not ASCII, {first:?} first: scanpy's read_10x_h5 cannot open the file; rename the \
             cells, or write h5ad instead",
            crate::io::atomic::known_as(path).display(),
            foreign.count() + 1
        );
    }
}

/// What the file says of itself: what Cell Ranger says, as far as it is known.
fn attributes(dataset: &Dataset, file: &Location) -> hdf5::Result<()> {
    set_text(file, "filetype", "matrix")?;
    set_value(file, "version", 2i64)?;
    for name in ["chemistry_description", "library_ids", "original_gem_groups", "software_version"] {
        match dataset.uns.get(name) {
            Some(Uns::String(text)) => set_text(file, name, text)?,
            Some(Uns::Strings(texts)) => {
                set_texts(file, name, &texts.iter().map(String::as_str).collect::<Vec<_>>())?;
            }
            Some(Uns::Array { shape, values: Values::I64(v) }) if shape.len() == 1 => {
                file.new_attr::<i64>().shape([v.len()]).create(name)?.write_raw(v)?;
            }
            Some(Uns::Array { shape, values: Values::I32(v) }) if shape.len() == 1 => {
                file.new_attr::<i32>().shape([v.len()]).create(name)?.write_raw(v)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Features × cells, as 32-bit integers where they fit.
fn shape(g: &Group, n_features: usize, n_cells: usize) -> hdf5::Result<()> {
    let small = i32::try_from(n_features).and_then(|f| i32::try_from(n_cells).map(|c| vec![f, c]));
    match small {
        Ok(v) => numbers(g, "shape", &Values::I32(v)),
        Err(_) => numbers(g, "shape", &Values::I64(vec![n_features as i64, n_cells as i64])),
    }
}

fn numbers(g: &Group, name: &str, values: &Values) -> hdf5::Result<()> {
    let shape = [values.len()];
    let d = create(g, name, values.dtype(), &shape, &Storage::for_array(&shape, values.dtype()))?;
    write_rows(&d, 0, values)
}

/// Names, ids, kinds and genomes of the features, then every other column of text or booleans under its own name.
fn write_features(dataset: &Dataset, g: &Group) -> hdf5::Result<()> {
    let var = &dataset.var;
    let own = names(var);
    let ids = var.column(IDS).and_then(texts).unwrap_or_else(|| own.clone());
    match var.column("probe_ids").and_then(texts) {
        Some(probes) => {
            write_fixed_strings(g, "id", probes.iter())?;
            write_fixed_strings(g, "gene_id", ids.iter())?;
        }
        None => {
            write_fixed_strings(g, "id", ids.iter())?;
        }
    }
    write_fixed_strings(g, "name", own.iter())?;
    write_fixed_strings(g, "feature_type", texts_or(var, TYPES, EXPRESSION).iter())?;
    write_fixed_strings(g, GENOME, texts_or(var, GENOME, "").iter())?;
    let mut tags = vec![GENOME.to_owned()];
    for (name, column) in further(var) {
        match (texts(column), column) {
            (Some(text), _) => {
                write_fixed_strings(g, name, text.iter())?;
                tags.push(name.to_owned());
            }
            (None, Column::Numbers(v @ Values::Bool(_))) => numbers(g, name, v)?,
            _ => {}
        }
    }
    write_fixed_strings(g, "_all_tag_keys", tags.iter())?;
    target_sets(dataset, g)
}

/// The columns of var that are written under their own names.
fn further(var: &Frame) -> impl Iterator<Item = (&str, &Column)> {
    let known = [IDS, TYPES, GENOME, "probe_ids"];
    var.columns.iter().map(|(n, c)| (n.as_str(), c)).filter(move |(name, column)| {
        let writable = texts(column).is_some() || matches!(column, Column::Numbers(Values::Bool(_)));
        if !writable || known.contains(name) {
            return false;
        }
        let free = !RESERVED.contains(name) && !name.contains('/') && !name.is_empty() && *name != ".";
        if !free {
            tracing::warn!("var/{name}: a 10x file cannot hold a column of that name; left out");
        }
        free
    })
}

/// Sets of features, kept as positions by [`super::read`].
fn target_sets(dataset: &Dataset, g: &Group) -> hdf5::Result<()> {
    let Some(Uns::Map(sets)) = dataset.uns.get("target_sets") else { return Ok(()) };
    let n = dataset.n_vars() as f64;
    let valid = |v: &Values| matches!(v, Values::U32(_)) && v.iter().all(|p| p < n);
    let sets: Vec<_> = sets
        .iter()
        .filter_map(|(name, set)| match set {
            Uns::Array { shape, values } if shape.len() == 1 && valid(values) && !name.contains('/') => {
                Some((name, values))
            }
            _ => None,
        })
        .collect();
    if sets.is_empty() {
        return Ok(());
    }
    let g = new_group(g, "target_sets")?;
    sets.into_iter().try_for_each(|(name, values)| numbers(&g, name, values))
}

/// Reads the new file and compares sizes and names with what was meant.
fn verify(dataset: &Dataset, x: &crate::data::Matrix, path: &Path) -> Result<(), WriteError> {
    let fail = |what: String| WriteError::Verify { path: path.to_owned(), what };
    let found = silently(|| super::read(path, &ReadOptions::default())).map_err(|e| fail(e.to_string()))?;
    let size = |m: &crate::data::Matrix| (m.shape(), m.dtype(), m.nnz());
    if found.x.as_ref().map(size) != Some(size(x)) {
        return Err(fail(format!(
            "X reads back as {:?}, expected {:?}",
            found.x.as_ref().map(size),
            size(x)
        )));
    }
    if !found.obs.index.iter().eq(dataset.obs.index.iter())
        || !found.var.index.iter().eq(dataset.var.index.iter())
    {
        return Err(fail("names read back otherwise".into()));
    }
    Ok(())
}
