//! MuData files (`.h5mu`): several AnnData in one file, which scx does not read as one.

use hdf5_metno as hdf5;

use hdf5::Group;

use super::frame;
use crate::io::error::ReadError;
use crate::io::hdf5::{Node, Source, extent};

/// Whether the root holds the group of modalities that only a MuData has.
pub(super) fn has_modalities(root: &Group) -> bool {
    root.group("mod").is_ok_and(|g| {
        g.groups().unwrap_or_default().iter().any(|m| m.link_exists("obs") && m.link_exists("var"))
    })
}

/// Whether the file says that it is a MuData, or looks like one and does not say what it is.
pub(super) fn is(source: &Source, root: &Group) -> Result<bool, ReadError> {
    Ok(match source.attr_string(root, "encoding-type")?.as_deref() {
        Some("MuData") => true,
        Some("anndata") => false,
        _ => has_modalities(root),
    })
}

/// Why a MuData is not read, what it holds, and what to do.
pub(super) fn refusal(source: &Source, root: &Group) -> ReadError {
    let names = modalities(source, root);
    let words: Vec<String> = names
        .iter()
        .map(|name| match size(source, root, name) {
            Some((cells, variables)) => format!("{name} ({cells} cells × {variables} variables)"),
            None => name.clone(),
        })
        .collect();
    let holds = match &words[..] {
        [] => "without modalities".to_owned(),
        words => format!("with the modalities {}", words.join(", ")),
    };
    let first = names.first().map_or("rna", String::as_str);
    let what = format!(
        "it is a MuData (h5mu) {holds}, and scx reads one AnnData: write a modality to a file of its own (in Python: \
         mudata.read_h5mu(FILE).mod[{first:?}].write_h5ad(\"{first}.h5ad\"), or \
         anndata.io.read_elem(h5py.File(FILE)[\"mod/{first}\"]).write_h5ad(\"{first}.h5ad\"))"
    );
    ReadError::NotRecognised { path: source.path.clone(), what }
}

/// The names of the modalities, in the order the file gives.
fn modalities(source: &Source, root: &Group) -> Vec<String> {
    let Ok(Some(Node::Group(all))) = source.node(root, "mod") else { return Vec::new() };
    let mut names = source.members(&all).unwrap_or_default();
    let order = source.attr_strings(&all, "mod-order").ok().flatten().unwrap_or_default();
    names.sort_by_key(|name| order.iter().position(|n| n == name).unwrap_or(order.len()));
    names
}

/// Cells and variables of a modality.
fn size(source: &Source, root: &Group, name: &str) -> Option<(usize, usize)> {
    let rows = |table: &str| {
        let Ok(Some(node)) = source.node(root, &format!("mod/{name}/{table}")) else { return None };
        let index = match &node {
            Node::Group(g) => {
                let layout = frame::layout(source, g).ok()?;
                source.node(g, &layout.index).ok()??
            }
            Node::Dataset(_) => node.clone(),
        };
        let values = match index {
            Node::Dataset(d) => d,
            Node::Group(g) => source.dataset(&g, "values").ok()?,
        };
        extent(&values).first().copied()
    };
    Some((rows("obs")?, rows("var")?))
}
