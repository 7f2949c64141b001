//! A data set taken apart into the elements a report speaks of.

use super::report::tables_of;
use super::{ArrayKind, ColumnKind, ElementKind, Entry, Fate, LayerKind, MatrixKind, UnsKind};
use crate::data::{Annotation, Column, DType, Dataset, Frame, Index, Layout, Matrix, Uns, Values};
use crate::io::codec::Format;
use crate::io::fcs;
use crate::io::formats::codec;
use crate::io::options::{Compat, Tables, WriteOptions};

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

/// One element of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it lies.
    pub place: Place,
    /// What it is; its name may make it more than others of its kind.
    pub kind: ElementKind,
    /// What it is whatever it is called.
    pub plain: ElementKind,
    /// Its name there; empty for X, names and raw.
    pub name: String,
    /// What it is, for people.
    pub words: String,
    /// Bytes it takes uncompressed.
    pub bytes: u64,
    /// Element type of a matrix.
    pub dtype: Option<DType>,
    /// Rows and columns of a matrix.
    pub shape: Option<(usize, usize)>,
    /// How a matrix is stored.
    pub layout: Option<Layout>,
    /// Stored values of a sparse matrix.
    pub entries: u64,
    /// Columns of a table.
    pub columns: Vec<Part>,
    /// Whether its columns are the channels of an FCS file, in whatever format they were since.
    pub of_channels: bool,
    /// Whether nothing of it is at hand: scx does not understand it, and it cannot be copied from where it was.
    pub gone: bool,
}

impl Part {
    fn new(plain: ElementKind, name: &str, words: impl Into<String>, bytes: u64) -> Self {
        let (place, kind) = (plain.place(), plain.named(name));
        let (name, words) = (name.to_owned(), words.into());
        Self {
            place,
            kind,
            plain,
            name,
            words,
            bytes,
            dtype: None,
            shape: None,
            layout: None,
            entries: 0,
            columns: Vec::new(),
            of_channels: false,
            gone: false,
        }
    }

    /// What becomes of it in a format.
    pub fn fate(&self, format: Format, tables: Tables, options: &WriteOptions) -> Fate {
        match (
            self.fate_by(codec(format).losses, tables, options.compat),
            self.too_wide(format, options.memory),
        ) {
            (fate @ Fate::Left { .. }, _) | (fate, None) => fate,
            (_, Some(why)) => Fate::Left { why },
        }
    }

    pub(super) fn fate_by(&self, losses: fn(ElementKind) -> Entry, tables: Tables, compat: Compat) -> Fate {
        let entry = match losses(self.kind) {
            Entry::AsOthers => losses(self.plain),
            entry if self.gone && !entry.leaves() => Entry::NOT_UNDERSTOOD,
            entry => entry,
        };
        entry.resolve(self, losses, tables, compat)
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

/// Every element of a data set, X first, and what becomes of it in a format.
pub fn fates(d: &Dataset, format: Format, options: &WriteOptions) -> Vec<(Part, Fate)> {
    let tables = tables_of(d, options);
    let fate = |part: &Part| {
        (codec(format).own_fate)(d, part, options).unwrap_or_else(|| part.fate(format, tables, options))
    };
    parts(d).into_iter().map(|part| (part.clone(), fate(&part))).collect()
}

/// Every element of a data set, X first.
pub fn parts(d: &Dataset) -> Vec<Part> {
    let mut all = Vec::new();
    if let Some(x) = &d.x {
        let kind = match x.layout() {
            Layout::Dense => MatrixKind::Dense,
            Layout::Csr => MatrixKind::Csr,
            Layout::Csc => MatrixKind::Csc,
        };
        all.push(Part { of_channels: fcs::of_channels(d), ..matrix(ElementKind::X(kind), "", x) });
    }
    all.extend(d.layers.iter().map(|(name, m)| {
        let dense = m.layout() == Layout::Dense;
        matrix(ElementKind::Layer(if dense { LayerKind::Dense } else { LayerKind::Sparse }), name, m)
    }));
    all.push(names([ElementKind::CellNames, ElementKind::CellNumbers], &d.obs));
    all.extend(columns(ElementKind::Obs, &d.obs));
    all.push(names([ElementKind::VarNames, ElementKind::VarNumbers], &d.var));
    all.extend(columns(ElementKind::Var, &d.var));
    all.extend(d.obsm.iter().map(|(name, a)| annotation(ElementKind::Obsm, name, a)));
    all.extend(d.varm.iter().map(|(name, a)| annotation(ElementKind::Varm, name, a)));
    all.extend(d.obsp.iter().map(|(name, a)| annotation(ElementKind::Obsp, name, a)));
    all.extend(d.varp.iter().map(|(name, a)| annotation(ElementKind::Varp, name, a)));
    if let Some(raw) = &d.raw {
        let x = matrix(ElementKind::Raw, "", &raw.x);
        let bytes = x.bytes + columns(ElementKind::Var, &raw.var).iter().map(|p| p.bytes).sum::<u64>();
        all.push(Part { bytes, ..x });
    }
    all.extend(d.uns.iter().map(|(name, u)| uns(name, u)));
    if !d.source.keywords.is_empty() {
        let bytes = d.source.keywords.iter().map(|(k, v)| (k.len() + v.len()) as u64).sum();
        let words = format!("{} keywords", d.source.keywords.len());
        all.push(Part::new(ElementKind::Keywords, "", words, bytes));
    }
    all
}

/// Bytes a matrix takes uncompressed.
fn matrix_bytes(m: &Matrix) -> u64 {
    let (rows, columns) = m.shape();
    let size = m.dtype().size() as u64;
    match m.layout() {
        Layout::Dense => (rows as u64).saturating_mul(columns as u64).saturating_mul(size),
        layout => {
            let major = if layout == Layout::Csr { rows } else { columns };
            let entries = m.nnz().unwrap_or(0).saturating_mul(size + 4);
            entries.saturating_add(8 * (major as u64 + 1))
        }
    }
}

/// A matrix as an element of a data set.
fn matrix(kind: ElementKind, name: &str, m: &Matrix) -> Part {
    let (rows, columns) = m.shape();
    let words = format!("{rows} × {columns} {} {}", m.layout().name(), m.dtype().name());
    let entries = if m.layout() == Layout::Dense { 0 } else { m.nnz().unwrap_or(0) };
    let own = Part {
        shape: Some((rows, columns)),
        layout: Some(m.layout()),
        entries,
        ..Part::new(kind, name, words, matrix_bytes(m))
    };
    Part { dtype: Some(m.dtype()), ..own }
}

/// Names of rows: `kinds` are those of names and of numbers.
fn names(kinds: [ElementKind; 2], frame: &Frame) -> Part {
    let [named, numbered] = kinds;
    match &frame.index {
        Index::Names { values, .. } => {
            let bytes = (values.bytes() + 16 * values.len()) as u64;
            Part::new(named, "", format!("{} names", frame.len()), bytes)
        }
        Index::Range(_) => Part::new(numbered, "", format!("{} rows, numbered", frame.len()), 0),
    }
}

fn columns(place: fn(ColumnKind) -> ElementKind, frame: &Frame) -> Vec<Part> {
    let of = |(name, column): &(String, Column)| {
        let kind = match column {
            Column::Numbers(v) if v.dtype() == DType::Bool => ColumnKind::Bool,
            Column::Numbers(_) => ColumnKind::Number,
            Column::Nullable { .. } => ColumnKind::Nullable,
            Column::Strings(_) => ColumnKind::Text,
            Column::NullableStrings(_) => ColumnKind::TextMissing,
            Column::Categorical(_) => ColumnKind::Category,
            Column::Opaque { .. } => ColumnKind::Opaque,
        };
        let gone = matches!(column, Column::Opaque { stored: None, .. });
        Part { gone, ..Part::new(place(kind), name, column.kind(), column_bytes(column)) }
    };
    frame.columns.iter().map(of).collect()
}

/// Bytes a column takes uncompressed.
fn column_bytes(column: &Column) -> u64 {
    let n = column.len() as u64;
    match column {
        Column::Numbers(v) => n * v.dtype().size() as u64,
        Column::Nullable { values, .. } => n * (1 + values.dtype().size() as u64),
        Column::Strings(v) => v.iter().map(|s| s.len() as u64 + 16).sum(),
        Column::NullableStrings(v) => v.iter().map(|s| s.as_ref().map_or(0, String::len) as u64 + 17).sum(),
        Column::Categorical(_) => n * 4,
        Column::Opaque { .. } => 0,
    }
}

fn annotation(kind: fn(ArrayKind) -> ElementKind, name: &str, a: &Annotation) -> Part {
    match a {
        Annotation::Matrix(m) => {
            let dense = m.layout() == Layout::Dense;
            matrix(kind(if dense { ArrayKind::Dense } else { ArrayKind::Sparse }), name, m)
        }
        Annotation::Frame(f) => {
            let kind = kind(ArrayKind::Table);
            // What becomes of a column of its own becomes of it.
            let own =
                columns(if kind.place() == Place::Varm { ElementKind::Var } else { ElementKind::Obs }, f);
            let words = format!("table of {} columns", own.len());
            let bytes = own.iter().map(|p| p.bytes).sum();
            Part { columns: own, ..Part::new(kind, name, words, bytes) }
        }
        Annotation::Opaque { encoding, stored } => {
            Part { gone: stored.is_none(), ..opaque(kind(ArrayKind::Opaque), name, encoding) }
        }
    }
}

fn opaque(kind: ElementKind, name: &str, encoding: &str) -> Part {
    Part::new(kind, name, format!("not understood ({encoding})"), 0)
}

fn uns(name: &str, u: &Uns) -> Part {
    let of = |kind, words: String| Part::new(ElementKind::Uns(kind), name, words, uns_bytes(u));
    let part = match u {
        Uns::Map(m) => of(UnsKind::Group, format!("group of {}", m.len())),
        Uns::String(_) => of(UnsKind::Scalar, "text".into()),
        Uns::Number(v) => of(UnsKind::Scalar, v.dtype().name().into()),
        Uns::Strings(v) => of(UnsKind::Array, format!("{} texts", v.len())),
        Uns::Array { values, .. } => {
            of(UnsKind::Array, format!("{} {}", values.len(), values.dtype().name()))
        }
        Uns::StringArray { values, .. } => of(UnsKind::Texts, format!("{} texts", values.len())),
        Uns::Column(c) => of(UnsKind::Group, c.kind()),
        Uns::Matrix(m) => of(UnsKind::Group, format!("{} matrix", m.layout().name())),
        Uns::Frame(f) => of(UnsKind::Group, format!("table of {} columns", f.columns.len())),
        Uns::Records { fields, .. } => of(UnsKind::Group, format!("records of {} fields", fields.len())),
        Uns::Null => of(UnsKind::Null, "nothing".into()),
        Uns::Opaque { encoding, stored } => {
            let kind = ElementKind::Uns(UnsKind::Opaque);
            return Part { gone: stored.is_none(), ..opaque(kind, name, encoding) };
        }
    };
    // A name means something for texts, lists of texts or whole numbers, and groups.
    let meant = match u {
        Uns::Map(_) | Uns::String(_) | Uns::Strings(_) => true,
        Uns::Array { shape, values } => shape.len() == 1 && matches!(values, Values::I32(_) | Values::I64(_)),
        _ => false,
    };
    if meant { part } else { Part { kind: part.plain, ..part } }
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
        Uns::Matrix(m) => matrix_bytes(m),
        Uns::Frame(f) => f.columns.iter().map(|(_, c)| column_bytes(c)).sum(),
        Uns::Records { fields, .. } => fields.iter().map(|(_, c)| c.len() as u64 * 8).sum(),
        Uns::Null | Uns::Opaque { .. } => 0,
    }
}
