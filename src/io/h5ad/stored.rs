//! Where an open object lies.

use hdf5_metno as hdf5;

use crate::data::StoredObject;
use crate::io::hdf5::Source;

/// Where an open object lies, to be copied from there; `None` when it has no name of its own.
pub(super) fn stored(source: &Source, at: &hdf5::Location) -> Option<StoredObject> {
    let object = at.name();
    // A link may lead to another file.
    let file = at.filename();
    let path = if file.is_empty() { source.path.clone() } else { file.into() };
    (!object.is_empty()).then_some(StoredObject { path, object })
}
