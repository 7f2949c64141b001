//! Which matrix an element is, in the words of every anndata; the arrays themselves are [`crate::io::hdf5`]'s.

use hdf5_metno as hdf5;

use hdf5::Group;

use crate::data::{Layout, Matrix, Values};
use crate::io::ReadError;
use crate::io::hdf5::{Node, Source, Stored, open_compressed, open_dense, whole_size};

/// Opens the matrix at `node`; `None` when it is no matrix scx understands.
pub(super) fn open(source: &Source, node: &Node) -> Result<Option<Stored>, ReadError> {
    match node {
        Node::Dataset(d) => open_dense(source, d),
        Node::Group(g) => open_sparse(source, g),
    }
}

/// As [`open`], as a matrix left on disk.
pub(super) fn on_disk(source: &Source, node: &Node) -> Result<Option<Matrix>, ReadError> {
    Ok(open(source, node)?.map(Stored::into_matrix))
}

/// The layout a group names, in the words of anndata since 0.7 or of h5sparse before.
fn layout_of(source: &Source, g: &Group) -> Result<Option<(Layout, &'static str)>, ReadError> {
    let (name, shape) = match source.attr_string(g, "encoding-type")? {
        Some(name) => (name, "shape"),
        None => match source.attr_string(g, "h5sparse_format")? {
            Some(name) => (name, "h5sparse_shape"),
            None => return Ok(None),
        },
    };
    Ok(match name.as_str() {
        "csr_matrix" | "csr" => Some((Layout::Csr, shape)),
        "csc_matrix" | "csc" => Some((Layout::Csc, shape)),
        _ => None,
    })
}

/// Layout and shape (rows × columns) of a compressed matrix.
type Form = (Layout, (usize, usize));

/// Layout and shape of a compressed matrix; `None` when the group is none.
pub(super) fn layout(source: &Source, g: &Group) -> Result<Option<Form>, ReadError> {
    let Some((layout, shape_attr)) = layout_of(source, g)? else { return Ok(None) };
    let shape = source.attr_numbers(g, shape_attr)?;
    let shape: Vec<usize> = shape.iter().flat_map(Values::iter).filter_map(whole_size).collect();
    let [rows, columns] = shape[..] else {
        let what = format!("the attribute {shape_attr} does not hold two whole numbers");
        return Err(source.malformed(g.name(), what));
    };
    Ok(Some((layout, (rows, columns))))
}

fn open_sparse(source: &Source, g: &Group) -> Result<Option<Stored>, ReadError> {
    let Some((layout, shape)) = layout(source, g)? else { return Ok(None) };
    Ok(Some(open_compressed(source, g, layout, shape)?))
}
