//! Tables: obs, var and tables inside obsm, of every age.

use hdf5_metno as hdf5;

use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Group, Location};

use super::stored;

use crate::data::{Categorical, Categories, Change, Column, Frame, Index, Names, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, extent, has_attr, length};

/// Reads a table: a group (anndata 0.7 and later) or a dataset of records (before).
pub(super) fn read(source: &Source, node: &Node) -> Result<Frame, ReadError> {
    read_like(source, node, None, None)
}

/// As [`read`], of a table whose names are most likely those of `like`, which are shared then.
///
/// With `changes`, a column that is damaged is left out, which they say; without, it is an error.
pub(super) fn read_like(
    source: &Source,
    node: &Node,
    like: Option<&Index>,
    changes: Option<&mut Vec<Change>>,
) -> Result<Frame, ReadError> {
    match node {
        Node::Group(g) => read_group(source, g, like.and_then(Index::stored), changes),
        Node::Dataset(d) => read_records(source, d),
    }
}

/// A list outside of any table: a column of no known length.
pub(super) fn read_alone(source: &Source, node: &Node) -> Result<Column, ReadError> {
    match node {
        Node::Group(g) => read_encoded(source, g, 0),
        Node::Dataset(d) => Ok(opaque(source, d, "array", 0)),
    }
}

/// A column of an encoding scx does not understand: kept in the file, with a warning.
fn opaque(source: &Source, at: &Location, encoding: &str, len: usize) -> Column {
    stored::warn(source, &at.name(), encoding);
    Column::Opaque { encoding: encoding.to_owned(), len, stored: stored::stored(source, at) }
}

/// What a table group lists.
pub(super) struct Layout {
    /// Which member holds the row names.
    pub(super) index: String,
    /// The columns, in order.
    pub(super) order: Vec<String>,
}

/// Which members of a group are index and columns.
pub(super) fn layout(source: &Source, g: &Group) -> Result<Layout, ReadError> {
    let members = source.members(g)?;
    let index = match source.attr_string(g, "_index")? {
        Some(name) => name,
        None => match ["_index", "index"].iter().find(|n| members.iter().any(|m| m == *n)) {
            Some(name) => (*name).to_owned(),
            None => {
                let what = "names no index (attribute _index): not an AnnData table";
                return Err(source.malformed(g.name(), what));
            }
        },
    };
    let order = match source.attr_strings(g, "column-order")? {
        Some(order) => order,
        // An empty list is stored as numbers by pandas; other writers leave it out.
        None if source.attr_numbers(g, "column-order")?.is_some() => Vec::new(),
        None => members.into_iter().filter(|m| *m != index && m != "__categories").collect(),
    };
    Ok(Layout { index, order })
}

/// Members of a table that are neither its index nor one of its columns: anndata does not see them.
pub(super) fn unlisted(source: &Source, table: &Node) -> Vec<String> {
    let Node::Group(g) = table else { return Vec::new() };
    let (Ok(Layout { index, order }), Ok(mut members)) = (layout(source, g), source.members(g)) else {
        return Vec::new();
    };
    members.retain(|m| *m != index && m != "__categories" && !order.contains(m));
    members
}

/// The row names of a table group.
pub(super) fn row_names(
    source: &Source,
    g: &Group,
    index: &str,
    like: Option<&Names>,
) -> Result<Names, ReadError> {
    let Some(node) = source.node(g, index)? else {
        return Err(source.malformed(g.name(), format!("the index {index} is missing")));
    };
    if let Node::Dataset(d) = &node
        && let Kind::Text(ty) = source.kind(d)
        && d.ndim() == 1
        && matches!(source.attr_string(d, "encoding-type")?.as_deref(), None | Some("array" | "string-array"))
    {
        return source.names_like(d, &ty, like);
    }
    index_values(source, &read_column(source, g, &node, None)?, &node.name())
}

/// A column of a table group of `rows` rows.
pub(super) fn column(source: &Source, g: &Group, name: &str, rows: usize) -> Result<Column, ReadError> {
    let Some(node) = source.node(g, name)? else {
        let what = format!("the column {name} is listed in column-order but missing");
        return Err(source.malformed(g.name(), what));
    };
    let column = read_column(source, g, &node, Some(rows))?;
    if column.len() != rows {
        let what = format!("{} entries but the table has {rows} rows", column.len());
        return Err(source.malformed(node.name(), what));
    }
    Ok(column)
}

fn read_group(
    source: &Source,
    g: &Group,
    like: Option<&Names>,
    mut changes: Option<&mut Vec<Change>>,
) -> Result<Frame, ReadError> {
    let Layout { index, order } = layout(source, g)?;
    let values = row_names(source, g, &index, like)?;
    let rows = values.len();
    let mut frame = Frame::new(Index::Names { name: index, values });
    for name in order {
        match (column(source, g, &name, rows), &mut changes) {
            (Ok(column), _) => frame.columns.push((name, column)),
            (Err(e @ ReadError::Malformed { .. }), Some(changes)) => {
                let element = format!("{}[{name:?}]", g.name().trim_start_matches('/'));
                changes.push(Change::left(element, e.what()).at(format!("{}/{name}", g.name())));
            }
            // What scx has no decoder for may be sound: it stays as it is.
            (Err(e @ ReadError::Unsupported { .. }), Some(_)) => {
                tracing::warn!("{e}; it stays in the file");
                if let Some(node) = source.node(g, &name)? {
                    let what = stored::describe(source, &node);
                    frame.columns.push((name, opaque(source, node.location(), &what, rows)));
                }
            }
            (Err(e), _) => return Err(e),
        }
    }
    Ok(frame)
}

/// Row names as text, whatever they were stored as.
fn index_values(source: &Source, column: &Column, at: &str) -> Result<Names, ReadError> {
    match column {
        Column::Strings(v) => Ok(v.iter().collect()),
        Column::Opaque { encoding, .. } => {
            Err(ReadError::unsupported(&source.path, format!("{at}: an index stored as {encoding}")))
        }
        // A missing name is what pandas calls it.
        other => Ok((0..other.len()).map(|i| other.text(i).unwrap_or_else(|| "nan".into())).collect()),
    }
}

/// One column; `rows` is the length it should have (unknown for the index itself).
fn read_column(
    source: &Source,
    table: &Group,
    node: &Node,
    rows: Option<usize>,
) -> Result<Column, ReadError> {
    match node {
        Node::Dataset(d) => read_plain(source, table, d, rows.unwrap_or(0)),
        Node::Group(g) => read_encoded(source, g, rows.unwrap_or(0)),
    }
}

fn read_plain(source: &Source, table: &Group, d: &Dataset, rows: usize) -> Result<Column, ReadError> {
    let at = d.name();
    let encoding = source.attr_string(d, "encoding-type")?;
    if let Some(e) = encoding.filter(|e| !matches!(e.as_str(), "array" | "string-array" | "categorical")) {
        return Ok(opaque(source, d, &e, rows));
    }
    if extent(d).len() != 1 {
        return Ok(opaque(source, d, &format!("array of {} axes", d.ndim()), rows));
    }
    match source.kind(d) {
        Kind::Text(ty) => Ok(Column::Strings(source.strings(d, &ty)?)),
        Kind::Number(dtype) => {
            let values = source.numbers(d, dtype)?;
            match old_categories(source, table, d)? {
                None => Ok(Column::Numbers(values)),
                Some((categories, ordered)) => categorical(source, &at, &values, categories, ordered),
            }
        }
        Kind::Compound(_) => Ok(opaque(source, d, "records", rows)),
        Kind::Other(what) => Ok(opaque(source, d, &what, rows)),
    }
}

/// anndata 0.7: a column with an attribute `categories` has them in `__categories/<column>`.
fn old_categories(
    source: &Source,
    table: &Group,
    d: &Dataset,
) -> Result<Option<(Categories, bool)>, ReadError> {
    if !has_attr(d, "categories").map_err(|e| source.library(&d.name(), &e))? {
        return Ok(None);
    }
    let full = d.name();
    let column = full.rsplit('/').next().unwrap_or_default();
    let Some(Node::Group(all)) = source.node(table, "__categories")? else {
        return Err(source.malformed(full, "is categorical but the table has no __categories"));
    };
    let list = source.dataset(&all, column)?;
    let ordered = flag(source, &list)?;
    Ok(Some((read_categories(source, &list)?, ordered)))
}

/// The attribute `ordered`, off when missing.
fn flag(source: &Source, at: &Location) -> Result<bool, ReadError> {
    Ok(source.attr_numbers(at, "ordered")?.and_then(|v| v.get(0)).is_some_and(|x| x != 0.0))
}

fn read_categories(source: &Source, d: &Dataset) -> Result<Categories, ReadError> {
    match source.kind(d) {
        Kind::Text(ty) => Ok(Categories::Strings(source.strings(d, &ty)?)),
        Kind::Number(dtype) => Ok(Categories::Numbers(source.numbers(d, dtype)?)),
        kind => {
            Err(source
                .malformed(d.name(), format!("{} as categories, expected text or numbers", kind.words())))
        }
    }
}

fn categorical(
    source: &Source,
    at: &str,
    codes: &Values,
    categories: Categories,
    ordered: bool,
) -> Result<Column, ReadError> {
    if codes.dtype().is_float() {
        return Err(source.malformed(at, "codes are not whole numbers"));
    }
    let codes = codes.iter().map(|c| if c.abs() < 2e9 { c as i32 } else { i32::MAX }).collect();
    let column = Categorical { codes, categories, ordered };
    column.check().map_err(|e| source.malformed(at, e.to_string()))?;
    Ok(Column::Categorical(column))
}

/// Columns stored as a group of several arrays.
fn read_encoded(source: &Source, g: &Group, rows: usize) -> Result<Column, ReadError> {
    let at = g.name();
    let encoding =
        source.attr_string(g, "encoding-type")?.unwrap_or_else(|| "a group without encoding-type".into());
    match encoding.as_str() {
        "categorical" => {
            let codes = source.dataset(g, "codes")?;
            let Kind::Number(dtype) = source.kind(&codes) else {
                return Err(source.malformed(at, "codes are not numbers"));
            };
            let values = source.numbers(&codes, dtype)?;
            // Categories may themselves be stored with a mask (anndata 0.13 with pandas string arrays).
            let categories = match source.node(g, "categories")? {
                Some(Node::Dataset(d)) => read_categories(source, &d)?,
                Some(node @ Node::Group(_)) => match read_column(source, g, &node, None)? {
                    Column::NullableStrings(v) => {
                        Categories::Strings(v.into_iter().map(Option::unwrap_or_default).collect())
                    }
                    Column::Nullable { values, .. } => Categories::Numbers(values),
                    other => {
                        return Ok(opaque(source, g, &format!("categorical of {}", other.kind()), rows));
                    }
                },
                None => return Err(source.malformed(at, "the dataset categories is missing")),
            };
            categorical(source, &at, &values, categories, flag(source, g)?)
        }
        "nullable-integer" | "nullable-boolean" | "nullable-string-array" => read_nullable(source, g),
        other => Ok(opaque(source, g, other, rows)),
    }
}

fn read_nullable(source: &Source, g: &Group) -> Result<Column, ReadError> {
    let at = g.name();
    let values = source.dataset(g, "values")?;
    let missing: Option<Vec<bool>> = match source.node(g, "mask")? {
        None => None,
        Some(Node::Dataset(d)) => match source.kind(&d) {
            Kind::Number(dtype) => Some(source.numbers(&d, dtype)?.iter().map(|x| x != 0.0).collect()),
            kind => return Err(source.malformed(at, format!("{} as mask, expected booleans", kind.words()))),
        },
        Some(Node::Group(_)) => return Err(source.malformed(at, "the mask is a group, expected a dataset")),
    };
    let check = |len: usize| match &missing {
        Some(mask) if mask.len() != len => {
            Err(source.malformed(at.clone(), format!("a mask of {} entries for {len} values", mask.len())))
        }
        _ => Ok(()),
    };
    match source.kind(&values) {
        Kind::Text(ty) => {
            let text = source.strings(&values, &ty)?;
            check(text.len())?;
            let mut mask = missing.unwrap_or_default().into_iter();
            Ok(Column::NullableStrings(
                text.into_iter().map(|s| (!mask.next().unwrap_or(false)).then_some(s)).collect(),
            ))
        }
        Kind::Number(dtype) => {
            let values = source.numbers(&values, dtype)?;
            check(values.len())?;
            let missing = missing.unwrap_or_else(|| vec![false; values.len()]);
            Ok(Column::Nullable { values, missing })
        }
        kind => Err(source.malformed(at, format!("{} as values, expected numbers or text", kind.words()))),
    }
}

/// A table stored as records (anndata 0.5 and 0.6): the first field is the index.
fn read_records(source: &Source, d: &Dataset) -> Result<Frame, ReadError> {
    let at = d.name();
    let Kind::Compound(types) = source.kind(d) else {
        return Err(source.malformed(at, "is neither a table group nor a dataset of records"));
    };
    if extent(d).len() != 1 {
        return Err(source.malformed(at, format!("{} axes, expected records along one", d.ndim())));
    }
    let mut frame = Frame::new(Index::Range(length(d)));
    for (i, (name, ty)) in types.iter().enumerate() {
        let column = read_field(source, d, name, ty)?;
        if i == 0 {
            let values = index_values(source, &column, &format!("{at}/{name}"))?;
            frame.index = Index::Names { name: name.clone(), values };
        } else {
            frame.columns.push((name.clone(), column));
        }
    }
    Ok(frame)
}

/// All fields of a dataset of records as columns.
pub(super) fn fields(source: &Source, d: &Dataset) -> Result<Vec<(String, Column)>, ReadError> {
    let Kind::Compound(types) = source.kind(d) else { return Ok(Vec::new()) };
    types.into_iter().map(|(name, ty)| Ok((name.clone(), read_field(source, d, &name, &ty)?))).collect()
}

fn read_field(source: &Source, d: &Dataset, name: &str, ty: &TypeDescriptor) -> Result<Column, ReadError> {
    let column = match Kind::of(ty) {
        Kind::Text(ty) => Some(Column::Strings(source.field_strings(d, name, &ty)?)),
        // An array in a field is no column.
        Kind::Number(_) => source.field_numbers(d, name, ty)?.map(|(values, _)| Column::Numbers(values)),
        _ => None,
    };
    Ok(column.unwrap_or_else(|| {
        stored::warn(source, &format!("{}/{name}", d.name()), &ty.to_string());
        // A field cannot be copied alone.
        Column::Opaque { encoding: ty.to_string(), len: length(d), stored: None }
    }))
}

/// anndata 0.5 and 0.6 kept the categories of column `batch` in `uns["batch_categories"]`: turns such columns of codes
/// into categoricals.
pub(super) fn adopt_categories(
    source: &Source,
    at: &str,
    frame: &mut Frame,
    lists: &[(String, Categories)],
) -> Result<(), ReadError> {
    for (name, column) in &mut frame.columns {
        let Some((_, categories)) = lists.iter().find(|(n, _)| n == name) else { continue };
        if let Column::Numbers(codes) = column {
            *column = categorical(source, &format!("{at}/{name}"), codes, categories.clone(), false)?;
        }
    }
    Ok(())
}
