//! What is in a 10x HDF5 file, told without its barcodes and counts.

use std::path::Path;

use super::read::{Contents, FILTERED};
use crate::data::{Frame, Index, Layout};
use crate::io::hdf5::{Kind, Source, judge_compressed, storage};
use crate::io::{Item, Outline, ReadError, ReadOptions};

/// Looks into a 10x HDF5 file: the features are read, of cells and counts only how many there are and a few values.
/// Whether the rest is sound says reading alone; when a genome is chosen, the pointers of the matrix are read, too.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn outline(path: &Path, options: &ReadOptions) -> Result<Outline, ReadError> {
    let source = Source { path: path.to_owned(), limits: options.limits };
    let file = source.open()?;
    let contents = Contents::open(&source, &file, options)?;
    let (part, g) = (&contents.part, &contents.group);
    let n_cells = part.n_cells;
    let barcodes = source.dataset(g, "barcodes")?;
    part.expect(g, "barcodes", barcodes.size(), n_cells, "cells")?;
    let filtered = part.filtered(g)?;
    let data = source.dataset(g, "data")?;
    let Kind::Number(dtype) = source.kind(&data) else {
        return Err(source.malformed(data.name(), "holds no numbers"));
    };
    let x = Item {
        shape: vec![n_cells, part.n_features],
        dtype: Some(dtype.name().into()),
        nnz: Some(data.size() as u64),
        storage: Some(storage(&data)),
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
        outline.items[at].shape = vec![n_cells, 1];
        let column = Item { shape: vec![n_cells], ..Item::new(&format!("obs/{FILTERED}"), dtype.name()) };
        outline.items.insert(at + 1, column);
    }
    Ok(outline)
}
