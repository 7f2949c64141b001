//! A matrix as an element of an h5ad file.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::patched::sparse_attributes;
use crate::data::{Layout, Matrix};
use crate::io::error::WriteError;
use crate::io::hdf5::{new_group, set_text, write_compressed, write_dense, write_error};
use crate::io::options::WriteOptions;

/// Writes a matrix as `group/name` in its own layout and element type.
pub(super) fn write(
    m: &Matrix,
    group: &Group,
    name: &str,
    options: &WriteOptions,
    out: &Path,
) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    if name.contains('/') || name.is_empty() {
        let what = format!("{name:?} as a name inside an h5ad file; rename it without a slash");
        return Err(WriteError::CannotHold { path: out.to_owned(), what });
    }
    match m.layout() {
        Layout::Dense => {
            let d = write_dense(m, group, name, options, out)?;
            set_text(&d, "encoding-type", "array").map_err(lib)?;
            set_text(&d, "encoding-version", "0.2.0").map_err(lib)
        }
        layout => {
            let g = new_group(group, name).map_err(lib)?;
            sparse_attributes(&g, layout, m.shape()).map_err(lib)?;
            write_compressed(m, &g, layout, options, out)
        }
    }
}
