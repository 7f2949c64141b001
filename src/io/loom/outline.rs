//! What is in a loom file, told without its attributes of cells, its graphs and its values.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset as Array, Group};

use super::attrs::{self, Axis, Form};
use super::graphs::{self, COLUMN_GRAPHS, ROW_GRAPHS};
use super::left::{element, part};
use super::{read, text};
use crate::data::{Change, Dataset, Frame, Index, Layout};
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, storage};
use crate::io::options::ReadOptions;
use crate::io::outline::NAMES;
use crate::io::outline::{Item, Outline};

/// Looks into a loom file: of the matrices a few values are read, of attributes and graphs only types and lengths and the
/// names of the first genes. Whether the rest is sound says reading alone.
///
/// # Errors
/// [`ReadError`] that names the file and the element.
pub fn outline(path: &Path, options: &ReadOptions) -> Result<Outline, ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let root: &Group = &file;
    let x = read::main_matrix(&source, root)?;
    let [genes, cells] = read::axes(&x);
    let rows = |axis: &Axis| Frame::new(Index::Range(axis.len));
    let mut dataset = Dataset::new(rows(&cells), rows(&genes));
    dataset.x = Some(x.into_matrix());
    let mut left = Vec::new();
    read::layers(&source, root, &mut dataset, &mut left)?;
    read::of_itself(&source, root, &mut dataset, &mut left)?;
    let mut outline = Outline::of(&dataset);
    let look = Look { source: &source, root };
    outline.items.iter_mut().for_each(|item| look.stored(item));
    let obs = look.table(&cells, "obs", "obsm", &mut left)?;
    let var = look.table(&genes, "var", "varm", &mut left)?;
    if let Some(names) = var.names {
        outline.var_names = look.first(&names, NAMES);
    }
    if outline.stains.is_some()
        && let Some(marker) = var.marker
    {
        outline.stains = Some(look.first(&marker, genes.len));
    }
    let over_cells = look.graphs(COLUMN_GRAPHS, &cells, "obsp", &mut left)?;
    let over_genes = look.graphs(ROW_GRAPHS, &genes, "varp", &mut left)?;
    let items = [obs.items, var.items, obs.beside, var.beside, over_cells, over_genes];
    // In the place of the two tables without columns.
    let at = outline.items.iter().position(|i| i.path == "obs").unwrap_or(0);
    outline.items.splice(at..at + 2, items.into_iter().flatten());
    outline.items.extend(left.iter().map(unreadable));
    Ok(outline)
}

/// A part that reading leaves out: `layers["a"]` at `layers/a`.
fn unreadable(left: &Change) -> Item {
    let path = left.element.replace("[\"", "/").replace("\"]", "");
    Item::new(path.trim_start_matches('/'), format!("unreadable: {}", left.what))
}

/// Looks at one element after the other.
struct Look<'a> {
    source: &'a Source,
    root: &'a Group,
}

/// The attributes of an axis.
struct Table {
    /// The table and its columns.
    items: Vec<Item>,
    /// What has several columns of its own.
    beside: Vec<Item>,
    /// The attribute that holds the names.
    names: Option<Array>,
    /// The attribute `marker`, what a channel of a cytometer sees.
    marker: Option<Array>,
}

impl Look<'_> {
    /// Adds to a matrix how it is stored.
    fn stored(&self, item: &mut Item) {
        let d = match item.path.strip_prefix("layers/") {
            Some(layer) => match self.source.node(self.root, "layers") {
                Ok(Some(Node::Group(g))) => self.source.dataset(&g, layer).ok(),
                _ => None,
            },
            None if item.path == "X" => self.source.dataset(self.root, "matrix").ok(),
            None => None,
        };
        item.storage = d.map(|d| storage(&d));
    }

    /// The first entries of an attribute as text.
    fn first(&self, d: &Array, most: usize) -> Vec<String> {
        match self.source.kind(d) {
            Kind::Text(_) => text::first(self.source, d, most),
            _ => self.source.first(d, most),
        }
    }

    fn table(
        &self,
        axis: &Axis,
        table: &str,
        group: &str,
        left: &mut Vec<Change>,
    ) -> Result<Table, ReadError> {
        let mut members = Vec::new();
        for (name, d) in attrs::members(self.source, self.root, axis, left)? {
            let place = if d.ndim() > 1 { group } else { table };
            if part(left, || element(place, &name), attrs::fits(self.source, &d, axis))?.is_some() {
                members.push((name, d));
            }
        }
        let forms: Vec<Form> = members.iter().map(|(_, d)| attrs::form(self.source, d)).collect();
        let names = axis.names_among(members.iter().zip(&forms).filter_map(|((name, _), form)| match form {
            Form::Text(_) => Some((name.as_str(), None)),
            Form::Numbers(dtype) => Some((name.as_str(), Some(*dtype))),
            _ => None,
        }));
        let (mut columns, mut beside) = (Vec::new(), Vec::new());
        for ((name, d), form) in members.iter().zip(&forms) {
            let column =
                |kind: &str| Item { shape: vec![axis.len], ..Item::new(&format!("{table}/{name}"), kind) };
            let path = format!("{group}/{name}");
            let inner = |width| Item { shape: vec![axis.len, width], ..Item::new(&path, "table") };
            match form {
                _ if names == Some(name) => {}
                Form::Numbers(dtype) => columns.push(column(dtype.name())),
                Form::Text(_) => columns.push(column("string")),
                Form::Matrix => beside.push(self.dense(&path, d)),
                Form::Texts(_) => beside.push(inner(d.shape().get(1).copied().unwrap_or(0))),
                Form::Records(fields) => {
                    beside.push(inner(fields.iter().filter(|(_, ty)| attrs::readable(ty)).count()));
                }
                Form::Unknown(what) => beside.push(Item::new(&path, format!("not understood ({what})"))),
            }
        }
        let mut items = vec![Item { shape: vec![axis.len, columns.len()], ..Item::new(table, "table") }];
        items.append(&mut columns);
        let names = names.map(str::to_owned);
        let mut take = |wanted: &str| {
            let at = members.iter().position(|(name, _)| name == wanted)?;
            Some(members.swap_remove(at).1)
        };
        let marker = take("marker");
        Ok(Table { items, beside, names: names.and_then(|name| take(&name)), marker })
    }

    fn dense(&self, path: &str, d: &Array) -> Item {
        let dtype = match self.source.kind(d) {
            Kind::Number(dtype) => Some(dtype.name().to_owned()),
            _ => None,
        };
        Item { shape: d.shape(), dtype, ..Item::new(path, Layout::Dense.name()) }
    }

    /// The graphs of an axis: as many entries as they have weights.
    fn graphs(
        &self,
        groups: [&str; 2],
        axis: &Axis,
        group: &str,
        left: &mut Vec<Change>,
    ) -> Result<Vec<Item>, ReadError> {
        let graph = |(name, g): (String, Group)| {
            let path = format!("{group}/{name}");
            match graphs::vectors(self.source, &g) {
                Ok([_, _, (w, dtype)]) => Item {
                    shape: vec![axis.len; 2],
                    dtype: Some(dtype.name().into()),
                    nnz: Some(w.size() as u64),
                    ..Item::new(&path, Layout::Csr.name())
                },
                Err(e) => Item::new(&path, format!("unreadable: {e}")),
            }
        };
        Ok(graphs::members(self.source, self.root, groups, group, left)?.into_iter().map(graph).collect())
    }
}
