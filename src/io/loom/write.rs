//! A data set as a new loom file of version 3.0.0.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::attrs::without_booleans;
use super::column::Stored;
use super::globals::{KEYWORDS, SCX_LOG, SCX_VERSION, VERSION};
use super::names::Names;
use super::text::escape;
use super::{array, bands, column, graphs};
use crate::data::{
    Annotation, Block, Column, DType, DataError, Dataset, Frame, Index, Layout, Matrix, Sparse, Uns, Values,
};
use crate::io::error::WriteError;
use crate::io::hdf5::{
    Storage, create, new_group, write_error, write_file, write_rows, write_string, write_strings,
};
use crate::io::loss::too_wide;
use crate::io::options::{ReadOptions, WriteOptions};
use crate::io::writers::{need_x, silently};

/// Writes a data set as a new loom file at `path`. What loom has no place for is left behind with a warning.
///
/// # Errors
/// [`WriteError`] when there is no X, no cell or no gene, the disk is full, the data cannot be read on, or the new file
/// does not read back.
pub fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    holds(dataset, path, options)?;
    let out = Out { path, options };
    let written = write_file(path, true, |file| out.fill(dataset, file))?;
    out.verify(dataset, &written)
}

/// Refuses a data set without X, cells or genes: loompy cannot open what has none; and matrices with so many genes that
/// one band of cells does not fit into the memory allowed.
///
/// # Errors
/// [`WriteError::CannotHold`].
pub fn holds(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let x = need_x(dataset, path)?;
    for m in std::iter::once(x).chain(dataset.layers.values()) {
        bands::fit(m, path, options.memory)?;
    }
    for (n, what) in [(dataset.n_obs(), "cells"), (dataset.n_vars(), "genes")] {
        if n == 0 {
            let what =
                format!("there are no {what}, and loompy cannot open an empty matrix; write h5ad instead");
            return Err(WriteError::CannotHold { path: path.to_owned(), what });
        }
    }
    Ok(())
}

/// The names in the new file.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    cells: BTreeSet<String>,
    genes: BTreeSet<String>,
    layers: BTreeSet<String>,
}

/// What becomes an attribute.
enum Item<'a> {
    Column(Stored<'a>),
    Array(&'a Matrix),
}

/// The file being written, for messages.
struct Out<'a> {
    path: &'a Path,
    options: &'a WriteOptions<'a>,
}

impl Out<'_> {
    fn lib<T>(&self, result: hdf5::Result<T>) -> Result<T, WriteError> {
        result.map_err(|e| write_error(self.path, &e))
    }

    fn left(&self, what: &str, why: &str) {
        tracing::debug!("{}: {what}: {why}; left behind", self.path.display());
    }

    /// Writes all elements. Its handles are gone when it returns: a file closes only when nothing in it is open.
    fn fill(&self, dataset: &Dataset, file: &Group) -> Result<Written, WriteError> {
        let attrs = self.lib(new_group(file, "attrs"))?;
        self.globals(dataset, &attrs)?;
        if let Some(x) = &dataset.x {
            bands::write(x, file, "matrix", self.options, self.path)?;
        }
        let g = self.lib(new_group(file, "layers"))?;
        let mut layers = Names::new("layers", &[]);
        for (name, m) in &dataset.layers {
            bands::write(m, &g, &layers.give(name), self.options, self.path)?;
        }
        if dataset.raw.is_some() {
            self.left("raw", "loom has one matrix and layers of its shape");
        }
        let cells = self.axis(file, ("col_attrs", "CellID"), &dataset.obs, &dataset.obsm)?;
        let genes = self.axis(file, ("row_attrs", "Gene"), &dataset.var, &dataset.varm)?;
        self.graphs(file, "col_graphs", "obsp", &dataset.obsp)?;
        self.graphs(file, "row_graphs", "varp", &dataset.varp)?;
        Ok(Written { cells, genes, layers: layers.all().clone() })
    }

    /// The table of an axis and the arrays beside it; returns the names they got.
    fn axis(
        &self,
        file: &Group,
        (group, index): (&'static str, &'static str),
        frame: &Frame,
        beside: &BTreeMap<String, Annotation>,
    ) -> Result<BTreeSet<String>, WriteError> {
        let g = self.lib(new_group(file, group))?;
        let mut names = Names::new(group, &[index]);
        let texts: Vec<String> = frame.index.iter().map(|n| n.into_owned()).collect();
        let mut items =
            vec![(index.to_owned(), Item::Column(Stored::Texts(texts.iter().map(String::as_str).collect())))];
        for (name, c) in &frame.columns {
            // Some files keep the index as a column, too.
            let same = name == index && matches!(c, Column::Strings(v) if *v == texts);
            if !same {
                items.extend(self.column(&mut names, name, c));
            }
        }
        for (key, a) in beside {
            match a {
                Annotation::Matrix(m) => match too_wide(m, super::CODEC.format, self.options.memory) {
                    Some(why) => self.left(key, &why),
                    None => items.push((names.give(key), Item::Array(m))),
                },
                Annotation::Frame(f) => {
                    for (name, c) in &f.columns {
                        items.extend(self.column(&mut names, &format!("{key}.{name}"), c));
                    }
                }
                Annotation::Opaque { encoding, .. } => {
                    self.left(key, &format!("encoding {encoding} is not understood"))
                }
            }
        }
        // Readers see them in this order whatever order they have here; so the bytes depend on nothing else.
        items.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, item) in &items {
            match item {
                Item::Column(Stored::Numbers(v)) => self.numbers(&g, name, &[v.len()], v)?,
                Item::Column(Stored::Texts(v)) => self.texts(&g, name, v)?,
                Item::Array(m) => array::write(m, &g, name, self.options, self.path)?,
            }
        }
        Ok(names.all().clone())
    }

    /// A column as it will be stored, under the name it can have.
    fn column<'a>(&self, names: &mut Names, name: &str, c: &'a Column) -> Option<(String, Item<'a>)> {
        match column::stored(c) {
            Ok(stored) => Some((names.give(name), Item::Column(stored))),
            Err(encoding) => {
                self.left(name, &format!("encoding {encoding} is not understood"));
                None
            }
        }
    }

    fn texts(&self, g: &Group, name: &str, v: &[impl AsRef<str>]) -> Result<(), WriteError> {
        let escaped: Vec<_> = v.iter().map(|s| escape(s.as_ref())).collect();
        self.lib(write_strings(g, name, escaped.iter())).map(|_| ())
    }

    fn numbers(&self, g: &Group, name: &str, shape: &[usize], v: &Values) -> Result<(), WriteError> {
        let v = without_booleans(v);
        let d = self.lib(create(g, name, v.dtype(), shape, &Storage::for_array(shape, v.dtype())))?;
        self.lib(write_rows(&d, 0, &v))
    }

    fn graphs(
        &self,
        file: &Group,
        group: &'static str,
        element: &str,
        all: &BTreeMap<String, Annotation>,
    ) -> Result<(), WriteError> {
        let g = self.lib(new_group(file, group))?;
        let mut names = Names::new(group, &[]);
        for (key, a) in all {
            let Annotation::Matrix(m) = a else {
                self.left(&format!("{element}/{key}"), "it is no matrix");
                continue;
            };
            let graph = self.lib(new_group(&g, &names.give(key)))?;
            self.graph(&graph, m)?;
        }
        Ok(())
    }

    /// A graph row by row; of a dense matrix, the entries that are not zero.
    fn graph(&self, g: &Group, m: &Matrix) -> Result<(), WriteError> {
        let mut entries = 0;
        let known = if m.layout() == Layout::Dense { None } else { m.nnz() };
        if known.is_none() {
            self.rows(m, &mut |_, s| {
                entries += s.indices().len();
                Ok(())
            })?;
        }
        let shape = [known.and_then(|n| usize::try_from(n).ok()).unwrap_or(entries)];
        let weight = graphs::weights(Values::empty(m.dtype())).dtype();
        let new =
            |(name, dtype)| self.lib(create(g, name, dtype, &shape, &Storage::for_array(&shape, dtype)));
        let [a, b, w] = [("a", DType::U32), ("b", DType::U32), ("w", weight)].map(new);
        let (a, b, w) = (a?, b?, w?);
        let mut at = 0;
        self.rows(m, &mut |start, s| {
            let (mut from, to, values) = graphs::edges(s);
            // Indices are 32 bits wide, so a square matrix has no more rows.
            from.iter_mut().for_each(|v| *v += start as u32);
            let all = [(&a, Values::U32(from)), (&b, Values::U32(to)), (&w, graphs::weights(values))];
            let n = s.indices().len();
            for (d, v) in all {
                write_rows(d, at, &v).map_err(|e| DataError::stopped(write_error(self.path, &e)))?;
            }
            at += n;
            Ok(())
        })
    }

    /// Hands over the rows of a matrix without zeros.
    fn rows(
        &self,
        m: &Matrix,
        sink: &mut dyn FnMut(usize, &Sparse) -> Result<(), DataError>,
    ) -> Result<(), WriteError> {
        m.stream(self.options.memory, &mut |start, block| match block {
            Block::Csr(s) => sink(start, &s),
            Block::Dense(d) => sink(start, &graphs::non_zero(&d)?),
        })
        .map_err(|e| WriteError::streamed(self.path, e))
    }

    /// What the data set says of itself: /attrs holds texts and numbers, but no groups.
    fn globals(&self, dataset: &Dataset, g: &Group) -> Result<(), WriteError> {
        self.lib(write_string(g, VERSION, "3.0.0"))?;
        let mut names = Names::new("attrs", &[VERSION, SCX_VERSION, KEYWORDS, "last_modified"]);
        if !dataset.source.keywords.is_empty() {
            let json = serde_json::to_string(&dataset.source.keywords).unwrap_or_default();
            self.lib(write_string(g, KEYWORDS, &escape(&json)))?;
        }
        for (key, value) in &dataset.uns {
            match value {
                Uns::String(s) => {
                    self.lib(write_string(g, &names.give(key), &escape(s)))?;
                }
                Uns::Strings(v) => self.texts(g, &names.give(key), v)?,
                Uns::Number(v) => self.numbers(g, &names.give(key), &[], v)?,
                Uns::Array { shape, values } => self.numbers(g, &names.give(key), shape, values)?,
                Uns::Map(m) if key == "scx" => self.records(g, m)?,
                Uns::Map(_) => self.left(&format!("uns/{key}"), "loom has no groups there"),
                Uns::StringArray { .. }
                | Uns::Column(_)
                | Uns::Matrix(_)
                | Uns::Frame(_)
                | Uns::Records { .. } => {
                    self.left(&format!("uns/{key}"), "loom has numbers and lists of text there");
                }
                Uns::Null => self.left(&format!("uns/{key}"), "loom has no word for nothing"),
                Uns::Opaque { encoding, .. } => {
                    self.left(&format!("uns/{key}"), &format!("encoding {encoding} is not understood"));
                }
            }
        }
        Ok(())
    }

    /// scx's own records.
    fn records(&self, g: &Group, scx: &BTreeMap<String, Uns>) -> Result<(), WriteError> {
        for (key, value) in scx {
            match (key.as_str(), value) {
                ("version", Uns::String(v)) => {
                    self.lib(write_string(g, SCX_VERSION, &escape(v)))?;
                }
                ("log", Uns::Map(log)) => {
                    for (number, record) in log {
                        match record {
                            Uns::String(r) if !number.contains('/') => {
                                self.lib(write_string(g, &format!("{SCX_LOG}{number}"), &escape(r)))?;
                            }
                            _ => self.left(&format!("uns/scx/log/{number}"), "it is no record"),
                        }
                    }
                }
                _ => self.left(&format!("uns/scx/{key}"), "loom has no groups there"),
            }
        }
        Ok(())
    }

    /// Reads the new file and compares shapes and names with what was meant.
    fn verify(&self, dataset: &Dataset, written: &Written) -> Result<(), WriteError> {
        let fail = |what: String| WriteError::Verify { path: self.path.to_owned(), what };
        let found = silently(|| super::read(self.path, &ReadOptions::default()));
        let found = found.map_err(|e| fail(e.to_string()))?;
        let names = |f: &Frame, beside: &BTreeMap<String, Annotation>| {
            let index = match &f.index {
                Index::Names { name, .. } => Some(name.clone()),
                Index::Range(_) => None,
            };
            index
                .into_iter()
                .chain(f.columns.iter().map(|(n, _)| n.clone()))
                .chain(beside.keys().cloned())
                .collect()
        };
        let shape = |d: &Dataset| (d.n_obs(), d.n_vars());
        if shape(&found) != shape(dataset) {
            return Err(fail(format!("it reads back as {:?}, expected {:?}", shape(&found), shape(dataset))));
        }
        let read = Written {
            cells: names(&found.obs, &found.obsm),
            genes: names(&found.var, &found.varm),
            layers: found.layers.keys().cloned().collect(),
        };
        if read == *written {
            Ok(())
        } else {
            Err(fail(format!("it reads back as {read:?}, expected {written:?}")))
        }
    }
}
