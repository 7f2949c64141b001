//! What is in an h5ad file, told from its metadata and a few small arrays: as fast for a million cells as for ten.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group, types::TypeDescriptor as TD};

use super::{frame, matrix, read};
use crate::data::Looks;
use crate::io::error::ReadError;
use crate::io::hdf5::{Kind, Node, Source, extent, is_null, judge_compressed, judge_dense, length, storage};
use crate::io::options::ReadOptions;
use crate::io::outline::{CATEGORIES, NAMES, some_categories, some_text};
use crate::io::outline::{Item, Outline};

/// Records up to this are read whole to show their names.
const SMALL: usize = 10_000;
/// Groups inside groups inside uns.
const DEEPEST: usize = 16;

/// Looks into an h5ad file without reading its arrays.
///
/// # Errors
/// [`ReadError`] when the file cannot be opened or has no tables. Elements that cannot be read are listed as such.
pub fn outline(path: &Path, options: &ReadOptions) -> Result<Outline, ReadError> {
    let source = Source::new(path, options);
    let file = source.open()?;
    let root: &Group = &file;
    let (obs, var) = read::tables(&source, root)?;
    let look = Look { source: &source };
    let mut out = Outline::default();
    let old = matches!(obs, Node::Dataset(_)) || matches!(var, Node::Dataset(_));
    out.dialect = read::dialect(&source, root, old)?;
    if let Some(x) = source.node(root, "X")? {
        out.items.push(look.matrix("X", &x));
        out.x_looks = judge(&source, &x).ok().flatten().map(|looks| look.named(looks, &obs, &var));
    }
    if let Ok(Some(Node::Group(layers))) = source.node(root, "layers") {
        for name in source.members(&layers).unwrap_or_default() {
            if let Ok(Some(node)) = source.node(&layers, &name) {
                out.remarks.extend(look.odd(&format!("layers/{name}"), &node, &obs, &var));
            }
        }
    }
    look.members(root, "layers", &mut out.items, |p, n, items| items.push(look.matrix(p, n)));
    out.n_obs = look.table("obs", &obs, &mut out.items);
    out.n_vars = look.table("var", &var, &mut out.items);
    for group in ["obsm", "varm", "obsp", "varp"] {
        look.members(root, group, &mut out.items, |p, n, items| items.push(look.annotation(p, n)));
    }
    for (x, var) in [("raw/X", "raw/var"), ("raw.X", "raw.var")] {
        let variables = source.node(root, var).ok().flatten();
        if let Ok(Some(node)) = source.node(root, x) {
            out.items.push(look.matrix("raw/X", &node));
            // Variables of raw that have no table have no names either.
            out.remarks.extend(look.odd("raw/X", &node, &obs, variables.as_ref().unwrap_or(&node)));
        }
        if let Some(node) = variables {
            look.table("raw/var", &node, &mut out.items);
        }
    }
    if let Ok(Some(Node::Group(uns))) = source.node(root, "uns") {
        look.uns("uns", &uns, 0, &mut out.items);
    }
    out.history = look.history(root);
    out.var_names = look.names(&var).unwrap_or_default();
    Ok(out)
}

/// Looks at one element after the other.
struct Look<'a> {
    source: &'a Source,
}

impl Look<'_> {
    /// Calls `each` with every member of a group that is there.
    fn members(
        &self,
        root: &Group,
        group: &str,
        items: &mut Vec<Item>,
        each: impl Fn(&str, &Node, &mut Vec<Item>),
    ) {
        match self.source.node(root, group) {
            Ok(Some(Node::Group(g))) => {
                for name in self.source.members(&g).unwrap_or_default() {
                    let path = format!("{group}/{name}");
                    match self.source.node(&g, &name) {
                        Ok(Some(node)) => each(&path, &node, items),
                        Ok(None) => {}
                        Err(e) => items.push(Item::new(&path, format!("unreadable: {e}"))),
                    }
                }
            }
            // anndata 0.5: records, a field for each array.
            Ok(Some(Node::Dataset(d))) => {
                if let Kind::Compound(fields) = self.source.kind(&d) {
                    for (name, ty) in fields {
                        let (inner, width) = match &ty {
                            TD::FixedArray(inner, n) => (inner.as_ref(), *n),
                            ty => (ty, 1),
                        };
                        let Kind::Number(dtype) = Kind::of(inner) else {
                            items.push(Item::new(
                                &format!("{group}/{name}"),
                                format!("not understood ({ty})"),
                            ));
                            continue;
                        };
                        let item = Item::new(&format!("{group}/{name}"), "dense");
                        items.push(Item {
                            shape: vec![length(&d), width],
                            dtype: Some(dtype.name().into()),
                            ..item
                        });
                    }
                }
            }
            _ => {}
        }
    }

    fn matrix(&self, path: &str, node: &Node) -> Item {
        match self.try_matrix(path, node) {
            Ok(Some(item)) => item,
            Ok(None) => Item::new(path, self.not_understood(node)),
            Err(e) => Item::new(path, format!("unreadable: {e}")),
        }
    }

    fn try_matrix(&self, path: &str, node: &Node) -> Result<Option<Item>, ReadError> {
        match node {
            Node::Dataset(d) => {
                let mut shape = extent(d);
                let (Kind::Number(dtype), 1 | 2) = (self.source.kind(d), shape.len()) else {
                    return Ok(None);
                };
                shape.resize(2, usize::from(!is_null(d)));
                let storage = Some(storage(d));
                Ok(Some(Item {
                    shape,
                    dtype: Some(dtype.name().into()),
                    storage,
                    ..Item::new(path, "dense")
                }))
            }
            Node::Group(g) => {
                let Some((layout, (rows, columns))) = matrix::layout(self.source, g)? else {
                    return Ok(None);
                };
                let data = self.source.dataset(g, "data")?;
                let dtype = match self.source.kind(&data) {
                    Kind::Number(dtype) => Some(dtype.name().to_owned()),
                    _ => None,
                };
                let nnz = Some(length(&data) as u64);
                let storage = Some(storage(&data));
                let shape = vec![rows, columns];
                Ok(Some(Item { shape, dtype, nnz, storage, ..Item::new(path, layout.name()) }))
            }
        }
    }

    fn not_understood(&self, node: &Node) -> String {
        let encoding = self.source.attr_string(node.location(), "encoding-type").ok().flatten();
        format!("not understood ({})", encoding.unwrap_or_else(|| super::stored::describe(self.source, node)))
    }

    /// Lists a table and its columns; returns its number of rows.
    fn table(&self, path: &str, node: &Node, items: &mut Vec<Item>) -> usize {
        let at = items.len();
        items.push(Item::new(path, "table"));
        let rows = match node {
            Node::Dataset(d) => {
                if let Kind::Compound(fields) = self.source.kind(d) {
                    for (name, ty) in fields.iter().skip(1) {
                        let kind = match Kind::of(ty) {
                            Kind::Number(dtype) => dtype.name().to_owned(),
                            Kind::Text(_) => "string".into(),
                            _ => format!("not understood ({ty})"),
                        };
                        items.push(Item {
                            shape: vec![length(d)],
                            ..Item::new(&format!("{path}/{name}"), kind)
                        });
                    }
                }
                length(d)
            }
            Node::Group(g) => match frame::layout(self.source, g) {
                Ok(layout) => {
                    let rows = self
                        .source
                        .node(g, &layout.index)
                        .ok()
                        .flatten()
                        .map_or(0, |n| entries(self.source, &n));
                    for name in &layout.order {
                        items.push(self.column(&format!("{path}/{name}"), g, name, rows));
                    }
                    rows
                }
                Err(e) => {
                    items[at].kind = format!("unreadable: {e}");
                    0
                }
            },
        };
        let columns = items.len() - at - 1;
        if let Some(table) = items.get_mut(at) {
            table.shape = vec![rows, columns];
        }
        rows
    }

    fn column(&self, path: &str, table: &Group, name: &str, rows: usize) -> Item {
        let item = match self.source.node(table, name) {
            Ok(Some(node)) => self.try_column(path, table, name, &node),
            Ok(None) => return Item::new(path, "missing"),
            Err(e) => Err(e),
        };
        item.map(|item| Item { shape: vec![rows], ..item })
            .unwrap_or_else(|e| Item::new(path, format!("unreadable: {e}")))
    }

    fn try_column(&self, path: &str, table: &Group, name: &str, node: &Node) -> Result<Item, ReadError> {
        let encoding = self.source.attr_string(node.location(), "encoding-type")?;
        match node {
            Node::Dataset(d) => {
                let old = match self.source.node(table, "__categories")? {
                    Some(Node::Group(all)) => self.source.node(&all, name)?,
                    _ => None,
                };
                match (old, self.source.kind(d), extent(d).len()) {
                    (Some(list @ Node::Dataset(_)), ..) => Ok(self.category(path, &list, &list)),
                    (_, Kind::Number(dtype), 1) => Ok(Item::new(path, dtype.name())),
                    (_, Kind::Text(_), 1) => Ok(Item::new(path, "string")),
                    _ => Ok(Item::new(path, self.not_understood(node))),
                }
            }
            Node::Group(g) => match encoding.as_deref() {
                Some("categorical") => match self.source.node(g, "categories")? {
                    Some(list) => Ok(self.category(path, node, &list)),
                    None => Err(self.source.malformed(g.name(), "the dataset categories is missing")),
                },
                Some("nullable-string-array") => Ok(Item::new(path, "nullable string")),
                Some("nullable-integer" | "nullable-boolean") => {
                    let values = self.source.dataset(g, "values")?;
                    let kind = match self.source.kind(&values) {
                        Kind::Number(dtype) => format!("nullable {}", dtype.name()),
                        _ => "nullable".into(),
                    };
                    Ok(Item::new(path, kind))
                }
                _ => Ok(Item::new(path, self.not_understood(node))),
            },
        }
    }

    /// A column of categories; the flag is an attribute of `flagged`.
    fn category(&self, path: &str, flagged: &Node, list: &Node) -> Item {
        let ordered = self.source.attr_numbers(flagged.location(), "ordered").ok().flatten();
        let ordered = ordered.and_then(|v| v.get(0)).is_some_and(|v| v != 0.0);
        let n = entries(self.source, list);
        let words = if ordered { "ordered category" } else { "category" };
        let first = match list {
            Node::Dataset(d) => self.source.first(d, CATEGORIES),
            Node::Group(_) => Vec::new(),
        };
        Item { some: some_categories(&first, n), ..Item::new(path, format!("{words} ({n})")) }
    }

    /// What was found of X, its value that is not finite with the names of its cell and variable.
    fn named(&self, mut looks: Looks, cells: &Node, variables: &Node) -> Looks {
        if let Some(odd) = looks.odd.clone() {
            let of = |table: &Node, i: Option<usize>| self.name(table, i?);
            let (cell, variable) = (of(cells, odd.row), of(variables, odd.column));
            looks.name_odd(cell.as_deref(), variable.as_deref(), "in a sample");
        }
        looks
    }

    /// A remark on a matrix whose values are not all finite.
    fn odd(&self, path: &str, node: &Node, cells: &Node, variables: &Node) -> Option<String> {
        let looks = judge(self.source, node).ok().flatten().filter(|looks| looks.odd.is_some())?;
        Some(format!("{path}: {}", self.named(looks, cells, variables).words))
    }

    /// The name of row `i` of a table.
    fn name(&self, table: &Node, i: usize) -> Option<String> {
        let Node::Group(g) = table else { return self.names(table)?.get(i).cloned() };
        let index = frame::layout(self.source, g).ok()?.index;
        match self.source.node(g, &index).ok()?? {
            Node::Dataset(d) => self.source.text_at(&d, i),
            Node::Group(g) => self.source.text_at(&self.source.dataset(&g, "values").ok()?, i),
        }
    }

    fn names(&self, table: &Node) -> Option<Vec<String>> {
        let Node::Group(g) = table else {
            // The first field of the records.
            let Node::Dataset(d) = table else { return None };
            let Kind::Compound(fields) = self.source.kind(d) else { return None };
            let (name, ty) = fields.first().filter(|_| d.size() <= SMALL)?;
            let Kind::Text(ty) = Kind::of(ty) else { return None };
            return Some(self.source.field_strings(d, name, &ty).ok()?.into_iter().take(NAMES).collect());
        };
        let index = frame::layout(self.source, g).ok()?.index;
        match self.source.node(g, &index).ok()?? {
            Node::Dataset(d) => Some(self.source.first(&d, NAMES)),
            Node::Group(g) => Some(self.source.first(&self.source.dataset(&g, "values").ok()?, NAMES)),
        }
    }

    fn annotation(&self, path: &str, node: &Node) -> Item {
        let encoding = self.source.attr_string(node.location(), "encoding-type").ok().flatten();
        match (encoding.as_deref(), node) {
            (Some("dataframe"), node) => self.small_table(path, node),
            _ => self.matrix(path, node),
        }
    }

    /// A table without a list of its columns.
    fn small_table(&self, path: &str, node: &Node) -> Item {
        let mut inner = Vec::new();
        self.table(path, node, &mut inner);
        inner.into_iter().next().unwrap_or_default()
    }

    fn uns(&self, path: &str, g: &Group, depth: usize, items: &mut Vec<Item>) {
        for name in self.source.members(g).unwrap_or_default() {
            let path = format!("{path}/{name}");
            match self.source.node(g, &name) {
                Ok(Some(node)) => self.value(&path, &node, depth, items),
                Ok(None) => {}
                Err(e) => items.push(Item::new(&path, format!("unreadable: {e}"))),
            }
        }
    }

    fn value(&self, path: &str, node: &Node, depth: usize, items: &mut Vec<Item>) {
        let encoding = self.source.attr_string(node.location(), "encoding-type").ok().flatten();
        let item = match (encoding.as_deref(), node) {
            (Some("null"), _) => Item::new(path, "null"),
            (Some("dataframe"), node) => self.small_table(path, node),
            (Some("csr_matrix" | "csc_matrix"), node) => self.matrix(path, node),
            (
                Some("categorical" | "nullable-integer" | "nullable-boolean" | "nullable-string-array"),
                node,
            ) => {
                let Node::Group(g) = node else {
                    return items.push(Item::new(path, self.not_understood(node)));
                };
                let item = self.try_column(path, g, "", node);
                let item = item.unwrap_or_else(|e| Item::new(path, format!("unreadable: {e}")));
                Item { shape: vec![entries(self.source, node)], ..item }
            }
            (None | Some("dict"), Node::Group(g)) => {
                if self.source.attr_string(g, "h5sparse_format").ok().flatten().is_some() {
                    return items.push(self.matrix(path, node));
                }
                items.push(Item { shape: vec![g.len() as usize], ..Item::new(path, "group") });
                if depth < DEEPEST {
                    self.uns(path, g, depth + 1, items);
                }
                return;
            }
            (_, Node::Dataset(d)) => self.small(path, node, d),
            _ => Item::new(path, self.not_understood(node)),
        };
        items.push(item);
    }

    /// A dataset of uns: single values are shown.
    fn small(&self, path: &str, node: &Node, d: &Dataset) -> Item {
        let item = match (self.source.kind(d), extent(d).len()) {
            (Kind::Text(ty), 0) => {
                let text = self.source.strings(d, &ty).ok().and_then(|mut v| v.pop());
                Item { some: text.map(|s| some_text(&s)), ..Item::new(path, "text") }
            }
            (Kind::Number(dtype), 0) => {
                let value = self.source.numbers(d, dtype).ok().and_then(|v| v.text(0));
                Item { some: value, ..Item::new(path, dtype.name()) }
            }
            (Kind::Text(_), _) => Item::new(path, "texts"),
            (Kind::Number(dtype), _) => {
                Item { dtype: Some(dtype.name().into()), ..Item::new(path, dtype.name()) }
            }
            // What h5py makes of complex numbers is no list of records.
            (Kind::Compound(fields), 1) if !fields.iter().map(|(n, _)| &n[..]).eq(["r", "i"]) => {
                return Item { shape: vec![length(d), fields.len()], ..Item::new(path, "records") };
            }
            _ => Item::new(path, self.not_understood(node)),
        };
        Item { shape: extent(d), ..item }
    }

    fn history(&self, root: &Group) -> Vec<String> {
        let Ok(Some(Node::Group(log))) = self.source.node(root, "uns/scx/log") else { return Vec::new() };
        let read = |name: &String| {
            let d = self.source.dataset(&log, name).ok()?;
            let Kind::Text(ty) = self.source.kind(&d) else { return None };
            self.source.strings(&d, &ty).ok()?.pop()
        };
        self.source.members(&log).unwrap_or_default().iter().filter_map(read).collect()
    }
}

/// Entries of a list, plain or with a mask or with categories.
fn entries(source: &Source, node: &Node) -> usize {
    let size = |g: &Group, name| source.dataset(g, name).map(|d| length(&d)).ok();
    match node {
        Node::Dataset(d) => length(d),
        Node::Group(g) => size(g, "values").or_else(|| size(g, "codes")).unwrap_or(0),
    }
}

/// What X looks like.
fn judge(source: &Source, x: &Node) -> Result<Option<Looks>, ReadError> {
    match x {
        Node::Dataset(d) => judge_dense(source, d),
        Node::Group(g) => match matrix::layout(source, g)? {
            Some((layout, _)) => judge_compressed(source, g, layout),
            None => Ok(None),
        },
    }
}
