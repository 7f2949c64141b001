//! A data set taken apart into the elements a report speaks of.

use crate::data::{Annotation, Column, DType, Dataset, Frame, Index, Layout, Matrix, Uns, Values};

/// Where in a data set an element lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// The main matrix.
    X,
    /// A further matrix.
    Layers,
    /// Names of cells.
    ObsNames,
    /// Names of variables.
    VarNames,
    /// A column of the table of cells.
    Obs,
    /// A column of the table of variables.
    Var,
    /// An array for each cell.
    Obsm,
    /// An array for each variable.
    Varm,
    /// Cells × cells.
    Obsp,
    /// Variables × variables.
    Varp,
    /// The frozen earlier state.
    Raw,
    /// Something unstructured.
    Uns,
    /// The keywords of an FCS file.
    Keywords,
}

/// What kind of thing an element is, as far as formats differ in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A dense matrix.
    Dense,
    /// A matrix compressed by rows.
    Csr,
    /// A matrix compressed by columns.
    Csc,
    /// Stored names.
    Names,
    /// No names: rows are numbered.
    Numbered,
    /// Numbers.
    Number,
    /// Booleans.
    Bool,
    /// Numbers or booleans with missing entries.
    Nullable,
    /// Text.
    Text,
    /// Text with missing entries.
    TextMissing,
    /// Codes into categories.
    Category,
    /// A table.
    Table,
    /// One text or number.
    Scalar,
    /// A named group.
    Group,
    /// An array of numbers or texts.
    Array,
    /// Nothing: Python's `None`.
    Null,
    /// More than one of these.
    Mixed,
    /// An encoding scx does not understand.
    Opaque,
}

/// One element of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it lies.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
    /// Its name there; empty for X, names and raw.
    pub name: String,
    /// What it is, for people.
    pub words: String,
    /// Bytes it takes uncompressed.
    pub bytes: u64,
    /// Element type of a matrix.
    pub dtype: Option<DType>,
    /// Columns of a table.
    pub columns: Vec<Part>,
}

impl Part {
    fn new(place: Place, kind: Kind, name: &str, words: impl Into<String>, bytes: u64) -> Self {
        let (name, words) = (name.to_owned(), words.into());
        Self { place, kind, name, words, bytes, dtype: None, columns: Vec::new() }
    }

    /// As one writes it in Python: `obs["batch"]`.
    pub fn element(&self) -> String {
        self.place.element(&self.name)
    }
}

impl Place {
    /// An element of that name here, as one writes it in Python.
    pub fn element(self, name: &str) -> String {
        let place = match self {
            Place::X => return "X".into(),
            Place::ObsNames => return "obs_names".into(),
            Place::VarNames => return "var_names".into(),
            Place::Raw => return "raw".into(),
            Place::Keywords => return "keywords".into(),
            Place::Layers => "layers",
            Place::Obs => "obs",
            Place::Var => "var",
            Place::Obsm => "obsm",
            Place::Varm => "varm",
            Place::Obsp => "obsp",
            Place::Varp => "varp",
            Place::Uns => "uns",
        };
        format!("{place}[{name:?}]")
    }
}

/// Every element of a data set, X first.
pub fn parts(d: &Dataset) -> Vec<Part> {
    let mut all = Vec::new();
    if let Some(x) = &d.x {
        all.push(matrix(Place::X, "", x));
    }
    all.extend(d.layers.iter().map(|(name, m)| matrix(Place::Layers, name, m)));
    all.push(names(Place::ObsNames, &d.obs));
    all.extend(columns(Place::Obs, &d.obs));
    all.push(names(Place::VarNames, &d.var));
    all.extend(columns(Place::Var, &d.var));
    let groups =
        [(Place::Obsm, &d.obsm), (Place::Varm, &d.varm), (Place::Obsp, &d.obsp), (Place::Varp, &d.varp)];
    for (place, map) in groups {
        all.extend(map.iter().map(|(name, a)| annotation(place, name, a)));
    }
    if let Some(raw) = &d.raw {
        let x = matrix(Place::Raw, "", &raw.x);
        let bytes = x.bytes + columns(Place::Var, &raw.var).iter().map(|p| p.bytes).sum::<u64>();
        all.push(Part { bytes, kind: Kind::Mixed, ..x });
    }
    all.extend(d.uns.iter().map(|(name, u)| uns(name, u)));
    if !d.source.keywords.is_empty() {
        let bytes = d.source.keywords.iter().map(|(k, v)| (k.len() + v.len()) as u64).sum();
        let words = format!("{} keywords", d.source.keywords.len());
        all.push(Part::new(Place::Keywords, Kind::Mixed, "", words, bytes));
    }
    all
}

fn matrix(place: Place, name: &str, m: &Matrix) -> Part {
    let (rows, columns) = m.shape();
    let size = m.dtype().size() as u64;
    let (kind, bytes) = match m.layout() {
        Layout::Dense => (Kind::Dense, (rows as u64).saturating_mul(columns as u64).saturating_mul(size)),
        layout => {
            let kind = if layout == Layout::Csr { Kind::Csr } else { Kind::Csc };
            let major = if layout == Layout::Csr { rows } else { columns };
            let entries = m.nnz().unwrap_or(0).saturating_mul(size + 4);
            (kind, entries.saturating_add(8 * (major as u64 + 1)))
        }
    };
    let words = format!("{rows} × {columns} {} {}", m.layout().name(), m.dtype().name());
    Part { dtype: Some(m.dtype()), ..Part::new(place, kind, name, words, bytes) }
}

fn names(place: Place, frame: &Frame) -> Part {
    let (kind, bytes) = match &frame.index {
        Index::Names { values, .. } => (Kind::Names, values.iter().map(|s| s.len() as u64 + 16).sum()),
        Index::Range(_) => (Kind::Numbered, 0),
    };
    let words = format!("{} {}", frame.len(), if kind == Kind::Names { "names" } else { "rows, numbered" });
    Part::new(place, kind, "", words, bytes)
}

fn columns(place: Place, frame: &Frame) -> Vec<Part> {
    let of = |(name, column): &(String, Column)| {
        let n = column.len() as u64;
        let text = |v: &[String]| v.iter().map(|s| s.len() as u64 + 16).sum();
        let (kind, bytes) = match column {
            Column::Numbers(v) if v.dtype() == DType::Bool => (Kind::Bool, n),
            Column::Numbers(v) => (Kind::Number, n * v.dtype().size() as u64),
            Column::Nullable { values, .. } => (Kind::Nullable, n * (1 + values.dtype().size() as u64)),
            Column::Strings(v) => (Kind::Text, text(v)),
            Column::NullableStrings(v) => {
                (Kind::TextMissing, v.iter().map(|s| s.as_ref().map_or(0, String::len) as u64 + 17).sum())
            }
            Column::Categorical(_) => (Kind::Category, n * 4),
            Column::Opaque { .. } => (Kind::Opaque, 0),
        };
        Part::new(place, kind, name, column.kind(), bytes)
    };
    frame.columns.iter().map(of).collect()
}

fn annotation(place: Place, name: &str, a: &Annotation) -> Part {
    match a {
        Annotation::Matrix(m) => matrix(place, name, m),
        Annotation::Frame(f) => {
            // What becomes of a column of its own becomes of it.
            let own = columns(if place == Place::Varm { Place::Var } else { Place::Obs }, f);
            let words = format!("table of {} columns", own.len());
            let bytes = own.iter().map(|p| p.bytes).sum();
            Part { columns: own, ..Part::new(place, Kind::Table, name, words, bytes) }
        }
        Annotation::Opaque { encoding, .. } => opaque(place, name, encoding),
    }
}

fn opaque(place: Place, name: &str, encoding: &str) -> Part {
    let words = format!("not understood ({encoding})");
    Part::new(place, Kind::Opaque, name, words, 0)
}

fn uns(name: &str, u: &Uns) -> Part {
    let of = |kind, words: String| Part::new(Place::Uns, kind, name, words, uns_bytes(u));
    match u {
        Uns::Map(m) => of(Kind::Group, format!("group of {}", m.len())),
        Uns::String(_) => of(Kind::Scalar, "text".into()),
        Uns::Number(v) => of(Kind::Scalar, v.dtype().name().into()),
        Uns::Strings(v) => of(Kind::Array, format!("{} texts", v.len())),
        Uns::Array { values, .. } => of(Kind::Array, format!("{} {}", values.len(), values.dtype().name())),
        Uns::StringArray { values, .. } => of(Kind::Array, format!("{} texts", values.len())),
        Uns::Column(c) => of(Kind::Group, c.kind()),
        Uns::Matrix(m) => of(Kind::Group, format!("{} matrix", m.layout().name())),
        Uns::Frame(f) => of(Kind::Group, format!("table of {} columns", f.columns.len())),
        Uns::Records { fields, .. } => of(Kind::Group, format!("records of {} fields", fields.len())),
        Uns::Null => of(Kind::Null, "nothing".into()),
        Uns::Opaque { encoding, .. } => opaque(Place::Uns, name, encoding),
    }
}

fn uns_bytes(u: &Uns) -> u64 {
    let numbers = |v: &Values| (v.len() * v.dtype().size()) as u64;
    match u {
        Uns::Map(m) => m.values().map(uns_bytes).sum(),
        Uns::String(s) => s.len() as u64,
        Uns::Strings(v) => v.iter().map(|s| s.len() as u64 + 16).sum(),
        Uns::Number(v) => numbers(v),
        Uns::Array { values, .. } => numbers(values),
        Uns::StringArray { values, .. } => values.iter().map(|s| s.len() as u64 + 16).sum(),
        Uns::Column(c) => c.len() as u64 * 8,
        Uns::Matrix(m) => matrix(Place::Uns, "", m).bytes,
        Uns::Frame(f) => columns(Place::Uns, f).iter().map(|p| p.bytes).sum(),
        Uns::Records { fields, .. } => fields.iter().map(|(_, c)| c.len() as u64 * 8).sum(),
        Uns::Null | Uns::Opaque { .. } => 0,
    }
}
