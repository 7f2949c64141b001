//! Where an open object lies, and words for what is not understood.

use hdf5_metno as hdf5;

use crate::data::StoredObject;
use crate::io::hdf5::{Kind, Node, Source};

/// Where an open object lies, to be copied from there; `None` when it has no name of its own.
pub(super) fn stored(source: &Source, at: &hdf5::Location) -> Option<StoredObject> {
    let object = at.name();
    // A link may lead to another file.
    let file = at.filename();
    let path = if file.is_empty() { source.path.clone() } else { file.into() };
    (!object.is_empty()).then_some(StoredObject { path, object })
}

pub(super) fn warn(source: &Source, at: &str, encoding: &str) {
    tracing::warn!(
        "{}: {at}: encoding {encoding} is not understood; it stays in the file",
        source.path.display()
    );
}

/// What an element without `encoding-type` is, in a word.
pub(super) fn describe(source: &Source, node: &Node) -> String {
    match node {
        Node::Group(_) => "group".into(),
        Node::Dataset(d) => match source.kind(d) {
            Kind::Number(t) => format!("{} array of {} axes", t.name(), d.ndim()),
            Kind::Text(_) => format!("text of {} axes", d.ndim()),
            Kind::Compound(_) => "rec-array".into(),
            Kind::Other(what) => what,
        },
    }
}
