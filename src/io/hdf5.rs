//! Small helpers over the HDF5 library. Knows no cell biology.

mod array;
mod array_out;
mod cell;
mod codec;
mod copy;
mod direct;
mod glance;
mod judge;
mod kind;
mod links;
mod matrix;
mod matrix_out;
mod meter;
mod names;
mod numbers;
mod open;
mod raw;
mod sparse;
mod store;
mod stranger;
mod tiles;
mod walk;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdf5_metno as hdf5;

use hdf5::types::{TypeDescriptor as TD, VarLenAscii, VarLenUnicode};
use hdf5::{Container, Dataset, File, Group, IndexType, IterationOrder, Location, LocationType};

use super::error::ReadError;
use super::limits::ReadLimits;
use super::options::ReadOptions;
use crate::data::{DType, Values};
use cell::Which;
use numbers::{from_bytes, read_numbers};

pub(super) use array::Array;
pub(super) use glance::storage;
pub(super) use judge::{judge_compressed, judge_dense};
pub(super) use kind::Kind;
pub(super) use matrix::{Compressed, Parts, Stored, Three, open_compressed, open_dense, whole as whole_size};
pub(super) use matrix_out::{write_compressed, write_dense};
pub(super) use meter::Meter;
pub(super) use open::open_shared;
pub(super) use raw::has_attr;
pub(super) use sparse::{by_row, whole, wide_enough};
pub(super) use store::{
    Storage, Texts, create, new_group, set_shape, set_text, set_texts, set_value, write_error, write_file,
    write_fixed_strings, write_rows, write_string, write_strings,
};
pub(super) use tiles::{Band, Tile, TilesOut};

/// First bytes of every HDF5 file, at 0 or behind a user block.
const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// A claim of more than this needs stored bytes that could hold it.
pub(super) const UNBACKED: u64 = 64 << 20;

/// No filter of ours inflates better than this.
pub(super) const BEST_RATIO: u64 = 1 << 17;

/// To be called first in a program: keeps a failed write from crashing the process at its end.
pub fn prepare() {
    raw::leave_files_at_exit();
}

/// Whether a file is read by the HDF5 library, which damaged bytes can crash or keep busy for ever: whoever looks into files
/// of unknown origin may want a process of their own for it.
pub fn is_hdf5(path: &Path) -> bool {
    // Opening a pipe may wait forever.
    std::fs::metadata(path).is_ok_and(|m| m.is_file()) && has_magic(path)
}

/// Whether the file has the HDF5 magic at 0, 512, 1024, 2048, … (a user block may come first).
pub(super) fn has_magic(path: &Path) -> bool {
    use std::io::{Read, Seek, SeekFrom};
    let Ok(mut file) = std::fs::File::open(path) else { return false };
    let length = file.metadata().map_or(0, |m| m.len());
    let mut at = 0u64;
    while at.saturating_add(MAGIC.len() as u64) <= length {
        let mut found = [0; 8];
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut found));
        if read.is_ok() && found == MAGIC {
            return true;
        }
        at = if at == 0 { 512 } else { at.saturating_mul(2) };
    }
    false
}

/// A member of a group.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// A group.
    Group(Group),
    /// A dataset.
    Dataset(Dataset),
}

impl Node {
    /// What both kinds share: attributes and a name.
    pub(super) fn location(&self) -> &Location {
        match self {
            Node::Group(g) => g,
            Node::Dataset(d) => d,
        }
    }

    /// Its path inside the file.
    pub(super) fn name(&self) -> String {
        self.location().name()
    }
}

/// The file being read: names it in messages and keeps its limits.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The file.
    pub(super) path: PathBuf,
    /// How much one element may ask for.
    pub(super) limits: ReadLimits,
    /// Where what does not fit into memory goes.
    scratch: PathBuf,
}

impl Source {
    /// A file that is read with these options.
    pub(super) fn new(path: &Path, options: &ReadOptions) -> Self {
        Self { path: path.to_owned(), limits: options.limits, scratch: options.scratch_folder() }
    }

    /// A file that is read as usual.
    pub(super) fn plain(path: &Path) -> Self {
        Self::new(path, &ReadOptions::default())
    }

    /// Opens the file for reading.
    pub(super) fn open(&self) -> Result<Arc<File>, ReadError> {
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
    pub(super) fn malformed(&self, at: impl Into<String>, what: impl Into<String>) -> ReadError {
        ReadError::malformed(&self.path, at, what)
    }

    /// What the library said about an element.
    pub(super) fn library(&self, at: &str, e: &hdf5::Error) -> ReadError {
        self.malformed(at, format!("the HDF5 library cannot read it: {}", words(e)))
    }

    /// The member called `name`, or `None` when there is none.
    pub(super) fn node(&self, group: &Group, name: &str) -> Result<Option<Node>, ReadError> {
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
    pub(super) fn members(&self, group: &Group) -> Result<Vec<String>, ReadError> {
        let mut names = group.member_names().map_err(|e| self.library(&group.name(), &e))?;
        names.sort();
        Ok(names)
    }

    /// The dataset called `name`, which must be there.
    pub(super) fn dataset(&self, group: &Group, name: &str) -> Result<Dataset, ReadError> {
        match self.node(group, name)? {
            Some(Node::Dataset(d)) => Ok(d),
            Some(Node::Group(_)) => {
                Err(self.malformed(group.name(), format!("{name} is a group, expected a dataset")))
            }
            None => Err(self.malformed(group.name(), format!("the dataset {name} is missing"))),
        }
    }

    /// What a dataset or attribute holds.
    pub(super) fn kind(&self, c: &Container) -> Kind {
        match c.dtype().and_then(|t| t.to_descriptor()) {
            Ok(ty) => Kind::of(&ty),
            Err(e) => Kind::Other(words(&e)),
        }
    }

    /// Checks that every filter of a dataset can be undone here.
    pub(super) fn check_filters(&self, d: &Dataset) -> Result<(), ReadError> {
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
    pub(super) fn count(&self, d: &Dataset, size: usize) -> Result<usize, ReadError> {
        let count = elements(&extent(d));
        self.fits(d, count, size)
    }

    /// Checks that `count` elements of a dataset may be read into memory.
    pub(super) fn fits(&self, d: &Dataset, count: u64, size: usize) -> Result<usize, ReadError> {
        self.backed(&d.name(), count, size, || d.storage_size())
    }

    /// As [`Source::fits`] for the element `at` with `stored` bytes in the file.
    fn backed(
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
    pub(super) fn numbers(&self, d: &Dataset, dtype: DType) -> Result<Values, ReadError> {
        self.check_filters(d)?;
        self.count(d, dtype.size())?;
        read_numbers(d, dtype, None).map_err(|e| self.library(&d.name(), &e))
    }

    /// Reads rows `rows` of a dataset of numbers, row-major.
    pub(super) fn number_rows(
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
    pub(super) fn strings(&self, d: &Dataset, ty: &TD) -> Result<Vec<String>, ReadError> {
        self.check_filters(d)?;
        self.count(d, ty.size())?;
        let raw = read_text(d, None, ty).map_err(|e| self.library(&d.name(), &e))?;
        Ok(self.utf8(&d.name(), raw))
    }

    /// Reads one field of a dataset of records as numbers, with the length of its array (1 for a plain number).
    pub(super) fn field_numbers(
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
    pub(super) fn field_strings(&self, d: &Dataset, field: &str, ty: &TD) -> Result<Vec<String>, ReadError> {
        self.check_filters(d)?;
        self.count(d, ty.size().saturating_mul(8).max(16))?;
        let at = format!("{}/{field}", d.name());
        let raw = read_text(d, Some(field), ty).map_err(|e| self.library(&at, &e))?;
        Ok(self.utf8(&at, raw))
    }

    /// The bytes of each text of a dataset or attribute whose size has been checked, without the zeros behind.
    pub(super) fn raw_text(&self, c: &Container, at: &str, ty: &TD) -> Result<Vec<Vec<u8>>, ReadError> {
        read_text(c, None, ty).map_err(|e| self.library(at, &e))
    }

    /// The numbers of a dataset or attribute whose size has been checked.
    pub(super) fn container_numbers(
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

    fn warn_broken(&self, at: &str, broken: usize) {
        if broken > 0 {
            tracing::warn!(
                "{}: {at}: {broken} texts are not UTF-8; the bytes in question are shown as \u{fffd}",
                self.path.display()
            );
        }
    }

    /// The texts of an attribute; `None` when it is not there or is no text.
    pub(super) fn attr_strings(&self, at: &Location, name: &str) -> Result<Option<Vec<String>>, ReadError> {
        let Some(attr) = self.attr(at, name)? else { return Ok(None) };
        let Kind::Text(ty) = self.kind(&attr) else { return Ok(None) };
        let place = format!("{}@{name}", at.name());
        self.limits.check(&self.path, &place, elements(&attr.shape()), ty.size().max(16))?;
        let raw = read_text(&attr, None, &ty).map_err(|e| self.library(&place, &e))?;
        Ok(Some(self.utf8(&place, raw)))
    }

    /// A text attribute.
    pub(super) fn attr_string(&self, at: &Location, name: &str) -> Result<Option<String>, ReadError> {
        Ok(self.attr_strings(at, name)?.and_then(|v| v.into_iter().next()))
    }

    /// The numbers of an attribute; `None` when it is not there or holds no numbers.
    pub(super) fn attr_numbers(&self, at: &Location, name: &str) -> Result<Option<Values>, ReadError> {
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
    pub(super) fn attr_names(&self, at: &Location) -> Result<Vec<String>, ReadError> {
        let fail = |e: hdf5::Error| self.library(&at.name(), &e);
        let n = at.loc_info().map_err(fail)?.num_attrs as u64;
        (0..n)
            .map(|i| {
                Ok(at.attr_by_index(IndexType::Name, IterationOrder::Increasing, i).map_err(fail)?.name())
            })
            .collect()
    }
}

/// Whether a dataset or attribute has a null data space: no entries, and a shape like that of a single value.
pub(super) fn is_null(c: &Container) -> bool {
    c.space().and_then(|s| s.extents()).is_ok_and(|e| e.is_null())
}

/// Length along each axis; a null data space is a list of no entries.
pub(super) fn extent(c: &Container) -> Vec<usize> {
    if is_null(c) { vec![0] } else { c.shape() }
}

/// Number of entries, none in a null data space.
pub(super) fn length(c: &Container) -> usize {
    if is_null(c) { 0 } else { c.size() }
}

/// Product of the axis lengths, `u64::MAX` on overflow.
pub(super) fn elements(shape: &[usize]) -> u64 {
    shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64)).unwrap_or(u64::MAX)
}

/// The innermost message of an HDF5 error, which is the cause.
pub(super) fn words(e: &hdf5::Error) -> String {
    let frames =
        e.stack().map(|s| s.iter().map(|f| f.desc().to_owned()).collect::<Vec<_>>()).unwrap_or_default();
    match (frames.first(), frames.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}: {last}"),
        (Some(only), _) => only.clone(),
        _ => e.to_string(),
    }
}

/// What people call a registered HDF5 filter.
fn filter_name(id: i32) -> &'static str {
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

/// A text of fixed length without the zeros behind it.
fn unpadded(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    bytes.get(..end).unwrap_or(bytes)
}

/// Reads text as bytes. The `as_str` of the crate's own types trusts the file to be UTF-8, so it is not used.
fn read_text(c: &Container, field: Option<&str>, ty: &TD) -> hdf5::Result<Vec<Vec<u8>>> {
    match (ty, field) {
        _ if is_null(c) => Ok(Vec::new()),
        (TD::VarLenAscii, None) => {
            Ok(c.read_raw::<VarLenAscii>()?.iter().map(|s| s.as_bytes().to_vec()).collect())
        }
        (TD::VarLenUnicode, None) => {
            Ok(c.read_raw::<VarLenUnicode>()?.iter().map(|s| s.as_bytes().to_vec()).collect())
        }
        (TD::VarLenAscii, Some(name)) => cell::field(name, || {
            Ok(c.read_raw::<cell::Field<VarLenAscii>>()?.iter().map(|s| s.0.as_bytes().to_vec()).collect())
        }),
        (TD::VarLenUnicode, Some(name)) => cell::field(name, || {
            Ok(c.read_raw::<cell::Field<VarLenUnicode>>()?.iter().map(|s| s.0.as_bytes().to_vec()).collect())
        }),
        (ty, field) => {
            let mut out = Vec::new();
            let which = Which { field, rows: None };
            cell::read_plain(&which, ty, c, &mut |bytes| out.push(unpadded(bytes).to_vec()))?;
            Ok(out)
        }
    }
}
