//! One element at a time: tables, arrays and everything in uns, in anndata's encodings.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Extents, Group};

use super::{compat, matrix_out};
use crate::data::{
    Annotation, Categorical, Categories, Column, DType, Frame, Index, StoredObject, Uns, Values,
};
use crate::io::error::{ReadError, WriteError};
use crate::io::hdf5::{
    Source, Storage, Texts, create, new_group, set_text, set_texts, set_value, write_error, write_rows,
    write_string, write_strings,
};
use crate::io::options::WriteOptions;

/// The file being written, for messages.
pub(super) struct Out<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a WriteOptions<'a>,
}

impl Out<'_> {
    pub(super) fn lib<T>(&self, result: hdf5::Result<T>) -> Result<T, WriteError> {
        result.map_err(|e| write_error(self.path, &e))
    }

    pub(super) fn encoding(&self, at: &hdf5::Location, name: &str, version: &str) -> Result<(), WriteError> {
        self.lib(set_text(at, "encoding-type", name).and_then(|()| set_text(at, "encoding-version", version)))
    }

    pub(super) fn dict(&self, parent: &Group, name: &str) -> Result<Group, WriteError> {
        let g = self.lib(new_group(parent, name))?;
        self.encoding(&g, "dict", "0.1.0")?;
        Ok(g)
    }

    fn left_out(&self, name: &str, why: &str) {
        tracing::debug!("{}: {name}: {why}; not written", self.path.display());
    }

    /// Copies an object as it is from the file it lies in; without one, or when the anndata asked for could not read
    /// it, it is left out with a warning. Returns whether it was written.
    pub(super) fn copy(
        &self,
        parent: &Group,
        name: &str,
        encoding: &str,
        stored: Option<&StoredObject>,
    ) -> Result<bool, WriteError> {
        let place = format!("{}/{name}", parent.name().trim_end_matches('/'));
        let Some(stored) = stored else {
            self.left_out(&place, &format!("encoding {encoding} is not understood"));
            return Ok(false);
        };
        let level = self.options.compat;
        if !compat::reads(level, encoding) {
            let why = format!("anndata {} cannot read the encoding {encoding}", compat::name(level));
            self.left_out(&place, &why);
            return Ok(false);
        }
        let source = Source::plain(&stored.path);
        let input = |e: ReadError| WriteError::Input { path: self.path.to_owned(), source: Box::new(e) };
        let file = source.open().map_err(input)?;
        let node = source.node(&file, stored.object.trim_start_matches('/')).map_err(input)?;
        let node =
            node.ok_or_else(|| input(source.malformed(&stored.object, "is gone: the file has changed")))?;
        match node.location().copy_to(parent, name) {
            Ok(()) => Ok(true),
            // The library may have linked a part of it.
            Err(e) => match write_error(self.path, &e) {
                full @ WriteError::Full { .. } => Err(full),
                _ => {
                    if parent.link_exists(name) {
                        self.lib(parent.unlink(name))?;
                    }
                    self.left_out(&place, &source.library(&stored.object, &e).to_string());
                    Ok(false)
                }
            },
        }
    }

    fn numbers(&self, g: &Group, name: &str, shape: &[usize], values: &Values) -> Result<(), WriteError> {
        let storage = Storage::for_array(shape, values.dtype());
        let d = self.lib(create(g, name, values.dtype(), shape, &storage))?;
        self.encoding(&d, "array", "0.2.0")?;
        self.lib(write_rows(&d, 0, values))
    }

    fn strings(&self, g: &Group, name: &str, values: impl Texts) -> Result<(), WriteError> {
        let d = self.lib(write_strings(g, name, values))?;
        self.encoding(&d, "string-array", "0.2.0")
    }

    pub(super) fn frame(&self, parent: &Group, name: &str, frame: &Frame) -> Result<(), WriteError> {
        self.named_frame(parent, name, frame, &frame.index)
    }

    /// Writes a table whose rows are called `rows`.
    pub(super) fn named_frame(
        &self,
        parent: &Group,
        name: &str,
        frame: &Frame,
        rows: &Index,
    ) -> Result<(), WriteError> {
        let g = self.lib(new_group(parent, name))?;
        self.encoding(&g, "dataframe", "0.2.0")?;
        let index = match &frame.index {
            Index::Names { name, .. } => name.as_str(),
            Index::Range(_) => "_index",
        };
        self.lib(set_text(&g, "_index", index))?;
        self.strings(&g, index, rows.iter())?;
        let mut order = Vec::new();
        for (column, values) in &frame.columns {
            if self.column(&g, column, values)? {
                order.push(column.as_str());
            }
        }
        self.lib(set_texts(&g, "column-order", &order))
    }

    /// Writes a column; returns whether it was.
    pub(super) fn column(&self, g: &Group, name: &str, column: &Column) -> Result<bool, WriteError> {
        match column {
            Column::Numbers(v) => self.numbers(g, name, &[v.len()], v)?,
            Column::Strings(v) => self.strings(g, name, v.iter())?,
            Column::Nullable { values, missing } => {
                let encoding =
                    if values.dtype() == DType::Bool { "nullable-boolean" } else { "nullable-integer" };
                let g = self.lib(new_group(g, name))?;
                self.encoding(&g, encoding, "0.1.0")?;
                self.numbers(&g, "values", &[values.len()], values)?;
                self.numbers(&g, "mask", &[missing.len()], &Values::Bool(missing.clone()))?;
            }
            Column::NullableStrings(v) => self.nullable_strings(g, name, v)?,
            Column::Categorical(c) => self.categorical(g, name, c)?,
            Column::Opaque { encoding, stored, .. } => {
                return self.copy(g, name, encoding, stored.as_ref());
            }
        }
        Ok(true)
    }

    /// Text with missing entries: as such, as plain text when nothing is missing, or as categories.
    fn nullable_strings(&self, g: &Group, name: &str, v: &[Option<String>]) -> Result<(), WriteError> {
        if compat::text_may_miss(self.options.compat) {
            let g = self.lib(new_group(g, name))?;
            self.encoding(&g, "nullable-string-array", "0.1.0")?;
            self.lib(set_text(&g, "na-value", "NaN"))?;
            self.strings(&g, "values", v.iter().map(|s| s.as_deref().unwrap_or_default()))?;
            let mask = v.iter().map(Option::is_none).collect();
            return self.numbers(&g, "mask", &[v.len()], &Values::Bool(mask));
        }
        if v.iter().all(Option::is_some) {
            return self.strings(g, name, v.iter().map(|s| s.as_deref().unwrap_or_default()));
        }
        self.categorical(g, name, &categories_of(v))
    }

    fn categorical(&self, g: &Group, name: &str, c: &Categorical) -> Result<(), WriteError> {
        let g = self.lib(new_group(g, name))?;
        self.encoding(&g, "categorical", "0.2.0")?;
        self.lib(set_value(&g, "ordered", c.ordered))?;
        match &c.categories {
            Categories::Strings(v) => self.strings(&g, "categories", v.iter())?,
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

    /// Writes the arrays of one group. The rows of tables among them are called `rows`: anndata opens no file in which they
    /// have other names than the cells or variables they belong to.
    pub(super) fn annotations(
        &self,
        root: &Group,
        name: &str,
        all: &BTreeMap<String, Annotation>,
        rows: &Index,
    ) -> Result<(), WriteError> {
        let g = self.dict(root, name)?;
        for (key, value) in all {
            match value {
                Annotation::Matrix(m) => matrix_out::write(m, &g, key, self.options, self.path)?,
                Annotation::Frame(f) => self.named_frame(&g, key, f, rows)?,
                Annotation::Opaque { encoding, stored } => {
                    self.copy(&g, key, encoding, stored.as_ref())?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn uns(
        &self,
        parent: &Group,
        name: &str,
        map: &BTreeMap<String, Uns>,
    ) -> Result<(), WriteError> {
        let g = self.dict(parent, name)?;
        for (key, value) in map {
            self.value(&g, key, value)?;
        }
        Ok(())
    }

    pub(super) fn value(&self, g: &Group, key: &str, value: &Uns) -> Result<(), WriteError> {
        match value {
            Uns::Map(inner) => self.uns(g, key, inner)?,
            Uns::String(s) => {
                let d = self.lib(write_string(g, key, s))?;
                self.encoding(&d, "string", "0.2.0")?;
            }
            Uns::Strings(v) => self.strings(g, key, v.iter())?,
            Uns::StringArray { shape, values } => self.text_array(g, key, shape, values)?,
            Uns::Number(v) => {
                let d = self.lib(create(g, key, v.dtype(), &[], &Storage::default()))?;
                self.encoding(&d, "numeric-scalar", "0.2.0")?;
                self.lib(write_rows(&d, 0, v))?;
            }
            Uns::Array { shape, values } => self.numbers(g, key, shape, values)?,
            Uns::Column(c) => {
                self.column(g, key, c)?;
            }
            Uns::Matrix(m) => matrix_out::write(m, g, key, self.options, self.path)?,
            Uns::Frame(f) => self.frame(g, key, f)?,
            Uns::Records { stored: stored @ Some(_), .. } => {
                self.copy(g, key, "rec-array", stored.as_ref())?;
            }
            Uns::Records { fields, stored: None } => {
                let rows = fields.first().map_or(0, |(_, c)| c.len());
                self.frame(g, key, &Frame { index: Index::Range(rows), columns: fields.clone() })?;
            }
            Uns::Null => self.null(g, key)?,
            Uns::Opaque { encoding, stored } => {
                self.copy(g, key, encoding, stored.as_ref())?;
            }
        }
        Ok(())
    }

    fn text_array(&self, g: &Group, key: &str, shape: &[usize], v: &[String]) -> Result<(), WriteError> {
        use hdf5::types::VarLenUnicode;
        let text = v.iter().map(|s| s.parse().map_err(|_| hdf5::Error::from("a text with a zero byte")));
        let text = self.lib(text.collect::<hdf5::Result<Vec<VarLenUnicode>>>())?;
        let builder = g.new_dataset::<VarLenUnicode>().no_chunk().shape(shape.to_vec());
        let d = self.lib(builder.create(key))?;
        if !text.is_empty() {
            let view = ndarray::ArrayView::from_shape(ndarray::IxDyn(shape), &text);
            let view = view.map_err(|e| hdf5::Error::from(e.to_string()));
            self.lib(view.and_then(|view| d.write(view)))?;
        }
        self.encoding(&d, "string-array", "0.2.0")
    }

    /// Python's `None`: a dataset without elements.
    fn null(&self, g: &Group, key: &str) -> Result<(), WriteError> {
        let level = self.options.compat;
        if !compat::reads(level, "null") {
            let why = format!("anndata {} has no word for None", compat::name(level));
            self.left_out(&format!("{}/{key}", g.name()), &why);
            return Ok(());
        }
        let d = self.lib(g.new_dataset::<f32>().no_chunk().shape(Extents::Null).create(key))?;
        self.encoding(&d, "null", "0.1.0")
    }
}

/// Text as categories in order, −1 where it is missing.
fn categories_of(v: &[Option<String>]) -> Categorical {
    let mut all: Vec<&str> = v.iter().flatten().map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    let code: HashMap<&str, i32> = all.iter().zip(0..).map(|(s, i)| (*s, i)).collect();
    let codes = v.iter().map(|s| s.as_deref().and_then(|s| code.get(s)).copied().unwrap_or(-1)).collect();
    let categories = Categories::Strings(all.into_iter().map(str::to_owned).collect());
    Categorical { codes, categories, ordered: false }
}
