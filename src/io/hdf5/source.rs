//! The file being read: its members, numbers, texts and attributes, within limits.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdf5::types::TypeDescriptor as TD;
use hdf5::{Container, Dataset, File, Group, IndexType, IterationOrder, Location, LocationType};
use hdf5_metno as hdf5;

use super::cell::Which;
use super::kind::Kind;
use super::numbers::{from_bytes, read_numbers};
use super::open::open_shared;
use super::raw::has_attr;
use super::{cell, elements, extent, has_magic, is_null, read_text, words};
use crate::data::{DType, Values};
use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;
use crate::io::options::ReadOptions;

/// A claim of more than this needs stored bytes that could hold it.
pub(in crate::io) const UNBACKED: u64 = 64 << 20;

/// No filter of ours inflates better than this.
pub(in crate::io) const BEST_RATIO: u64 = 1 << 17;

/// A member of a group.
#[derive(Debug, Clone)]
pub(in crate::io) enum Node {
    /// A group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
}

impl Node {
    /// What both kinds share: attributes and a name.
    pub(in crate::io) fn location(&self) -> &Location {
        match self {
            Node::Group(g) => g,
            Node::Dataset(d) => d,
        }
    }

    /// Its path inside the file.
    pub(in crate::io) fn name(&self) -> String {
        self.location().name()
    }
}

/// The file being read: names it in messages and keeps its limits.
#[derive(Debug, Clone)]
pub(in crate::io) struct Source {
    /// The file.
    pub(in crate::io) path: PathBuf,
    /// How much one element may ask for.
    pub(in crate::io) limits: ReadLimits,
    /// Where what does not fit into memory goes.
    pub(super) scratch: PathBuf,
}

impl Source {
    /// A file that is read with these options.
    pub(in crate::io) fn new(path: &Path, options: &ReadOptions) -> Self {
        Self { path: path.to_owned(), limits: options.limits, scratch: options.scratch_folder() }
    }

    /// A file that is read as usual.
    pub(in crate::io) fn plain(path: &Path) -> Self {
        Self::new(path, &ReadOptions::default())
    }

    /// Opens the file for reading.
    pub(in crate::io) fn open(&self) -> Result<Arc<File>, ReadError> {
        // The system's own words for a missing or forbidden file are clearer than the library's.
        std::fs::File::open(&self.path).map_err(|e| ReadError::io(&self.path, e))?;
        if !has_magic(&self.path) {
            return Err(ReadError::NotRecognised {
                path: self.path.clone(),
                what: "it is not an HDF5 file (no HDF5 signature)".into(),
            });
        }
        open_shared(&self.path).map_err(|e| {
            let why = words(&e);
            let advice = match why.contains("unable to lock file") {
                true => "another program has it open for writing: close it there, and try again",
                false => "it may be cut short or damaged: copy or download it again",
            };
            let what = format!("the HDF5 library cannot open it ({why}); {advice}");
            ReadError::malformed(&self.path, "HDF5", what)
        })
    }

    /// A broken rule at an element.
    pub(in crate::io) fn malformed(&self, at: impl Into<String>, what: impl Into<String>) -> ReadError {
        ReadError::malformed(&self.path, at, what)
    }

    /// What the library said about an element.
    pub(in crate::io) fn library(&self, at: &str, e: &hdf5::Error) -> ReadError {
        self.malformed(at, format!("the HDF5 library cannot read it: {}", words(e)))
    }

    /// The member called `name`, or `None` when there is none.
    pub(in crate::io) fn node(&self, group: &Group, name: &str) -> Result<Option<Node>, ReadError> {
        if !group.link_exists(name) {
            return Ok(None);
        }
        let at = || format!("{}/{name}", group.name().trim_end_matches('/'));
        let fail = |e: hdf5::Error| self.unopened(group, name, &e);
        match group.loc_type_by_name(name).map_err(fail)? {
            LocationType::Group => Ok(Some(Node::Group(group.group(name).map_err(fail)?))),
            LocationType::Dataset => Ok(Some(Node::Dataset(group.dataset(name).map_err(fail)?))),
            _ => Err(self.malformed(at(), "is neither a group nor a dataset")),
        }
    }

    /// The names of all members, sorted.
    pub(in crate::io) fn members(&self, group: &Group) -> Result<Vec<String>, ReadError> {
        let mut names = group.member_names().map_err(|e| self.library(&group.name(), &e))?;
        names.sort();
        Ok(names)
    }

    /// The dataset called `name`, which must be there.
    pub(in crate::io) fn dataset(&self, group: &Group, name: &str) -> Result<Dataset, ReadError> {
        match self.node(group, name)? {
            Some(Node::Dataset(d)) => Ok(d),
            Some(Node::Group(_)) => {
                Err(self.malformed(group.name(), format!("{name} is a group, expected a dataset")))
            }
            None => Err(self.malformed(group.name(), format!("the dataset {name} is missing"))),
        }
    }

    /// What a dataset or attribute holds.
    pub(in crate::io) fn kind(&self, c: &Container) -> Kind {
        match c.dtype().and_then(|t| t.to_descriptor()) {
            Ok(ty) => Kind::of(&ty),
            Err(e) => Kind::Other(words(&e)),
        }
    }

    /// Checks that every filter of a dataset can be undone here.
    pub(in crate::io) fn check_filters(&self, d: &Dataset) -> Result<(), ReadError> {
        let at = d.name();
        let filters = match d.dcpl().and_then(|p| p.get_filters()) {
            Ok(filters) => filters,
            Err(e) => {
                let what = format!("{at}: a compression filter scx does not know ({})", words(&e));
                return Err(ReadError::unsupported(&self.path, what));
            }
        };
        match filters.iter().find(|f| !f.is_available()) {
            None => Ok(()),
            Some(f) => {
                let what = format!(
                    "{at} is compressed with HDF5 filter {} ({}); write the file again with gzip compression",
                    f.id(),
                    filter_name(f.id())
                );
                Err(ReadError::unsupported(&self.path, what))
            }
        }
    }

    /// Number of elements of a dataset, checked against the limits and against the bytes that are really stored.
    pub(in crate::io) fn count(&self, d: &Dataset, size: usize) -> Result<usize, ReadError> {
        let count = elements(&extent(d));
        self.fits(d, count, size)
    }

    /// Checks that `count` elements of a dataset may be read into memory.
    pub(in crate::io) fn fits(&self, d: &Dataset, count: u64, size: usize) -> Result<usize, ReadError> {
        self.backed(&d.name(), count, size, || d.storage_size())
    }

    /// As [`Source::fits`] for the element `at` with `stored` bytes in the file.
    pub(in crate::io) fn backed(
        &self,
        at: &str,
        count: u64,
        size: usize,
        stored: impl Fn() -> u64,
    ) -> Result<usize, ReadError> {
        let n = self.limits.check(&self.path, at, count, size)?;
        let asked = count.saturating_mul(size as u64);
        if asked > UNBACKED && asked > stored().saturating_mul(BEST_RATIO) {
            let what = format!("claims {asked} bytes but only {} are stored", stored());
            return Err(self.malformed(at, what));
        }
        Ok(n)
    }

    /// Reads a whole dataset of numbers.
    pub(in crate::io) fn numbers(&self, d: &Dataset, dtype: DType) -> Result<Values, ReadError> {
        self.check_filters(d)?;
        self.count(d, dtype.size())?;
        read_numbers(d, dtype, None).map_err(|e| self.library(&d.name(), &e))
    }

    /// Reads rows `rows` of a dataset of numbers, row-major.
    pub(in crate::io) fn number_rows(
        &self,
        d: &Dataset,
        dtype: DType,
        rows: Range<usize>,
    ) -> Result<Values, ReadError> {
        let per_row = elements(extent(d).get(1..).unwrap_or(&[]));
        self.fits(d, per_row.saturating_mul(rows.len() as u64), dtype.size())?;
        read_numbers(d, dtype, Some(rows)).map_err(|e| self.library(&d.name(), &e))
    }

    /// Reads a whole dataset of text.
    pub(in crate::io) fn strings(&self, d: &Dataset, ty: &TD) -> Result<Vec<String>, ReadError> {
        self.check_filters(d)?;
        self.count(d, ty.size())?;
        let raw = read_text(d, None, ty).map_err(|e| self.library(&d.name(), &e))?;
        Ok(self.utf8(&d.name(), raw))
    }

    /// Reads one field of a dataset of records as numbers, with the length of its array (1 for a plain number).
    pub(in crate::io) fn field_numbers(
        &self,
        d: &Dataset,
        field: &str,
        ty: &TD,
    ) -> Result<Option<(Values, usize)>, ReadError> {
        self.check_filters(d)?;
        let (inner, n) = match ty {
            TD::FixedArray(inner, n) => (inner.as_ref(), *n),
            ty => (ty, 1),
        };
        let Kind::Number(dtype) = Kind::of(inner) else { return Ok(None) };
        self.count(d, ty.size().saturating_mul(2).max(16))?;
        // A boolean is read as its byte, and so is what R calls a logical.
        let inner = &match inner {
            TD::Boolean => TD::Integer(hdf5::types::IntSize::U1),
            TD::Enum(e) if e.signed => TD::Integer(e.size),
            TD::Enum(e) => TD::Unsigned(e.size),
            inner => inner.clone(),
        };
        let ty = if n == 1 && !matches!(ty, TD::FixedArray(..)) {
            inner.clone()
        } else {
            TD::FixedArray(Box::new(inner.clone()), n)
        };
        if is_null(d) {
            return Ok(Some((Values::empty(dtype), n)));
        }
        let mut bytes = Vec::new();
        let which = Which { field: Some(field), rows: None };
        cell::read_plain(&which, &ty, d, &mut |b| bytes.extend_from_slice(b))
            .map_err(|e| self.library(&format!("{}/{field}", d.name()), &e))?;
        Ok(Some((from_bytes(dtype, &bytes), n)))
    }

    /// Reads one field of a dataset of records as text.
    pub(in crate::io) fn field_strings(
        &self,
        d: &Dataset,
        field: &str,
        ty: &TD,
    ) -> Result<Vec<String>, ReadError> {
        self.check_filters(d)?;
        self.count(d, ty.size().saturating_mul(8).max(16))?;
        let at = format!("{}/{field}", d.name());
        let raw = read_text(d, Some(field), ty).map_err(|e| self.library(&at, &e))?;
        Ok(self.utf8(&at, raw))
    }

    /// The bytes of each text of a dataset or attribute whose size has been checked, without the zeros behind.
    pub(in crate::io) fn raw_text(
        &self,
        c: &Container,
        at: &str,
        ty: &TD,
    ) -> Result<Vec<Vec<u8>>, ReadError> {
        read_text(c, None, ty).map_err(|e| self.library(at, &e))
    }

    /// The numbers of a dataset or attribute whose size has been checked.
    pub(in crate::io) fn container_numbers(
        &self,
        c: &Container,
        at: &str,
        dtype: DType,
    ) -> Result<Values, ReadError> {
        read_numbers(c, dtype, None).map_err(|e| self.library(at, &e))
    }

    /// Text must be UTF-8; what is not is replaced by `�`, with one warning for the element.
    fn utf8(&self, at: &str, raw: Vec<Vec<u8>>) -> Vec<String> {
        let mut broken = 0usize;
        let text = raw
            .into_iter()
            .map(|bytes| {
                String::from_utf8(bytes).unwrap_or_else(|e| {
                    broken += 1;
                    String::from_utf8_lossy(e.as_bytes()).into_owned()
                })
            })
            .collect();
        self.warn_broken(at, broken);
        text
    }

    pub(in crate::io) fn warn_broken(&self, at: &str, broken: usize) {
        if broken > 0 {
            tracing::warn!(
                "{}: {at}: {broken} texts are not UTF-8; the bytes in question are shown as \u{fffd}",
                self.path.display()
            );
        }
    }

    /// The texts of an attribute; `None` when it is not there or is no text.
    pub(in crate::io) fn attr_strings(
        &self,
        at: &Location,
        name: &str,
    ) -> Result<Option<Vec<String>>, ReadError> {
        let Some(attr) = self.attr(at, name)? else { return Ok(None) };
        let Kind::Text(ty) = self.kind(&attr) else { return Ok(None) };
        let place = format!("{}@{name}", at.name());
        self.limits.check(&self.path, &place, elements(&attr.shape()), ty.size().max(16))?;
        let raw = read_text(&attr, None, &ty).map_err(|e| self.library(&place, &e))?;
        Ok(Some(self.utf8(&place, raw)))
    }

    /// A text attribute.
    pub(in crate::io) fn attr_string(&self, at: &Location, name: &str) -> Result<Option<String>, ReadError> {
        Ok(self.attr_strings(at, name)?.and_then(|v| v.into_iter().next()))
    }

    /// The numbers of an attribute; `None` when it is not there or holds no numbers.
    pub(in crate::io) fn attr_numbers(&self, at: &Location, name: &str) -> Result<Option<Values>, ReadError> {
        let Some(attr) = self.attr(at, name)? else { return Ok(None) };
        let Kind::Number(dtype) = self.kind(&attr) else { return Ok(None) };
        let place = format!("{}@{name}", at.name());
        self.limits.check(&self.path, &place, elements(&attr.shape()), dtype.size())?;
        read_numbers(&attr, dtype, None).map(Some).map_err(|e| self.library(&place, &e))
    }

    fn attr(&self, at: &Location, name: &str) -> Result<Option<hdf5::Attribute>, ReadError> {
        let fail = |e: hdf5::Error| self.library(&format!("{}@{name}", at.name()), &e);
        if !has_attr(at, name).map_err(fail)? {
            return Ok(None);
        }
        at.attr(name).map(Some).map_err(fail)
    }

    /// Names of all attributes, in order. They are opened one by one: see [`raw::has_attr`].
    pub(in crate::io) fn attr_names(&self, at: &Location) -> Result<Vec<String>, ReadError> {
        let fail = |e: hdf5::Error| self.library(&at.name(), &e);
        let n = at.loc_info().map_err(fail)?.num_attrs as u64;
        (0..n)
            .map(|i| {
                Ok(at.attr_by_index(IndexType::Name, IterationOrder::Increasing, i).map_err(fail)?.name())
            })
            .collect()
    }
}

/// What people call a registered HDF5 filter.
pub(in crate::io) fn filter_name(id: i32) -> &'static str {
    match id {
        4 => "szip",
        307 => "bzip2",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32026 => "blosc2",
        _ => "not known to scx",
    }
}
