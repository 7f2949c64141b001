//! Graphs over cells or genes: three vectors a (from), b (to) and w (weight) ⇄ a sparse square matrix.

use std::collections::BTreeMap;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::attrs::words;
use super::left::{element, part};
use crate::data::{Annotation, Change, DType, DataError, Dense, Element, Layout, Matrix, Sparse, Values};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, by_row, whole_size};
use crate::with_values;

/// Groups of graphs over genes: the name, and what it was called at first.
pub(super) const ROW_GRAPHS: [&str; 2] = ["row_graphs", "row_edges"];
/// Groups of graphs over cells: the name, and what it was called at first.
pub(super) const COLUMN_GRAPHS: [&str; 2] = ["col_graphs", "col_edges"];

/// Reads all graphs of one axis with `n` entries: those of `name`, and those of `old`, as the group was called at first.
/// What cannot be read goes to `left`, as an element of `place`.
pub(super) fn read(
    source: &Source,
    root: &Group,
    groups: [&str; 2],
    (place, n): (&str, usize),
    left: &mut Vec<Change>,
) -> Result<BTreeMap<String, Annotation>, ReadError> {
    let mut all = BTreeMap::new();
    for (key, g) in members(source, root, groups, place, left)? {
        if let Some(m) = part(left, || element(place, &key), one(source, &g, n))? {
            all.insert(key, Annotation::Matrix(Matrix::Sparse(m)));
        }
    }
    Ok(all)
}

/// The groups of all graphs of one axis, by name; what is no graph goes to `left`.
pub(super) fn members(
    source: &Source,
    root: &Group,
    [name, old]: [&str; 2],
    place: &str,
    left: &mut Vec<Change>,
) -> Result<BTreeMap<String, Group>, ReadError> {
    let mut all = BTreeMap::new();
    for group in [old, name] {
        let g = match part(left, || format!("/{group}"), source.node(root, group))?.flatten() {
            None => continue,
            Some(Node::Group(g)) => g,
            Some(Node::Dataset(_)) => {
                left.push(Change::left(format!("/{group}"), "is a dataset, expected a group of graphs"));
                continue;
            }
        };
        for key in part(left, || format!("/{group}"), source.members(&g))?.unwrap_or_default() {
            match part(left, || element(place, &key), source.node(&g, &key))? {
                Some(Some(Node::Group(graph))) => {
                    all.insert(key, graph);
                }
                Some(_) => left.push(Change::left(
                    element(place, &key),
                    format!("/{group}/{key} is no graph (a group of a, b and w)"),
                )),
                None => {}
            }
        }
    }
    Ok(all)
}

pub(super) fn one(source: &Source, g: &Group, n: usize) -> Result<Sparse, ReadError> {
    let at = g.name();
    let read = |(d, dtype): (Dataset, DType)| source.numbers(&d, dtype);
    let [a, b, w] = vectors(source, g)?;
    let (a, b, w) = (read(a)?, read(b)?, read(w)?);
    let vertices =
        |v: &Values, name: &str| below(v, n).map_err(|what| source.malformed(format!("{at}/{name}"), what));
    let (a, b) = (vertices(&a, "a")?, vertices(&b, "b")?);
    // Edges come in any order; turning twice brings the entries of each row into the order of columns.
    by_row((n, n), &a, &b, &w)
        .and_then(|m| m.turned())
        .and_then(|m| m.turned())
        .map_err(|e| source.malformed(at.clone(), e.to_string()))
}

/// The vectors a, b and w of a graph, of the same length, not read yet.
pub(super) fn vectors(source: &Source, g: &Group) -> Result<[(Dataset, DType); 3], ReadError> {
    let vector = |name: &str| {
        let d = source.dataset(g, name)?;
        match (source.kind(&d), d.ndim()) {
            (Kind::Number(dtype), 1) => Ok((d, dtype)),
            (kind, axes) => {
                let what = format!("{} along {axes} axes, expected numbers along one", words(&kind));
                Err(source.malformed(d.name(), what))
            }
        }
    };
    let all = [vector("a")?, vector("b")?, vector("w")?];
    let [a, b, w] = all.each_ref().map(|(d, _)| d.size());
    if a != b || a != w {
        let what = format!("a, b and w have {a}, {b} and {w} entries, expected the same");
        return Err(source.malformed(g.name(), what));
    }
    Ok(all)
}

/// Numbers of vertices; some writers store them as floats.
fn below(values: &Values, n: usize) -> Result<Vec<u32>, String> {
    let vertex = |(i, x): (usize, f64)| match whole_size(x).filter(|v| *v < n).map(u32::try_from) {
        Some(Ok(v)) => Ok(v),
        _ => Err(format!("vertex {x} at entry {i} is outside 0..{n}")),
    };
    values.iter().enumerate().map(vertex).collect()
}

/// The edges of a square matrix, row by row: from, to, weight.
pub(super) fn edges(m: &Sparse) -> (Vec<u32>, Vec<u32>, Values) {
    let mut major = Vec::with_capacity(m.indices().len());
    for (i, w) in m.indptr().windows(2).enumerate() {
        // Indices are 32 bits wide, so a square matrix has no more rows.
        major.extend((w[0]..w[1]).map(|_| i as u32));
    }
    let minor = m.indices().to_vec();
    let (a, b) = if m.layout() == Layout::Csc { (minor, major) } else { (major, minor) };
    (a, b, m.values().clone())
}

/// Weights must be fractions for loompy: whole numbers become the smallest float that holds them.
pub(super) fn weights(w: Values) -> Values {
    if w.dtype().is_float() {
        return w;
    }
    match w.dtype().exact_float() {
        DType::F32 => Values::F32(w.iter().map(|x| x as f32).collect()),
        _ => Values::F64(w.iter().collect()),
    }
}

/// The entries of dense rows that are not zero.
pub(super) fn non_zero(d: &Dense) -> Result<Sparse, DataError> {
    let (rows, columns) = d.shape();
    let (mut row, mut column, mut keep) = (Vec::new(), Vec::new(), Vec::new());
    for (i, x) in d.values().iter().enumerate() {
        if x != 0.0 {
            row.push((i / columns.max(1)) as u32);
            column.push((i % columns.max(1)) as u32);
            keep.push(i);
        }
    }
    let values = with_values!(d.values(), v => Element::wrap(keep.iter().map(|&i| v[i]).collect()));
    by_row((rows, columns), &row, &column, &values)
}
