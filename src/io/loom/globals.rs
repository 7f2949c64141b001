//! What a loom file says of itself: attributes of the root (before version 3) or members of /attrs, and its version.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::{Container, Group};

use super::attrs::words;
use super::text;
use crate::data::Uns;
use crate::io::ReadError;
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

/// Reads the attributes of the root and the members of /attrs; these win.
pub(super) fn read(source: &Source, root: &Group) -> Result<Globals, ReadError> {
    let mut all = BTreeMap::new();
    let mut names = source.attr_names(root)?;
    names.sort();
    for name in names {
        let at = format!("/@{name}");
        let attr = root.attr(&name).map_err(|e| source.library(&at, &e))?;
        // Nothing here may spoil a data set.
        let value = value(source, &attr, &at).unwrap_or_else(|e| unreadable(&e));
        all.insert(name, value);
    }
    if let Some(Node::Group(g)) = source.node(root, "attrs")? {
        for name in source.members(&g)? {
            let value = match source.node(&g, &name)? {
                Some(Node::Dataset(d)) => source
                    .check_filters(&d)
                    .and_then(|()| value(source, &d, &d.name()))
                    .unwrap_or_else(|e| unreadable(&e)),
                _ => {
                    tracing::warn!("{}: /attrs/{name}: a group, left out", source.path.display());
                    Uns::Opaque { encoding: "group".into(), stored: None }
                }
            };
            all.insert(name, value);
        }
    }
    Ok(sorted(all))
}

fn unreadable(e: &ReadError) -> Uns {
    tracing::warn!("{e}; left out");
    Uns::Opaque { encoding: "unreadable".into(), stored: None }
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
            tracing::warn!("{}: {at}: not understood; left out", source.path.display());
            Ok(Uns::Opaque { encoding: words(&kind), stored: None })
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
