//! What is in a 10x HDF5 file, told without its barcodes and counts.

use std::path::Path;

use super::part::FILTERED;
use super::read::Contents;
use crate::data::{Frame, Index, Layout};
use crate::io::error::ReadError;
use crate::io::hdf5::{Source, Three, judge_compressed, length, storage};
use crate::io::options::ReadOptions;
use crate::io::outline::{Item, Outline};

/// Looks into a 10x HDF5 file: the features are read, of cells and counts only how many there are and a few values.
/// Whether the rest is sound says reading alone; when a genome is chosen, the pointers of the matrix are read, too.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn outline(path: &Path, options: &ReadOptions) -> Result<Outline, ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let contents = Contents::open(&source, &file, options)?;
    let (part, g) = (&contents.part, &contents.group);
    let n_cells = part.n_cells;
    part.list(g, "barcodes", n_cells, "cells")?;
    let filtered = part.filtered(g)?;
    let three = Three::of(&source, g)?;
    let types = three.check(&source, &g.name(), Layout::Csr, (n_cells, part.n_features))?;
    let x = Item {
        shape: vec![n_cells, part.n_features],
        dtype: Some(types.data.name().into()),
        nnz: Some(length(&three.data) as u64),
        storage: Some(storage(&three.data)),
        ..Item::new("X", Layout::Csr.name())
    };
    let looks = judge_compressed(&source, g, Layout::Csr).ok().flatten();
    // Part of the features: only a view of the matrix knows what is left of it.
    let view = if contents.kept.is_some() { Some(part.matrix(g)?) } else { None };
    let obs = Frame::new(Index::Range(n_cells));
    let mut outline = Outline::of(&contents.dataset(obs, view)?);
    if outline.item("X").is_none() {
        outline.items.insert(0, x);
        outline.x_looks = looks;
    }
    if let (Some((_, dtype)), Some(at)) = (filtered, outline.items.iter().position(|i| i.path == "obs")) {
        let columns = outline.items[at].shape.get(1).copied().unwrap_or(0);
        outline.items[at].shape = vec![n_cells, columns + 1];
        let column = Item { shape: vec![n_cells], ..Item::new(&format!("obs/{FILTERED}"), dtype.name()) };
        outline.items.insert(at + 1, column);
    }
    Ok(outline)
}
