//! Groups without a meaning of their own as unstructured values.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use crate::data::{Change, Uns};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, elements, is_null};

/// Bytes an unstructured value may take.
const LARGE: u64 = 64 << 20;
/// Groups inside groups: an end for a file that links to itself.
const DEEPEST: usize = 16;

/// Everything in a group; what cannot be read is told in `changes`.
pub(super) fn map(source: &Source, g: &Group, changes: &mut Vec<Change>) -> BTreeMap<String, Uns> {
    deeper(source, g, 0, changes)
}

fn deeper(source: &Source, g: &Group, depth: usize, changes: &mut Vec<Change>) -> BTreeMap<String, Uns> {
    let mut all = BTreeMap::new();
    let names = match source.members(g) {
        Ok(names) => names,
        Err(e) => {
            changes.push(Change::left(g.name(), e.to_string()));
            return all;
        }
    };
    for name in names {
        let at = format!("{}/{name}", g.name().trim_end_matches('/'));
        let value = match source.node(g, &name) {
            Ok(Some(Node::Group(inner))) if depth < DEEPEST => {
                Some(Uns::Map(deeper(source, &inner, depth + 1, changes)))
            }
            Ok(Some(Node::Group(_))) => {
                changes.push(Change::left(&at, "groups lie too deep inside each other"));
                None
            }
            Ok(Some(Node::Dataset(d))) => value(source, &d, changes),
            Ok(None) => None,
            Err(e) => {
                changes.push(Change::left(&at, e.to_string()));
                None
            }
        };
        all.extend(value.map(|v| (name, v)));
    }
    all
}

/// A dataset of numbers or text; anything else is told in `changes`.
pub(super) fn value(source: &Source, d: &Dataset, changes: &mut Vec<Change>) -> Option<Uns> {
    match read(source, d) {
        Ok(Ok(value)) => Some(value),
        Ok(Err(why)) => {
            changes.push(Change::left(d.name(), why));
            None
        }
        Err(e) => {
            changes.push(Change::left(d.name(), e.to_string()));
            None
        }
    }
}

fn read(source: &Source, d: &Dataset) -> Result<Result<Uns, String>, ReadError> {
    let shape = if is_null(d) { vec![0] } else { d.shape() };
    let large = |size: usize| elements(&shape).saturating_mul(size as u64) > LARGE;
    Ok(match source.kind(d) {
        Kind::Text(ty) if large(ty.size()) => Err("more text than an unstructured value may hold".into()),
        Kind::Number(dtype) if large(dtype.size()) => {
            Err("more numbers than an unstructured value may hold".into())
        }
        Kind::Text(ty) => {
            let mut values = source.strings(d, &ty)?;
            Ok(match shape.len() {
                0 => values.pop().map_or(Uns::Null, Uns::String),
                1 => Uns::Strings(values),
                _ => Uns::StringArray { shape, values },
            })
        }
        Kind::Number(dtype) => {
            let values = source.numbers(d, dtype)?;
            Ok(if shape.is_empty() { Uns::Number(values) } else { Uns::Array { shape, values } })
        }
        kind => Err(format!("scx does not read {}", kind.words())),
    })
}
