//! What is in a file, without its values: shapes, types and how arrays are stored.

use serde::{Deserialize, Serialize};

use crate::data::{Annotation, Column, Dataset, Frame, Index, Looks, Matrix, Summary, Uns};

/// Names of variables an outline holds at most.
pub(super) const NAMES: usize = 500;

/// How an array lies in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Length of a chunk along each axis; `None` when in one piece.
    pub chunk: Option<Vec<usize>>,
    /// Filters by name, in order.
    pub filters: Vec<String>,
    /// Bytes in the file, where telling is cheap.
    pub bytes: Option<u64>,
}

/// One element of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Where it is: `X`, `layers/counts`, `obs/batch`, `uns/neighbors/params`. Parts are separated by slashes.
    pub path: String,
    /// What it is, in words: `csr`, `category (3)`, `table`, `group`, `float32`.
    pub kind: String,
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// Element type of a matrix or an array.
    pub dtype: Option<String>,
    /// Stored values of a sparse matrix.
    pub nnz: Option<u64>,
    /// How it is stored.
    pub storage: Option<Storage>,
    /// Some of its content: categories, a short text.
    pub some: Option<String>,
}

/// What is in a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// What the file says of itself.
    pub dialect: String,
    /// Cells.
    pub n_obs: usize,
    /// Variables.
    pub n_vars: usize,
    /// All elements: X, layers, tables and their columns, the other groups, uns.
    pub items: Vec<Item>,
    /// What X looks like.
    pub x_looks: Option<Looks>,
    /// What else was noticed, in words: values of layers and raw that are not finite.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Names of the first variables.
    pub var_names: Vec<String>,
    /// The marker of each channel, where the format has channels.
    pub stains: Option<Vec<String>>,
    /// The channel of each variable as stored, where a file with no more than [`NAMES`] of them was read whole.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Which channels were written from what was known of cells; empty where none was.
    #[serde(default)]
    pub appended: Vec<bool>,
    /// What the values of each variable look like; as `channels`.
    #[serde(default)]
    pub values: Vec<Summary>,
    /// Header lines.
    pub keywords: Vec<(String, String)>,
    /// Records of earlier runs of scx, each a JSON text.
    pub history: Vec<String>,
}

impl Outline {
    /// The outline of a data set that is open already.
    pub fn of(d: &Dataset) -> Self {
        let mut items = Vec::new();
        items.extend(d.x.as_ref().map(|x| Item::matrix("X", x)));
        items.extend(d.layers.iter().map(|(k, m)| Item::matrix(&format!("layers/{k}"), m)));
        table(&mut items, "obs", &d.obs);
        table(&mut items, "var", &d.var);
        for (group, map) in [("obsm", &d.obsm), ("varm", &d.varm), ("obsp", &d.obsp), ("varp", &d.varp)] {
            items.extend(map.iter().map(|(k, a)| annotation(&format!("{group}/{k}"), a)));
        }
        if let Some(raw) = &d.raw {
            items.push(Item::matrix("raw/X", &raw.x));
            table(&mut items, "raw/var", &raw.var);
        }
        for (key, value) in &d.uns {
            uns(&mut items, &format!("uns/{key}"), value);
        }
        let stains = (!d.source.keywords.is_empty()).then(|| {
            let marker = d.var.column("marker");
            let stain = |i| marker.and_then(|c| c.text(i)).unwrap_or_default().into_owned();
            (0..d.n_vars()).map(stain).collect()
        });
        Self {
            dialect: d.source.dialect.clone(),
            n_obs: d.n_obs(),
            n_vars: d.n_vars(),
            items,
            x_looks: d.x.as_ref().and_then(|x| looks(x, &d.obs, &d.var)),
            remarks: Vec::new(),
            var_names: d.var.index.iter().take(NAMES).map(|s| s.into_owned()).collect(),
            stains,
            channels: Vec::new(),
            appended: Vec::new(),
            values: Vec::new(),
            keywords: d.source.keywords.clone(),
            history: history(d),
        }
    }

    /// With a look at each variable, where there are few enough to be channels.
    #[must_use]
    pub(super) fn with_variables(mut self, d: &Dataset) -> Self {
        if d.n_vars() > NAMES {
            return self;
        }
        let stored = d.var.column("channel");
        let channel = |i: usize| {
            let stored = stored.and_then(|c| c.text(i)).filter(|t| !t.is_empty());
            stored.or_else(|| d.var.index.get(i)).unwrap_or_default().into_owned()
        };
        self.channels = (0..d.n_vars()).map(channel).collect();
        if let Some(Column::Numbers(marks)) = d.var.column(super::fcs::APPENDED) {
            self.appended = marks.iter().map(|m| m == 1.0).collect();
        }
        // What cannot be read is told elsewhere.
        self.values = d.x.as_ref().and_then(|x| x.summaries().ok()).unwrap_or_default();
        self
    }

    /// The element at a place.
    pub fn item(&self, path: &str) -> Option<&Item> {
        self.items.iter().find(|i| i.path == path)
    }

    /// The direct members of a group: their own names and themselves.
    pub fn members<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (&'a str, &'a Item)> {
        self.items.iter().filter_map(move |i| {
            let name = i.path.strip_prefix(group)?.strip_prefix('/')?;
            // A name may hold a slash only where it cannot be a member of something.
            Some((name, i)).filter(|_| !group.starts_with("uns") || !name.contains('/'))
        })
    }
}

/// What a matrix looks like, with names for the value that is not finite.
fn looks(m: &Matrix, cells: &Frame, variables: &Frame) -> Option<Looks> {
    let mut looks = m.looks().ok()?;
    if let Some(odd) = looks.odd.clone() {
        let name = |table: &Frame, i: Option<usize>| match &table.index {
            Index::Names { values, .. } => values.get(i?).map(str::to_owned),
            Index::Range(_) => None,
        };
        let (cell, variable) = (name(cells, odd.row), name(variables, odd.column));
        looks.name_odd(cell.as_deref(), variable.as_deref(), "in a sample");
    }
    Some(looks)
}

/// Layers and raw whose values are not all finite.
pub(super) fn remarks(d: &Dataset) -> Vec<String> {
    let layers = d.layers.iter().map(|(name, m)| (format!("layers/{name}"), m, &d.var));
    let raw = d.raw.as_ref().map(|raw| ("raw/X".to_owned(), &raw.x, &raw.var));
    let odd = |(path, m, var): (String, &Matrix, &Frame)| {
        let looks = looks(m, &d.obs, var).filter(|looks| looks.odd.is_some())?;
        Some(format!("{path}: {}", looks.words))
    };
    layers.chain(raw).filter_map(odd).collect()
}

impl Item {
    /// An element of a kind and nothing else.
    pub fn new(path: &str, kind: impl Into<String>) -> Self {
        Self { path: path.into(), kind: kind.into(), ..Self::default() }
    }

    fn matrix(path: &str, m: &Matrix) -> Self {
        let (n, g) = m.shape();
        Self {
            shape: vec![n, g],
            dtype: Some(m.dtype().name().into()),
            nnz: m.nnz_known(),
            ..Self::new(path, m.layout().name())
        }
    }
}

/// Categories named in an outline.
pub(super) const CATEGORIES: usize = 8;

/// The first categories of a list of `n`.
pub(super) fn some_categories(first: &[String], n: usize) -> Option<String> {
    let more = if n > first.len() { ", …" } else { "" };
    (!first.is_empty()).then(|| first.join(", ") + more)
}

fn column(path: &str, c: &Column) -> Item {
    let some = match c {
        Column::Categorical(c) => {
            let n = c.categories.len();
            let first: Vec<String> = (0..n.min(CATEGORIES)).filter_map(|i| c.categories.text(i)).collect();
            some_categories(&first, n)
        }
        _ => None,
    };
    Item { shape: vec![c.len()], some, ..Item::new(path, c.kind()) }
}

fn table(items: &mut Vec<Item>, path: &str, f: &Frame) {
    items.push(Item { shape: vec![f.len(), f.columns.len()], ..Item::new(path, "table") });
    items.extend(f.columns.iter().map(|(name, c)| column(&format!("{path}/{name}"), c)));
}

fn annotation(path: &str, a: &Annotation) -> Item {
    match a {
        Annotation::Matrix(m) => Item::matrix(path, m),
        Annotation::Frame(f) => Item { shape: vec![f.len(), f.columns.len()], ..Item::new(path, "table") },
        Annotation::Opaque { encoding, .. } => Item::new(path, format!("not understood ({encoding})")),
    }
}

/// The beginning of a text.
pub(super) fn some_text(s: &str) -> String {
    let short: String = s.chars().take(60).collect();
    if short.len() < s.len() { format!("\"{short}…\"") } else { format!("\"{short}\"") }
}

fn uns(items: &mut Vec<Item>, path: &str, value: &Uns) {
    let plain = |kind: &str, shape: &[usize]| Item { shape: shape.to_vec(), ..Item::new(path, kind) };
    let item = match value {
        Uns::Map(m) => {
            items.push(plain("group", &[m.len()]));
            m.iter().for_each(|(k, v)| uns(items, &format!("{path}/{k}"), v));
            return;
        }
        Uns::String(s) => Item { some: Some(some_text(s)), ..plain("text", &[]) },
        Uns::Strings(v) => plain("texts", &[v.len()]),
        Uns::StringArray { shape, .. } => plain("texts", shape),
        Uns::Number(v) => Item { some: v.text(0), ..plain(v.dtype().name(), &[]) },
        Uns::Array { shape, values } => plain(values.dtype().name(), shape),
        Uns::Column(c) => column(path, c),
        Uns::Matrix(m) => Item::matrix(path, m),
        Uns::Frame(f) => plain("table", &[f.len(), f.columns.len()]),
        Uns::Records { fields, .. } => {
            plain("records", &[fields.first().map_or(0, |(_, c)| c.len()), fields.len()])
        }
        Uns::Null => plain("null", &[]),
        Uns::Opaque { encoding, .. } => plain(&format!("not understood ({encoding})"), &[]),
    };
    items.push(item);
}

/// Records of earlier runs of scx on a data set.
fn history(d: &Dataset) -> Vec<String> {
    if let Some(Uns::Map(scx)) = d.uns.get("scx")
        && let Some(Uns::Map(log)) = scx.get("log")
    {
        let text = |u: &Uns| if let Uns::String(s) = u { Some(s.clone()) } else { None };
        return log.values().filter_map(text).collect();
    }
    let keyword = d.source.keywords.iter().find(|(k, _)| k == "SCX").map(|(_, v)| v.clone());
    match keyword.as_deref().map(serde_json::from_str::<serde_json::Value>) {
        Some(Ok(serde_json::Value::Array(list))) => {
            list.into_iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect()
        }
        Some(_) => keyword.into_iter().collect(),
        None => Vec::new(),
    }
}
