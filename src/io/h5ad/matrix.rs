//! Which matrix an element is, in the words of every anndata; the arrays themselves are [`crate::io::hdf5`]'s.

use hdf5_metno as hdf5;

use hdf5::Group;

use crate::data::{Dense, Layout, Matrix, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, Stored, is_null, length, open_compressed, open_dense, whole_size};

/// Opens the matrix at `node`; `None` when it is no matrix scx understands.
pub(super) fn open(source: &Source, node: &Node) -> Result<Option<Stored>, ReadError> {
    match node {
        Node::Dataset(d) => open_dense(source, d),
        Node::Group(g) => open_sparse(source, g),
    }
}

/// As [`open`], as a matrix left on disk. A dense one with a null data space has no entries, so that it is of the shape
/// `wanted` when that has none either.
pub(super) fn on_disk(
    source: &Source,
    node: &Node,
    wanted: (usize, usize),
) -> Result<Option<Matrix>, ReadError> {
    if let Node::Dataset(d) = node
        && is_null(d)
        && let Kind::Number(dtype) = source.kind(d)
    {
        let empty = Dense::new(wanted.0, wanted.1, Values::empty(dtype));
        let what = format!("has no entries (a null data space), expected {} × {}", wanted.0, wanted.1);
        return empty.map(|m| Some(Matrix::Dense(m))).map_err(|_| source.malformed(d.name(), what));
    }
    Ok(open(source, node)?.map(Stored::into_matrix))
}

/// The attribute that names the layout of a sparse matrix, and its name there: anndata's since 0.7, or h5sparse's.
fn label(source: &Source, g: &Group) -> Result<Option<(&'static str, String)>, ReadError> {
    for attribute in ["encoding-type", "h5sparse_format"] {
        if let Some(name) = source.attr_string(g, attribute)? {
            return Ok(Some((attribute, name)));
        }
    }
    Ok(None)
}

/// The layout a group names, in the words of anndata since 0.7 or of h5sparse before, and the attribute with the shape.
fn layout_of(source: &Source, g: &Group) -> Result<Option<(Layout, &'static str)>, ReadError> {
    let Some((attribute, name)) = label(source, g)? else { return Ok(None) };
    let shape = if attribute == "encoding-type" { "shape" } else { "h5sparse_shape" };
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
    if let Some((what, advice)) = mislabelled(source, g, layout, shape)? {
        return Err(source.malformed(g.name(), format!("{what}; {advice}")));
    }
    Ok(Some(open_compressed(source, g, layout, shape)?))
}

/// What tells that the arrays are compressed along the other axis than the label says, and what to do: there are as many
/// pointers as that axis asks for. Of a square matrix nothing can be told: both axes ask for the same.
pub(super) fn mislabelled(
    source: &Source,
    g: &Group,
    layout: Layout,
    (rows, columns): (usize, usize),
) -> Result<Option<(String, String)>, ReadError> {
    let name = g.name();
    let of_cells = name == "/X" || name == "/raw/X" || name == "/raw.X" || name.starts_with("/layers/");
    let words = if of_cells { ["cells", "variables"] } else { ["rows", "columns"] };
    let ((major, minor), other, kind) = match layout {
        Layout::Csr => ((rows, columns), "csc", "column"),
        _ => ((columns, rows), "csr", "row"),
    };
    let Some(Node::Dataset(indptr)) = source.node(g, "indptr")? else { return Ok(None) };
    let found = length(&indptr);
    if major == minor || Some(found) != minor.checked_add(1) {
        return Ok(None);
    }
    let Some((attribute, label)) = label(source, g)? else { return Ok(None) };
    let right = if label.ends_with("_matrix") { format!("{other}_matrix") } else { other.to_owned() };
    let axis = if layout == Layout::Csr { words[1] } else { words[0] };
    let what = format!(
        "indptr has {found} entries, and {found} = {axis} + 1: {kind} arrays ({other}) under the label {label}"
    );
    let advice = format!(
        "correct the label (in Python: h5py.File(FILE, \"r+\")[{name:?}].attrs[{attribute:?}] = {right:?}), or write the \
         matrix anew"
    );
    Ok(Some((what, advice)))
}
