//! One element at a time: arrays in obsm and its kin, and everything in uns.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::types::TypeDescriptor as TD;
use hdf5::{Dataset, Group};

use super::{frame, matrix, rows, stored};
use crate::data::{Annotation, Change, Column, Dense, Index, Matrix, Uns};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, elements, extent, length};

/// Arrays of uns above this stay in the file: nothing looks into them, and a copy need not pass through memory.
const LARGE: u64 = 64 << 20;

/// Groups inside groups inside uns: deeper than any real file, and an end for a file that links to itself.
const DEEPEST: usize = 32;

/// A group of arrays that belong to the cells or the variables.
pub(super) struct Along<'a> {
    /// Its name in the file.
    pub(super) group: &'static str,
    /// What a report calls it: `obsm`, `raw.varm`.
    pub(super) called: &'static str,
    /// The names of the rows.
    pub(super) names: &'a Index,
    /// Where these names come from: `obs` or `var`.
    pub(super) axis: &'static str,
    /// Whether the columns are the same again.
    pub(super) square: bool,
}

/// Reads `obsm`, `varm`, `obsp` or `varp`; matrices stay on disk. An element that is damaged, or has another number of
/// rows, is left out, which `changes` says.
///
/// # Errors
/// [`ReadError::Malformed`] when a table names other rows.
pub(super) fn annotations(
    source: &Source,
    root: &Group,
    along: &Along,
    changes: &mut Vec<Change>,
) -> Result<BTreeMap<String, Annotation>, ReadError> {
    let read = match source.node(root, along.group) {
        Ok(None) => return Ok(BTreeMap::new()),
        Ok(Some(Node::Dataset(d))) => records(source, &d, along, changes),
        Ok(Some(Node::Group(g))) => match source.members(&g) {
            Ok(names) => return members(source, &g, names, along, changes),
            Err(e) => Err(e),
        },
        Err(e) => Err(e),
    };
    Ok(read.unwrap_or_else(|e| {
        let place = format!("{}/{}", root.name().trim_end_matches('/'), along.group);
        changes.push(Change::left(along.called, e.what()).at(place));
        BTreeMap::new()
    }))
}

fn members(
    source: &Source,
    g: &Group,
    names: Vec<String>,
    along: &Along,
    changes: &mut Vec<Change>,
) -> Result<BTreeMap<String, Annotation>, ReadError> {
    let mut all = BTreeMap::new();
    for key in names {
        let place = format!("{}/{key}", g.name());
        let element = format!("{}[{key:?}]", along.called);
        let read = || -> Result<Option<Annotation>, ReadError> {
            let Some(node) = source.node(g, &key)? else { return Ok(None) };
            let found = or_opaque(source, &node, annotation(source, &node, along.names.len()))?;
            fits(source, &place, &found, along)?;
            Ok(Some(found))
        };
        match read() {
            Ok(None) => {}
            Ok(Some(Annotation::Frame(table))) => {
                let (what, wanted) = ((&element[..], &place[..]), (along.names, along.axis));
                let table = rows::in_order(source, what, table, wanted, changes)?;
                all.insert(key, Annotation::Frame(table));
            }
            Ok(Some(found)) => {
                all.insert(key, found);
            }
            Err(e) => changes.push(Change::left(element, e.what()).at(place)),
        }
    }
    Ok(all)
}

/// What scx has no decoder for may be sound: it stays as it is.
fn or_opaque(
    source: &Source,
    node: &Node,
    read: Result<Annotation, ReadError>,
) -> Result<Annotation, ReadError> {
    match read {
        Err(e @ ReadError::Unsupported { .. }) => {
            tracing::warn!("{e}; it stays in the file");
            let encoding = stored::describe(source, node);
            Ok(Annotation::Opaque { encoding, stored: stored::stored(source, node.location()) })
        }
        other => other,
    }
}

/// Whether an element has a row for each name.
fn fits(source: &Source, place: &str, found: &Annotation, along: &Along) -> Result<(), ReadError> {
    let (n, axis) = (along.names.len(), along.axis);
    let (rows, columns) = match found {
        Annotation::Matrix(m) => m.shape(),
        Annotation::Frame(f) => (f.len(), n),
        Annotation::Opaque { .. } => return Ok(()),
    };
    if rows == n && (!along.square || columns == n) {
        return Ok(());
    }
    let found = if along.square { format!("{rows} × {columns}") } else { format!("{rows} rows") };
    Err(source.malformed(place, format!("{found}, but {axis} has {n}")))
}

fn annotation(source: &Source, node: &Node, rows: usize) -> Result<Annotation, ReadError> {
    let encoding = source.attr_string(node.location(), "encoding-type")?;
    if encoding.as_deref() == Some("dataframe") {
        return Ok(Annotation::Frame(frame::read(source, node)?));
    }
    if let Some(m) = matrix::on_disk(source, node, (rows, 0))? {
        return Ok(Annotation::Matrix(m));
    }
    let encoding = encoding.unwrap_or_else(|| stored::describe(source, node));
    stored::warn(source, &node.name(), &encoding);
    Ok(Annotation::Opaque { encoding, stored: stored::stored(source, node.location()) })
}

/// anndata 0.5 and 0.6: one dataset of records, each field the rows of one array.
fn records(
    source: &Source,
    d: &Dataset,
    along: &Along,
    changes: &mut Vec<Change>,
) -> Result<BTreeMap<String, Annotation>, ReadError> {
    let Kind::Compound(fields) = source.kind(d) else {
        return Err(source.malformed(d.name(), "a dataset, expected a group or records"));
    };
    let mut all = BTreeMap::new();
    for (name, ty) in fields {
        let Some((values, columns)) = source.field_numbers(d, &name, &ty)? else {
            let what = format!("scx does not understand {ty}, and a field of records cannot be copied alone");
            changes.push(Change::left(format!("{}[{name:?}]", along.called), what));
            continue;
        };
        let m = Dense::new(length(d), columns, values)
            .map_err(|e| source.malformed(format!("{}/{name}", d.name()), e.to_string()))?;
        all.insert(name, Annotation::Matrix(Matrix::Dense(m)));
    }
    if all.values().any(|_| length(d) != along.names.len()) {
        return Err(source.malformed(
            d.name(),
            format!("{} rows, but {} has {}", length(d), along.axis, along.names.len()),
        ));
    }
    Ok(all)
}

/// Takes the place and the error of what could not be read.
pub(super) type Unread<'a> = dyn FnMut(&str, &ReadError) + 'a;

/// Reads all of `uns`. Nothing in it may spoil a data set: what is damaged is left out, which `changes` says, and what scx
/// has no decoder for stays in the file as [`Uns::Opaque`].
pub(super) fn uns(source: &Source, root: &Group, changes: &mut Vec<Change>) -> BTreeMap<String, Uns> {
    let read = uns_telling(source, root, &mut |at, e| match e {
        ReadError::Malformed { .. } => {
            let keys: Vec<String> = at.split('/').skip(2).map(|key| format!("[{key:?}]")).collect();
            changes.push(Change::left(format!("uns{}", keys.concat()), e.what()).at(at));
        }
        e => tracing::warn!("{e}; it stays in the file"),
    });
    read.unwrap_or_else(|e| {
        changes.push(Change::left("uns", e.what()).at("/uns"));
        BTreeMap::new()
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
        Some(Node::Dataset(d)) => Err(source.malformed(d.name(), "is a dataset, expected a group")),
        None => Ok(BTreeMap::new()),
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
        let at = format!("{}/{key}", g.name());
        let found = match source.node(g, &key) {
            Ok(None) => continue,
            Ok(Some(node)) => value(source, &node, depth, unread).or_else(|e| {
                unread(&at, &e);
                let kept = || Uns::Opaque {
                    encoding: "unreadable".into(),
                    stored: stored::stored(source, node.location()),
                };
                // What is damaged cannot be copied either.
                if matches!(e, ReadError::Malformed { .. }) { Err(e) } else { Ok(kept()) }
            }),
            Err(e) => {
                unread(&at, &e);
                Err(e)
            }
        };
        if let Ok(value) = found {
            all.insert(key, value);
        }
    }
    Ok(all)
}

/// One value, in the words of anndata since 0.8 where there are any, else by what it is.
fn value(source: &Source, node: &Node, depth: usize, unread: &mut Unread) -> Result<Uns, ReadError> {
    let encoding = source.attr_string(node.location(), "encoding-type")?;
    let found = match (encoding.as_deref(), node) {
        (Some("null"), _) => Some(Uns::Null),
        (Some("dataframe"), _) => Some(Uns::Frame(frame::read(source, node)?)),
        (Some("csr_matrix" | "csc_matrix"), _) => matrix::on_disk(source, node, (0, 0))?.map(Uns::Matrix),
        (Some("categorical" | "nullable-integer" | "nullable-boolean" | "nullable-string-array"), _) => {
            match frame::read_alone(source, node)? {
                Column::Opaque { .. } => None,
                column => Some(Uns::Column(column)),
            }
        }
        (None | Some("rec-array"), Node::Dataset(d)) if extent(d).len() == 1 => match source.kind(d) {
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
        encoding: encoding.unwrap_or_else(|| stored::describe(source, node)),
        stored: stored::stored(source, node.location()),
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
        return Ok(matrix::on_disk(source, node, (0, 0))?.map(Uns::Matrix));
    }
    if depth >= DEEPEST {
        return Ok(None);
    }
    Ok(Some(Uns::Map(map(source, g, depth + 1, unread)?)))
}

/// A dataset of numbers or texts.
fn plain(source: &Source, d: &Dataset) -> Result<Option<Uns>, ReadError> {
    let shape = extent(d);
    let bytes = |size: usize| elements(&shape).saturating_mul(size as u64);
    match source.kind(d) {
        Kind::Text(ty) if bytes(ty.size()) <= LARGE => {
            let mut values = source.strings(d, &ty)?;
            Ok(match shape.len() {
                0 => values.pop().map(Uns::String),
                1 => Some(Uns::Strings(values)),
                _ => Some(Uns::StringArray { shape, values }),
            })
        }
        Kind::Number(dtype) if bytes(dtype.size()) <= LARGE => {
            let values = source.numbers(d, dtype)?;
            Ok(match shape.len() {
                0 => (values.len() == 1).then_some(Uns::Number(values)),
                _ => Some(Uns::Array { shape, values }),
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
    Ok(Some(Uns::Records { fields, stored: stored::stored(source, d) }))
}
