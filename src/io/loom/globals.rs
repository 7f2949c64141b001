//! What a loom file says of itself: attributes of the root (before version 3) or members of /attrs, and its version.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::{Container, Group};

use super::attrs::words;
use super::left::{element, part};
use super::text;
use crate::data::{Change, Uns};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source};

/// Where the version of the format stands.
pub(super) const VERSION: &str = "LOOM_SPEC_VERSION";
/// The scx that wrote a record last.
pub(super) const SCX_VERSION: &str = "scx_version";
/// Records of scx are called this and a number.
pub(super) const SCX_LOG: &str = "scx_log_";
/// Header lines of another format, as one JSON text.
pub(super) const KEYWORDS: &str = "scx_keywords";

/// What a loom file says of itself.
#[derive(Debug, Default)]
pub(super) struct Globals {
    /// Everything but the version and scx's own.
    pub(super) uns: BTreeMap<String, Uns>,
    /// The version stated.
    pub(super) version: Option<String>,
    /// Header lines of the file this was converted from.
    pub(super) keywords: Vec<(String, String)>,
}

/// Reads the attributes of the root and the members of /attrs; these win. What cannot be read goes to `left`.
pub(super) fn read(source: &Source, root: &Group, left: &mut Vec<Change>) -> Result<Globals, ReadError> {
    let mut all = BTreeMap::new();
    let mut names = source.attr_names(root)?;
    names.sort();
    for name in names {
        let at = format!("/@{name}");
        let attr = root.attr(&name).map_err(|e| source.library(&at, &e));
        let value = attr.and_then(|attr| value(source, &attr, &at));
        // Nothing here may spoil a data set.
        all.extend(part(left, || element("uns", &name), value)?.map(|value| (name, value)));
    }
    match part(left, || "/attrs".into(), source.node(root, "attrs"))?.flatten() {
        Some(Node::Group(g)) => {
            for name in part(left, || "/attrs".into(), source.members(&g))?.unwrap_or_default() {
                let value = member(source, &g, &name);
                all.extend(part(left, || element("uns", &name), value)?.map(|value| (name, value)));
            }
        }
        Some(Node::Dataset(_)) => left.push(Change::left("/attrs", "is a dataset, expected a group")),
        None => {}
    }
    Ok(sorted(all))
}

/// The value of a member of /attrs.
fn member(source: &Source, g: &Group, name: &str) -> Result<Uns, ReadError> {
    match source.node(g, name)? {
        Some(Node::Dataset(d)) => {
            source.check_filters(&d)?;
            value(source, &d, &d.name())
        }
        _ => Err(ReadError::unsupported(&source.path, format!("/attrs/{name} is a group"))),
    }
}

fn value(source: &Source, c: &Container, at: &str) -> Result<Uns, ReadError> {
    let shape = c.shape();
    let count = crate::io::hdf5::elements(&shape);
    match source.kind(c) {
        Kind::Text(ty) => {
            source.limits.check(&source.path, at, count, ty.size().max(16))?;
            let mut texts = text::read(source, c, at, &ty)?;
            Ok(match (shape.len(), texts.len()) {
                (0, 1) => Uns::String(texts.pop().unwrap_or_default()),
                (0 | 1, _) => Uns::Strings(texts),
                _ => Uns::StringArray { shape, values: texts },
            })
        }
        Kind::Number(dtype) => {
            source.limits.check(&source.path, at, count, dtype.size())?;
            let values = source.container_numbers(c, at, dtype)?;
            Ok(if shape.is_empty() { Uns::Number(values) } else { Uns::Array { shape, values } })
        }
        kind => {
            let what = format!("{at} holds {}, which scx does not understand", words(&kind));
            Err(ReadError::unsupported(&source.path, what))
        }
    }
}

/// Takes out what is not the user's: the version, the time of the last change (which is that of a file, not of data),
/// and scx's own.
fn sorted(all: BTreeMap<String, Uns>) -> Globals {
    let mut globals = Globals::default();
    let (mut log, mut scx) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in all {
        match (name.as_str(), &value) {
            ("last_modified", _) => {}
            (VERSION, Uns::String(v)) => globals.version = Some(v.clone()),
            (VERSION, Uns::Strings(v)) => globals.version = v.first().cloned(),
            (SCX_VERSION, Uns::String(_)) => {
                scx.insert("version".to_owned(), value);
            }
            (KEYWORDS, Uns::String(json)) if serde_json::from_str::<Vec<(String, String)>>(json).is_ok() => {
                globals.keywords = serde_json::from_str(json).unwrap_or_default();
            }
            (_, Uns::String(_)) if name.starts_with(SCX_LOG) => {
                log.insert(name.trim_start_matches(SCX_LOG).to_owned(), value);
            }
            _ => {
                globals.uns.insert(name, value);
            }
        }
    }
    if !log.is_empty() {
        scx.insert("log".to_owned(), Uns::Map(log));
    }
    if !scx.is_empty() {
        globals.uns.insert("scx".to_owned(), Uns::Map(scx));
    }
    globals
}
