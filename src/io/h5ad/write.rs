//! A data set as a new file in the layout of anndata 0.12.

use std::collections::BTreeMap;
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::matrix_out;
use crate::data::{Annotation, Categories, Column, DType, Dataset, Frame, Index, Uns, Values};
use crate::io::hdf5::{
    Storage, create, new_group, open_to_write, set_text, set_texts, set_value, write_error, write_rows,
    write_string, write_strings,
};
use crate::io::{ReadOptions, WriteError, WriteOptions};

/// Writes a data set as a new h5ad file at `path`. Elements scx does not understand are not in memory and cannot be
/// written: each is named in a warning ([`super::annotate`] keeps them).
///
/// # Errors
/// [`WriteError`] when the disk is full, the data cannot be read on, or the new file does not read back.
pub fn write(dataset: &Dataset, path: &Path, options: &WriteOptions) -> Result<(), WriteError> {
    let out = Out { path, options };
    let file = out.lib(open_to_write(path, true))?;
    fill(dataset, &file, &out)?;
    out.lib(file.flush())?;
    out.lib(file.close())?;
    verify(dataset, path)
}

/// Writes all elements. Its handles are gone when it returns: a file closes only when nothing in it is open.
fn fill(dataset: &Dataset, file: &Group, out: &Out) -> Result<(), WriteError> {
    let path = out.path;
    out.encoding(file, "anndata", "0.1.0")?;
    if let Some(x) = &dataset.x {
        matrix_out::write(x, file, "X", out.options, path)?;
    }
    out.frame(file, "obs", &dataset.obs)?;
    out.frame(file, "var", &dataset.var)?;
    let layers = out.dict(file, "layers")?;
    for (name, m) in &dataset.layers {
        matrix_out::write(m, &layers, name, out.options, path)?;
    }
    out.annotations(file, "obsm", &dataset.obsm)?;
    out.annotations(file, "varm", &dataset.varm)?;
    out.annotations(file, "obsp", &dataset.obsp)?;
    out.annotations(file, "varp", &dataset.varp)?;
    if let Some(raw) = &dataset.raw {
        let g = out.lib(new_group(file, "raw"))?;
        out.encoding(&g, "raw", "0.1.0")?;
        matrix_out::write(&raw.x, &g, "X", out.options, path)?;
        out.frame(&g, "var", &raw.var)?;
        out.annotations(&g, "varm", &raw.varm)?;
    }
    out.uns(file, "uns", &dataset.uns)
}

/// Reads the new file and compares shapes and names with what was meant.
fn verify(dataset: &Dataset, path: &Path) -> Result<(), WriteError> {
    let fail = |what: String| WriteError::Verify { path: path.to_owned(), what };
    let found = super::read(path, &ReadOptions::default()).map_err(|e| fail(e.to_string()))?;
    let outline = |d: &Dataset| {
        let names = |f: &Frame| {
            let kept = f.columns.iter().filter(|(_, c)| !matches!(c, Column::Opaque { .. }));
            kept.map(|(n, c)| (n.clone(), c.len())).collect::<Vec<_>>()
        };
        let size = |m: &crate::data::Matrix| (m.shape(), m.layout(), m.dtype(), m.nnz());
        let layers: Vec<_> = d.layers.iter().map(|(k, m)| (k.clone(), size(m))).collect();
        (d.n_obs(), d.n_vars(), names(&d.obs), names(&d.var), d.x.as_ref().map(size), layers)
    };
    let (found, meant) = (outline(&found), outline(dataset));
    if found == meant { Ok(()) } else { Err(fail(format!("it reads back as {found:?}, expected {meant:?}"))) }
}

/// The file being written, for messages.
pub(super) struct Out<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a WriteOptions<'a>,
}

impl Out<'_> {
    pub(super) fn lib<T>(&self, result: hdf5::Result<T>) -> Result<T, WriteError> {
        result.map_err(|e| write_error(self.path, &e))
    }

    fn encoding(&self, at: &hdf5::Location, name: &str, version: &str) -> Result<(), WriteError> {
        self.lib(set_text(at, "encoding-type", name).and_then(|()| set_text(at, "encoding-version", version)))
    }

    fn dict(&self, parent: &Group, name: &str) -> Result<Group, WriteError> {
        let g = self.lib(new_group(parent, name))?;
        self.encoding(&g, "dict", "0.1.0")?;
        Ok(g)
    }

    /// Names with a slash would become groups inside groups.
    pub(super) fn name(&self, name: &str) -> Result<(), WriteError> {
        if name.is_empty() || name == "." || name.contains('/') {
            let what = format!("{name:?} as a name inside an h5ad file; rename it without a slash");
            return Err(WriteError::CannotHold { path: self.path.to_owned(), what });
        }
        Ok(())
    }

    fn skip(&self, name: &str, encoding: &str) {
        tracing::warn!("{}: {name}: encoding {encoding} is not understood; not written", self.path.display());
    }

    fn numbers(&self, g: &Group, name: &str, shape: &[usize], values: &Values) -> Result<(), WriteError> {
        let storage = Storage::for_array(shape, values.dtype());
        let d = self.lib(create(g, name, values.dtype(), shape, &storage))?;
        self.encoding(&d, "array", "0.2.0")?;
        self.lib(write_rows(&d, 0, values))
    }

    fn strings(&self, g: &Group, name: &str, values: &[impl AsRef<str>]) -> Result<(), WriteError> {
        let d = self.lib(write_strings(g, name, values))?;
        self.encoding(&d, "string-array", "0.2.0")
    }

    fn frame(&self, parent: &Group, name: &str, frame: &Frame) -> Result<(), WriteError> {
        let g = self.lib(new_group(parent, name))?;
        self.encoding(&g, "dataframe", "0.2.0")?;
        let kept: Vec<_> =
            frame.columns.iter().filter(|(_, c)| !matches!(c, Column::Opaque { .. })).collect();
        let index = match &frame.index {
            // A column may not share the name of the index.
            Index::Names { name, .. } if !kept.iter().any(|(n, _)| n == name) => name.as_str(),
            _ => "_index",
        };
        self.name(index)?;
        self.lib(set_text(&g, "_index", index))?;
        if kept.iter().any(|(n, _)| n == index) {
            let what = format!("a column of {} called {index}, as the index; rename it", g.name());
            return Err(WriteError::CannotHold { path: self.path.to_owned(), what });
        }
        let order: Vec<&str> = kept.iter().map(|(n, _)| n.as_str()).collect();
        self.lib(set_texts(&g, "column-order", &order))?;
        let names: Vec<_> = frame.index.iter().collect();
        self.strings(&g, index, &names)?;
        for (column, values) in &frame.columns {
            self.name(column)?;
            self.column(&g, column, values)?;
        }
        Ok(())
    }

    pub(super) fn column(&self, g: &Group, name: &str, column: &Column) -> Result<(), WriteError> {
        match column {
            Column::Numbers(v) => self.numbers(g, name, &[v.len()], v),
            Column::Strings(v) => self.strings(g, name, v),
            Column::Nullable { values, missing } => {
                let encoding =
                    if values.dtype() == DType::Bool { "nullable-boolean" } else { "nullable-integer" };
                let g = self.lib(new_group(g, name))?;
                self.encoding(&g, encoding, "0.1.0")?;
                self.numbers(&g, "values", &[values.len()], values)?;
                self.numbers(&g, "mask", &[missing.len()], &Values::Bool(missing.clone()))
            }
            Column::NullableStrings(v) => {
                let g = self.lib(new_group(g, name))?;
                self.encoding(&g, "nullable-string-array", "0.1.0")?;
                let text: Vec<&str> = v.iter().map(|s| s.as_deref().unwrap_or_default()).collect();
                self.strings(&g, "values", &text)?;
                let mask = v.iter().map(Option::is_none).collect();
                self.numbers(&g, "mask", &[v.len()], &Values::Bool(mask))
            }
            Column::Categorical(c) => {
                let g = self.lib(new_group(g, name))?;
                self.encoding(&g, "categorical", "0.2.0")?;
                self.lib(set_value(&g, "ordered", c.ordered))?;
                match &c.categories {
                    Categories::Strings(v) => self.strings(&g, "categories", v)?,
                    Categories::Numbers(v) => self.numbers(&g, "categories", &[v.len()], v)?,
                }
                // pandas uses the smallest signed type that holds all codes.
                let codes = match c.categories.len() {
                    0..=127 => Values::I8(c.codes.iter().map(|&c| c as i8).collect()),
                    128..=32767 => Values::I16(c.codes.iter().map(|&c| c as i16).collect()),
                    _ => Values::I32(c.codes.clone()),
                };
                self.numbers(&g, "codes", &[c.codes.len()], &codes)
            }
            Column::Opaque { encoding, .. } => {
                self.skip(&format!("{}/{name}", g.name()), encoding);
                Ok(())
            }
        }
    }

    fn annotations(
        &self,
        root: &Group,
        name: &str,
        all: &BTreeMap<String, Annotation>,
    ) -> Result<(), WriteError> {
        let g = self.dict(root, name)?;
        for (key, value) in all {
            self.name(key)?;
            match value {
                Annotation::Matrix(m) => matrix_out::write(m, &g, key, self.options, self.path)?,
                Annotation::Frame(f) => self.frame(&g, key, f)?,
                Annotation::Opaque { encoding } => self.skip(&format!("{name}/{key}"), encoding),
            }
        }
        Ok(())
    }

    fn uns(&self, parent: &Group, name: &str, map: &BTreeMap<String, Uns>) -> Result<(), WriteError> {
        let g = self.dict(parent, name)?;
        map.iter().try_for_each(|(key, value)| self.entry(&g, key, value))
    }

    /// One unstructured value.
    pub(super) fn entry(&self, g: &Group, key: &str, value: &Uns) -> Result<(), WriteError> {
        self.name(key)?;
        match value {
            Uns::Map(inner) => self.uns(g, key, inner),
            Uns::String(s) => {
                let d = self.lib(write_string(g, key, s))?;
                self.encoding(&d, "string", "0.2.0")
            }
            Uns::Strings(v) => self.strings(g, key, v),
            Uns::Number(v) => {
                let d = self.lib(create(g, key, v.dtype(), &[], &Storage::default()))?;
                self.encoding(&d, "numeric-scalar", "0.2.0")?;
                self.lib(write_rows(&d, 0, v))
            }
            Uns::Array { shape, values } => self.numbers(g, key, shape, values),
            Uns::Opaque { encoding } => {
                self.skip(&format!("{}/{key}", g.name()), encoding);
                Ok(())
            }
        }
    }
}
