//! Attributes of rows or columns: one axis is a column of the table, two are a matrix beside it, records are a table.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::types::TypeDescriptor as TD;
use hdf5::{Dataset, Group};

use super::left::{element as named, part};
use super::text;
use crate::data::{Annotation, Change, Column, DType, Frame, Index, Names, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, open_dense};

/// Attributes that hold the names of cells, best first.
const CELL_NAMES: &[&str] =
    &["CellID", "cell_id", "CellId", "obs_names", "cell_names", "barcode", "barcodes", "Barcode"];
/// Attributes that hold the names of genes, best first.
const GENE_NAMES: &[&str] =
    &["Gene", "gene_name", "gene_names", "var_names", "gene", "Accession", "gene_id", "gene_ids"];

/// One axis of a loom file.
pub(super) struct Axis<'a> {
    /// Its group.
    pub(super) group: &'a str,
    /// Where its columns and its arrays go: `obs` and `obsm`, or `var` and `varm`.
    places: [&'a str; 2],
    /// What lies along it: `cells` or `genes`.
    pub(super) what: &'a str,
    /// How many.
    pub(super) len: usize,
    /// Attributes that may hold its names.
    names: &'a [&'a str],
}

impl Axis<'static> {
    /// So many cells.
    pub(super) fn cells(len: usize) -> Self {
        Axis { group: "col_attrs", places: ["obs", "obsm"], what: "cells", len, names: CELL_NAMES }
    }

    /// So many genes.
    pub(super) fn genes(len: usize) -> Self {
        Axis { group: "row_attrs", places: ["var", "varm"], what: "genes", len, names: GENE_NAMES }
    }
}

impl Axis<'_> {
    /// What an attribute becomes, as one writes it in Python.
    fn element(&self, name: &str, axes: usize) -> String {
        named(self.places[usize::from(axes > 1)], name)
    }

    /// The attribute that holds the names, of those given by name and by type if they are numbers: the best one with text,
    /// or the usual one if it holds whole numbers.
    pub(super) fn names_among<'c>(
        &self,
        columns: impl Iterator<Item = (&'c str, Option<DType>)>,
    ) -> Option<&'c str> {
        let usual = self.names.first();
        let suits = |name: &str, dtype: Option<DType>| {
            dtype.is_none_or(|t| usual == Some(&name) && !t.is_float() && t != DType::Bool)
        };
        let rank = |name: &str| self.names.iter().position(|n| *n == name);
        columns
            .filter(|(name, dtype)| suits(name, *dtype))
            .filter_map(|(name, _)| Some((rank(name)?, name)))
            .min()
            .map(|(_, name)| name)
    }
}

/// Reads all attributes of an axis; what cannot be read goes to `left`.
///
/// # Errors
/// [`ReadError`] when no names can be read because those that are there are damaged: nothing would say which cell is which.
pub(super) fn read(
    source: &Source,
    root: &Group,
    axis: &Axis,
    left: &mut Vec<Change>,
) -> Result<(Frame, BTreeMap<String, Annotation>), ReadError> {
    let (mut columns, mut matrices, mut records) = (Vec::new(), BTreeMap::new(), Vec::new());
    let mut names = None;
    for (name, d) in members(source, root, axis, left)? {
        let place = axis.element(&name, d.ndim());
        let mut fields = Vec::new();
        let found = fits(source, &d, axis).and_then(|()| element(source, &d, &mut fields));
        left.extend(fields.into_iter().map(|(field, why)| Change::left(named(&place, &field), why)));
        if let Err(e @ ReadError::Malformed { .. }) = &found
            && axis.names.contains(&name.as_str())
        {
            names.get_or_insert(source.malformed(d.name(), what_of(e)));
        }
        match part(left, || place, found)? {
            Some(Element::Column(c)) => columns.push((name, c)),
            Some(Element::Beside(a)) => {
                matrices.insert(name, a);
            }
            Some(Element::Records(fields)) => records.push((name, fields)),
            None => {}
        }
    }
    let frame = table(source, axis, columns);
    if let (Some(e), Index::Range(_)) = (names, &frame.index) {
        return Err(e);
    }
    for (name, columns) in records {
        let index = frame.index.clone();
        matrices.insert(name, Annotation::Frame(Frame { index, columns }));
    }
    Ok((frame, matrices))
}

/// What is wrong, without the place.
fn what_of(e: &ReadError) -> String {
    match e {
        ReadError::Malformed { what, .. } => what.clone(),
        e => e.to_string(),
    }
}

/// The attributes of an axis by name; what is none goes to `left`.
pub(super) fn members(
    source: &Source,
    root: &Group,
    axis: &Axis,
    left: &mut Vec<Change>,
) -> Result<Vec<(String, Dataset)>, ReadError> {
    let g = match source.node(root, axis.group)? {
        Some(Node::Group(g)) => g,
        Some(Node::Dataset(d)) => return Err(source.malformed(d.name(), "is a dataset, expected a group")),
        None => {
            let what = format!("is missing: every loom file has this group for its {}", axis.what);
            return Err(source.malformed(format!("/{}", axis.group), what));
        }
    };
    let mut members = Vec::new();
    for name in source.members(&g)? {
        match part(left, || axis.element(&name, 1), source.node(&g, &name))? {
            Some(Some(Node::Dataset(d))) => members.push((name, d)),
            Some(_) => left.push(Change::left(axis.element(&name, 1), "is a group, not an attribute")),
            None => {}
        }
    }
    Ok(members)
}

/// Every attribute has an entry for each cell or gene.
pub(super) fn fits(source: &Source, d: &Dataset, axis: &Axis) -> Result<(), ReadError> {
    if d.shape().first() == Some(&axis.len) {
        return Ok(());
    }
    let found = d.shape().first().map_or("a single value".to_owned(), |n| format!("{n} values"));
    let what = format!("{found}, expected {}: one for each of the {}", axis.len, axis.what);
    Err(source.malformed(d.name(), what))
}

/// What an attribute is, by its type and shape.
pub(super) enum Form {
    /// A column of numbers.
    Numbers(DType),
    /// A column of text.
    Text(TD),
    /// Numbers along two axes.
    Matrix,
    /// Text along two axes.
    Texts(TD),
    /// Records, with the types of their fields.
    Records(Vec<(String, TD)>),
    /// Anything else, in words.
    Unknown(String),
}

/// Tells what an attribute is without reading it.
pub(super) fn form(source: &Source, d: &Dataset) -> Form {
    let shape = d.shape();
    // One column of a matrix is a column.
    let single = matches!(shape[..], [_] | [_, 1]);
    match source.kind(d) {
        Kind::Number(dtype) if single => Form::Numbers(dtype),
        Kind::Text(ty) if single => Form::Text(ty),
        Kind::Number(_) if shape.len() == 2 => Form::Matrix,
        Kind::Text(ty) if shape.len() == 2 => Form::Texts(ty),
        Kind::Compound(fields) if shape.len() == 1 => Form::Records(fields),
        Kind::Other(what) => Form::Unknown(what),
        _ => Form::Unknown(format!("{} axes", shape.len())),
    }
}

/// What an attribute becomes.
pub(super) enum Element {
    Column(Column),
    Beside(Annotation),
    Records(Vec<(String, Column)>),
}

/// Reads an attribute; fields of records that are not read go to `left`, with the reason.
///
/// # Errors
/// [`ReadError::Unsupported`] of what scx does not understand, others of what is damaged.
pub(super) fn element(
    source: &Source,
    d: &Dataset,
    left: &mut Vec<(String, String)>,
) -> Result<Element, ReadError> {
    let odd = |what: &str| {
        let what = format!("{} holds {what}, which scx does not understand", d.name());
        Err(ReadError::unsupported(&source.path, what))
    };
    Ok(match form(source, d) {
        Form::Numbers(dtype) => Element::Column(Column::Numbers(source.numbers(d, dtype)?)),
        Form::Text(ty) => Element::Column(Column::Strings(text::of_dataset(source, d, &ty)?)),
        Form::Matrix => match open_dense(source, d)? {
            Some(m) => Element::Beside(Annotation::Matrix(m.into_matrix())),
            None => return odd("numbers of an unusual kind"),
        },
        Form::Texts(ty) => Element::Records(text_columns(source, d, &ty)?),
        Form::Records(fields) => Element::Records(fields_of(source, d, &fields, left)?),
        Form::Unknown(what) => return odd(&what),
    })
}

/// Text along two axes as columns called by their numbers.
fn text_columns(source: &Source, d: &Dataset, ty: &TD) -> Result<Vec<(String, Column)>, ReadError> {
    let n = d.shape().get(1).copied().unwrap_or(0);
    let all = text::of_dataset(source, d, ty)?;
    let column = |k: usize| Column::Strings(all.iter().skip(k).step_by(n).cloned().collect());
    Ok((0..n).map(|k| (k.to_string(), column(k))).collect())
}

/// Whether a field of records is read: text, or one number.
pub(super) fn readable(ty: &TD) -> bool {
    let inner = match ty {
        TD::FixedArray(inner, 1) => inner,
        ty => ty,
    };
    matches!(Kind::of(inner), Kind::Number(_)) || matches!(Kind::of(ty), Kind::Text(_))
}

/// The fields of records, as SCope writes embeddings and regulons.
fn fields_of(
    source: &Source,
    d: &Dataset,
    fields: &[(String, TD)],
    left: &mut Vec<(String, String)>,
) -> Result<Vec<(String, Column)>, ReadError> {
    let mut columns = Vec::new();
    for (name, ty) in fields {
        let column = if !readable(ty) {
            None
        } else if let Kind::Text(ty) = Kind::of(ty) {
            let texts = source.field_strings(d, name, &ty)?;
            Some(Column::Strings(texts.into_iter().map(text::unescape).collect()))
        } else {
            source.field_numbers(d, name, ty)?.map(|(values, _)| Column::Numbers(values))
        };
        match column {
            Some(column) => columns.push((name.clone(), column)),
            None => left.push((name.clone(), format!("holds {ty}, which scx does not understand"))),
        }
    }
    Ok(columns)
}

/// The table of an axis: the best attribute for it becomes the index, as in anndata.
fn table(source: &Source, axis: &Axis, mut columns: Vec<(String, Column)>) -> Frame {
    let name = axis.names_among(columns.iter().filter_map(|(name, c)| match c {
        Column::Strings(_) => Some((name.as_str(), None)),
        Column::Numbers(v) => Some((name.as_str(), Some(v.dtype()))),
        _ => None,
    }));
    let Some(at) = name.and_then(|name| columns.iter().position(|(n, _)| n == name)) else {
        return Frame { index: Index::Range(axis.len), columns };
    };
    let (name, column) = columns.remove(at);
    let values = match column {
        Column::Strings(v) => v,
        c => (0..c.len()).filter_map(|i| Some(c.text(i)?.into_owned())).collect(),
    };
    let values = Names::from(values);
    if let Some(repeats) = values.repeats() {
        tracing::warn!(
            "{}: {name}: {} of {} names occur more than once; kept as they are",
            source.path.display(),
            repeats.count,
            values.len()
        );
    }
    Frame { index: Index::Names { name, values }, columns }
}

/// Values of an attribute as they are kept: loom has no booleans.
pub(super) fn without_booleans(values: &Values) -> Values {
    match values {
        Values::Bool(v) => Values::U8(v.iter().map(|b| u8::from(*b)).collect()),
        v => v.clone(),
    }
}

/// What an element holds, in a word.
pub(super) fn words(kind: &Kind) -> String {
    match kind {
        Kind::Text(_) => "text".into(),
        Kind::Compound(_) => "records".into(),
        Kind::Number(t) => t.name().into(),
        Kind::Other(what) => what.clone(),
    }
}
