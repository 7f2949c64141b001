//! The frozen earlier state: `raw`, or `raw.X`, `raw.var` and `raw.varm` as anndata wrote them before 0.7.

use hdf5_metno as hdf5;

use hdf5::Group;

use super::elem::{self, Along};
use super::{frame, matrix};
use crate::data::{Change, Frame, Index, Raw};
use crate::io::error::ReadError;
use crate::io::hdf5::{Node, Source};

/// Names inside `raw`, and beside it in old files.
const NAMES: [[&str; 3]; 2] = [["X", "var", "varm"], ["raw.X", "raw.var", "raw.varm"]];

/// Where the parts of raw lie: the group they are in, and their names there; `None` when there is no raw.
pub(super) fn place(source: &Source, root: &Group) -> Result<Option<(Group, [&'static str; 3])>, ReadError> {
    let [new, old] = NAMES;
    match source.node(root, "raw")? {
        Some(Node::Group(g)) => Ok(Some((g, new))),
        _ if old.iter().any(|name| root.link_exists(name)) => Ok(Some((root.clone(), old))),
        _ => Ok(None),
    }
}

/// Reads raw. Without a table of its variables they are numbered, as in anndata; a raw that is no matrix is `None`.
///
/// # Errors
/// [`ReadError`] when its parts are damaged or do not fit each other.
pub(super) fn read(
    source: &Source,
    root: &Group,
    n_obs: usize,
    changes: &mut Vec<Change>,
) -> Result<Option<Raw>, ReadError> {
    let Some((g, [x, var, varm])) = place(source, root)? else { return Ok(None) };
    let Some(x) = source.node(&g, x)? else { return Ok(None) };
    let (at, place) = (x.name(), format!("{}/{var}", g.name().trim_end_matches('/')));
    let var = match source.node(&g, var)? {
        Some(node) => {
            unlisted(source, &node, changes);
            Some(frame::read(source, &node)?)
        }
        None => None,
    };
    let Some(x) = matrix::on_disk(source, &x, (n_obs, var.as_ref().map_or(0, Frame::len)))? else {
        tracing::warn!("{}: {at}: not a matrix scx understands; it stays in the file", source.path.display());
        return Ok(None);
    };
    let columns = x.shape().1;
    let var = var.unwrap_or_else(|| {
        let what = format!("there is none: the {columns} variables of raw are numbered, as in anndata");
        changes.push(Change::harmless("raw.var", what));
        Frame::new(Index::Range(columns))
    });
    if let Some(what) = misfit(x.shape(), var.len(), n_obs) {
        let (at, what) = if x.shape().0 == n_obs { (place, what) } else { (at, what) };
        return Err(source.malformed(at, format!("{what}; {ADVICE}")));
    }
    let along = Along { group: varm, called: "raw.varm", names: &var.index, axis: "raw.var", square: false };
    let varm = elem::annotations(source, &g, &along, changes)?;
    if g.name() != "/" {
        for name in source.members(&g)?.iter().filter(|m| !NAMES[0].contains(&m.as_str())) {
            let what = "raw has a matrix, var and varm only";
            changes.push(Change::left(format!("raw/{name}"), what).at(format!("{}/{name}", g.name())));
        }
    }
    Ok(Some(Raw { x, var, varm }))
}

/// What to do about a raw that cannot be read.
pub(super) const ADVICE: &str =
    "write raw anew, or take it out (in Python: del h5py.File(FILE, \"r+\")[\"raw\"])";

/// Why X of raw (rows × columns) does not fit its `vars` variables or the cells.
pub(super) fn misfit(x: (usize, usize), vars: usize, n_obs: usize) -> Option<String> {
    let (rows, columns) = x;
    if rows != n_obs {
        return Some(format!("shape {rows} × {columns} but there are {n_obs} cells in obs"));
    }
    (columns != vars)
        .then(|| format!("{vars} variables, but raw/X is {rows} × {columns}: expected {columns} variables"))
}

/// Says which members of a table anndata does not see.
pub(super) fn unlisted(source: &Source, table: &Node, changes: &mut Vec<Change>) {
    let at = table.name();
    let what = "it lies in the table, which does not list it in column-order";
    changes.extend(frame::unlisted(source, table).into_iter().map(|name| {
        let place = format!("{at}/{name}");
        Change::left(place.trim_start_matches('/'), what).at(place.clone())
    }));
}
