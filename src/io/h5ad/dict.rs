//! Groups that elements are added to.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use crate::io::error::{ReadError, WriteError};
use crate::io::hdf5::{Node, Source, new_group, set_text, write_error};

/// The group `name`, made as an empty dictionary when it is missing.
pub(super) fn dict(source: &Source, parent: &Group, name: &str, out: &Path) -> Result<Group, WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let input = |e: ReadError| WriteError::Input { path: out.to_owned(), source: Box::new(e) };
    match source.node(parent, name).map_err(input)? {
        Some(Node::Group(g)) => same_file(parent, g, out),
        Some(Node::Dataset(d)) => Err(WriteError::CannotHold {
            path: out.to_owned(),
            what: format!("{} is a dataset, expected a group to add to; rename it first", d.name()),
        }),
        None => {
            let g = new_group(parent, name).map_err(lib)?;
            set_text(&g, "encoding-type", "dict").map_err(lib)?;
            set_text(&g, "encoding-version", "0.1.0").map_err(lib)?;
            Ok(g)
        }
    }
}

/// A group, unless a link leads from it to another file, which nobody may change.
pub(super) fn same_file(file: &Group, group: Group, out: &Path) -> Result<Group, WriteError> {
    if group.filename() == file.filename() {
        return Ok(group);
    }
    let what =
        format!("{} lies in another file, {}: write a new file instead", group.name(), group.filename());
    Err(WriteError::CannotHold { path: out.to_owned(), what })
}
