//! One element at a time: arrays in obsm and its kin, and everything in uns.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::{frame, matrix};
use crate::data::{Annotation, Dense, Matrix, Uns};
use crate::io::ReadError;
use crate::io::hdf5::{Kind, Node, Source};

/// Groups inside groups inside uns: deeper than any real file, and an end for a file that links to itself.
const DEEPEST: usize = 32;

/// Reads `obsm`, `varm`, `obsp` or `varp`; matrices stay on disk.
pub(super) fn annotations(
    source: &Source,
    root: &Group,
    name: &str,
) -> Result<BTreeMap<String, Annotation>, ReadError> {
    match source.node(root, name)? {
        None => Ok(BTreeMap::new()),
        Some(Node::Dataset(d)) => records(source, &d),
        Some(Node::Group(g)) => {
            let mut all = BTreeMap::new();
            for key in source.members(&g)? {
                if let Some(node) = source.node(&g, &key)? {
                    all.insert(key, annotation(source, &node)?);
                }
            }
            Ok(all)
        }
    }
}

fn annotation(source: &Source, node: &Node) -> Result<Annotation, ReadError> {
    let encoding = source.attr_string(node.location(), "encoding-type")?;
    if encoding.as_deref() == Some("dataframe") {
        return Ok(Annotation::Frame(frame::read(source, node)?));
    }
    if let Some(m) = matrix::on_disk(source, node)? {
        return Ok(Annotation::Matrix(m));
    }
    let encoding = encoding.unwrap_or_else(|| describe(source, node));
    warn(source, &node.name(), &encoding);
    Ok(Annotation::Opaque { encoding })
}

/// anndata 0.5 and 0.6: one dataset of records, each field the rows of one array.
fn records(source: &Source, d: &Dataset) -> Result<BTreeMap<String, Annotation>, ReadError> {
    let Kind::Compound(fields) = source.kind(d) else {
        warn(source, &d.name(), "array");
        return Ok(BTreeMap::new());
    };
    let mut all = BTreeMap::new();
    for (name, ty) in fields {
        let element = match source.field_numbers(d, &name, &ty)? {
            Some((values, columns)) => {
                let m = Dense::new(d.size(), columns, values)
                    .map_err(|e| source.malformed(format!("{}/{name}", d.name()), e.to_string()))?;
                Annotation::Matrix(Matrix::Dense(m))
            }
            None => {
                warn(source, &format!("{}/{name}", d.name()), &ty.to_string());
                Annotation::Opaque { encoding: ty.to_string() }
            }
        };
        all.insert(name, element);
    }
    Ok(all)
}

fn warn(source: &Source, at: &str, encoding: &str) {
    tracing::warn!(
        "{}: {at}: encoding {encoding} is not understood; it stays in the file",
        source.path.display()
    );
}

/// What an element without `encoding-type` is, in a word.
fn describe(source: &Source, node: &Node) -> String {
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

/// Reads all of `uns`. What cannot be read stays in the file as [`Uns::Opaque`]: nothing in uns may spoil a data set.
pub(super) fn uns(source: &Source, root: &Group) -> Result<BTreeMap<String, Uns>, ReadError> {
    match source.node(root, "uns")? {
        Some(Node::Group(g)) => map(source, &g, 0),
        _ => Ok(BTreeMap::new()),
    }
}

fn map(source: &Source, g: &Group, depth: usize) -> Result<BTreeMap<String, Uns>, ReadError> {
    let mut all = BTreeMap::new();
    for key in source.members(g)? {
        let value = match source.node(g, &key) {
            Ok(Some(node)) => {
                value(source, &node, depth).unwrap_or_else(|e| unreadable(source, &node.name(), &e))
            }
            Ok(None) => continue,
            Err(e) => unreadable(source, &format!("{}/{key}", g.name()), &e),
        };
        all.insert(key, value);
    }
    Ok(all)
}

fn unreadable(source: &Source, at: &str, e: &ReadError) -> Uns {
    tracing::warn!("{}: {at}: left in the file unread: {e}", source.path.display());
    Uns::Opaque { encoding: "unreadable".into() }
}

fn value(source: &Source, node: &Node, depth: usize) -> Result<Uns, ReadError> {
    let encoding = source.attr_string(node.location(), "encoding-type")?;
    let known = matches!(
        encoding.as_deref(),
        None | Some("dict" | "array" | "string" | "string-array" | "numeric-scalar" | "string-scalar")
    );
    let opaque = || Ok(Uns::Opaque { encoding: encoding.clone().unwrap_or_else(|| describe(source, node)) });
    if !known {
        return opaque();
    }
    match node {
        Node::Group(g) => {
            let sparse = source.attr_string(g, "h5sparse_format")?;
            if let Some(format) = sparse {
                return Ok(Uns::Opaque { encoding: format!("{format}_matrix") });
            }
            if depth >= DEEPEST {
                return Ok(Uns::Opaque { encoding: "group nested too deep".into() });
            }
            Ok(Uns::Map(map(source, g, depth + 1)?))
        }
        Node::Dataset(d) => match (source.kind(d), d.ndim()) {
            (Kind::Text(ty), 0) => match source.strings(d, &ty)?.pop() {
                Some(text) => Ok(Uns::String(text)),
                None => opaque(),
            },
            (Kind::Text(ty), 1) => Ok(Uns::Strings(source.strings(d, &ty)?)),
            (Kind::Number(dtype), axes) => {
                let values = source.numbers(d, dtype)?;
                match axes {
                    0 if values.len() == 1 => Ok(Uns::Number(values)),
                    0 => opaque(),
                    _ => Ok(Uns::Array { shape: d.shape(), values }),
                }
            }
            _ => opaque(),
        },
    }
}
