//! One element at a time: arrays in obsm and its kin, and everything in uns.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::types::TypeDescriptor as TD;
use hdf5::{Dataset, Group};

use super::{frame, matrix, stored};
use crate::data::{Annotation, Column, Dense, Matrix, Uns};
use crate::io::ReadError;
use crate::io::hdf5::{Kind, Node, Source, elements};

/// Arrays of uns above this stay in the file: nothing looks into them, and a copy need not pass through memory.
const LARGE: u64 = 64 << 20;

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
    Ok(Annotation::Opaque { encoding, stored: stored(source, node.location()) })
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
                // A field cannot be copied alone.
                Annotation::Opaque { encoding: ty.to_string(), stored: None }
            }
        };
        all.insert(name, element);
    }
    Ok(all)
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

/// Takes the place and the error of what could not be read.
pub(super) type Unread<'a> = dyn FnMut(&str, &ReadError) + 'a;

/// Reads all of `uns`. What cannot be read stays in the file as [`Uns::Opaque`]: nothing in uns may spoil a data set.
pub(super) fn uns(source: &Source, root: &Group) -> Result<BTreeMap<String, Uns>, ReadError> {
    uns_telling(source, root, &mut |at, e| {
        tracing::warn!("{}: {at}: left in the file unread: {e}", source.path.display());
    })
}

/// As [`uns`], telling `unread` of what could not be read.
pub(super) fn uns_telling(
    source: &Source,
    root: &Group,
    unread: &mut Unread,
) -> Result<BTreeMap<String, Uns>, ReadError> {
    match source.node(root, "uns")? {
        Some(Node::Group(g)) => map(source, &g, 0, unread),
        _ => Ok(BTreeMap::new()),
    }
}

fn map(
    source: &Source,
    g: &Group,
    depth: usize,
    unread: &mut Unread,
) -> Result<BTreeMap<String, Uns>, ReadError> {
    let mut all = BTreeMap::new();
    for key in source.members(g)? {
        let value = match source.node(g, &key) {
            Ok(Some(node)) => match value(source, &node, depth, unread) {
                Ok(value) => value,
                Err(e) => {
                    unread(&node.name(), &e);
                    Uns::Opaque { encoding: "unreadable".into(), stored: stored(source, node.location()) }
                }
            },
            Ok(None) => continue,
            Err(e) => {
                unread(&format!("{}/{key}", g.name()), &e);
                Uns::Opaque { encoding: "unreadable".into(), stored: None }
            }
        };
        all.insert(key, value);
    }
    Ok(all)
}

/// One value, in the words of anndata since 0.8 where there are any, else by what it is.
fn value(source: &Source, node: &Node, depth: usize, unread: &mut Unread) -> Result<Uns, ReadError> {
    let encoding = source.attr_string(node.location(), "encoding-type")?;
    let found = match (encoding.as_deref(), node) {
        (Some("null"), _) => Some(Uns::Null),
        (Some("dataframe"), _) => Some(Uns::Frame(frame::read(source, node)?)),
        (Some("csr_matrix" | "csc_matrix"), _) => matrix::on_disk(source, node)?.map(Uns::Matrix),
        (Some("categorical" | "nullable-integer" | "nullable-boolean" | "nullable-string-array"), _) => {
            match frame::read_alone(source, node)? {
                Column::Opaque { .. } => None,
                column => Some(Uns::Column(column)),
            }
        }
        (None | Some("rec-array"), Node::Dataset(d)) if d.ndim() == 1 => match source.kind(d) {
            Kind::Compound(_) => records_of(source, d)?,
            Kind::Text(ty) if encoding.is_none() && !matches!(ty, TD::VarLenAscii | TD::VarLenUnicode) => {
                plain(source, d)?.map(unwrapped)
            }
            _ => plain(source, d)?,
        },
        (None | Some("array" | "string" | "string-array" | "numeric-scalar" | "string-scalar"), node) => {
            match node {
                Node::Dataset(d) => plain(source, d)?,
                Node::Group(g) => group(source, g, node, depth, unread)?,
            }
        }
        (Some("dict"), Node::Group(g)) => group(source, g, node, depth, unread)?,
        _ => None,
    };
    Ok(found.unwrap_or_else(|| Uns::Opaque {
        encoding: encoding.unwrap_or_else(|| describe(source, node)),
        stored: stored(source, node.location()),
    }))
}

/// anndata 0.5 wrote a single text as a list of one, of fixed length.
fn unwrapped(value: Uns) -> Uns {
    match value {
        Uns::Strings(mut v) if v.len() == 1 => v.pop().map_or(Uns::Null, Uns::String),
        value => value,
    }
}

/// A dictionary, or a matrix of the time when h5sparse wrote them.
fn group(
    source: &Source,
    g: &Group,
    node: &Node,
    depth: usize,
    unread: &mut Unread,
) -> Result<Option<Uns>, ReadError> {
    if source.attr_string(g, "h5sparse_format")?.is_some() {
        return Ok(matrix::on_disk(source, node)?.map(Uns::Matrix));
    }
    if depth >= DEEPEST {
        return Ok(None);
    }
    Ok(Some(Uns::Map(map(source, g, depth + 1, unread)?)))
}

/// A dataset of numbers or texts.
fn plain(source: &Source, d: &Dataset) -> Result<Option<Uns>, ReadError> {
    let bytes = |size: usize| elements(&d.shape()).saturating_mul(size as u64);
    match source.kind(d) {
        Kind::Text(ty) if bytes(ty.size()) <= LARGE => {
            let mut values = source.strings(d, &ty)?;
            Ok(match d.ndim() {
                0 => values.pop().map(Uns::String),
                1 => Some(Uns::Strings(values)),
                _ => Some(Uns::StringArray { shape: d.shape(), values }),
            })
        }
        Kind::Number(dtype) if bytes(dtype.size()) <= LARGE => {
            let values = source.numbers(d, dtype)?;
            Ok(match d.ndim() {
                0 => (values.len() == 1).then_some(Uns::Number(values)),
                _ => Some(Uns::Array { shape: d.shape(), values }),
            })
        }
        _ => Ok(None),
    }
}

/// Records along one axis; `None` when a field holds what no column can.
fn records_of(source: &Source, d: &Dataset) -> Result<Option<Uns>, ReadError> {
    let fields = frame::fields(source, d)?;
    // h5py stores complex numbers as records of a real and an imaginary part.
    let complex = fields.iter().map(|(name, _)| name.as_str()).eq(["r", "i"]);
    if complex || fields.iter().any(|(_, c)| matches!(c, Column::Opaque { .. })) {
        return Ok(None);
    }
    Ok(Some(Uns::Records { fields, stored: stored(source, d) }))
}
