//! AnnData's h5ad files: read in every layout since anndata 0.5, written in that of 0.12 or an older one.

mod add;
mod annotate;
mod check;
mod codec;
mod compat;
mod dict;
mod elem;
mod frame;
mod losses;
mod matrix;
mod matrix_out;
mod mudata;
mod names;
mod outline;
mod patched;
mod raw;
mod read;
mod rows;
mod write;
mod write_elem;

use hdf5_metno as hdf5;

use super::hdf5::Source;
use crate::data::StoredObject;

pub use add::takes_columns;
pub use annotate::annotate;
pub use check::check;
pub(super) use codec::CODEC;
pub use codec::COMPAT;
pub use names::safe_name;
pub use outline::outline;
pub use read::{probe, read};
pub use write::write;

/// Where an open object lies, to be copied from there; `None` when it has no name of its own.
fn stored(source: &Source, at: &hdf5::Location) -> Option<StoredObject> {
    let object = at.name();
    // A link may lead to another file.
    let file = at.filename();
    let path = if file.is_empty() { source.path.clone() } else { file.into() };
    (!object.is_empty()).then_some(StoredObject { path, object })
}
