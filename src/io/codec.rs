//! What is known of a format: the fields of one row of the table of formats.

use std::path::Path;

use super::additions::Additions;
use super::check::CheckReport;
use super::error::{ReadError, WriteError};
use super::loss::{ElementKind, Entry, Fate, Part};
use super::options::{FormatOption, ReadOptions, WriteOptions};
use super::outline::Outline;
use crate::data::{DType, Dataset};

/// A file format scx reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// AnnData in HDF5.
    H5ad,
    /// Flow Cytometry Standard.
    Fcs,
    /// Linnarsson lab's loom.
    Loom,
    /// 10x Genomics, HDF5.
    TenxH5,
    /// 10x Genomics, a folder around a Matrix Market file.
    TenxMtx,
    /// Text with separators: a table or a matrix.
    Csv,
    /// Apache Parquet: a table.
    Parquet,
}

/// How sure a codec is that a file is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Not this format.
    No,
    /// Could be.
    Possible,
    /// Certainly.
    Sure,
}

/// What codecs look at.
#[derive(Debug)]
pub struct Probe<'a> {
    /// The file or folder.
    pub path: &'a Path,
    /// Its first bytes, up to 4,096; none of a folder.
    pub head: &'a [u8],
}

/// Names the files that are written where a target of this name is a folder; `None`: it is a single file.
pub type FilesFn = fn(&Path) -> Option<&'static [&'static str]>;

/// Tells what is in a file of one format.
pub type OutlineFn = fn(&Path, &ReadOptions) -> Result<Outline, ReadError>;

/// Looks for faults in a file of one format.
pub type CheckFn = fn(&Path, &ReadOptions, &mut CheckReport) -> Result<(), ReadError>;

/// What becomes of one element of a data set, where it is more than its kind that counts.
pub type OwnFateFn = fn(&Dataset, &Part, &WriteOptions) -> Option<Fate>;

/// Refuses what one format cannot hold.
pub type HoldsFn = fn(&Dataset, &Path, &WriteOptions) -> Result<(), WriteError>;

/// Writes a file again with additions.
pub type AnnotateFn = fn(&Dataset, &Additions, &Path) -> Result<(), WriteError>;

/// Puts the records of earlier runs, and that of this one, where the writer of one format looks for them.
pub type RecordsFn = fn(&mut Dataset, Option<&str>);

/// One row of the table of formats.
pub struct Codec {
    /// Which format.
    pub format: Format,
    /// The name people use.
    pub name: &'static str,
    /// The name used in options.
    pub option: &'static str,
    /// What it is, for the help of options.
    pub about: &'static str,
    /// Usual file extensions, without the dot, lower case; they only break ties.
    pub extensions: &'static [&'static str],
    /// Whether a file of it may be written packed whole, its name with `.gz` behind the extension.
    pub packed: bool,
    /// Whether a file of it that is packed whole is read.
    pub unpacked: bool,
    /// Whether several files of it may be read and written at a time: the HDF5 library works on one.
    pub concurrent: bool,
    /// Whether it is read from a folder of files: such codecs are asked about folders, too.
    pub folder: bool,
    /// The files it writes into a folder.
    pub files: FilesFn,
    /// The options that mean something for it, of reading and of writing.
    pub options: &'static [&'static FormatOption],
    /// What becomes of each kind of element.
    pub losses: fn(ElementKind) -> Entry,
    /// What becomes of an element where that depends on the rest of the data set, or on what was asked for; `None`: as
    /// [`Codec::losses`] says.
    pub own_fate: OwnFateFn,
    /// Bytes a matrix of this element type takes in a file, uncompressed: at most, where only the values would tell.
    pub stored_bytes: fn(&Part, DType) -> u64,
    /// Whether arrays of cells and of variables may be sparse in it.
    pub sparse_arrays: bool,
    /// Whether there is no file without X.
    pub needs_x: bool,
    /// Whether variables are the channels of a panel: files of different panels are joined only when asked how, since a
    /// missing channel is a missing measurement.
    pub panels: bool,
    /// Whether it has a place of its own for FCS keywords.
    pub keywords: bool,
    /// How the records of runs get into a new file; `None`: there is no place for them.
    pub keep_records: Option<RecordsFn>,
    /// Uncompressed bytes a second that are read on two cores, measured with the scripts in `benches/`.
    pub read_rate: f64,
    /// Uncompressed bytes a second that are written.
    pub write_rate: f64,
    /// Whether files of it are read, not only written.
    pub reads: bool,
    /// How sure the content makes us.
    pub probe: fn(&Probe) -> Fit,
    /// Reads a file; large matrices may be left on disk.
    pub read: fn(&Path, &ReadOptions) -> Result<Dataset, ReadError>,
    /// Tells what is in a file without reading its arrays; `None` where reading leaves them on disk anyway.
    pub outline: Option<OutlineFn>,
    /// Looks for faults, element by element; `None`: what reading finds is all there is to find. An error means that the
    /// file could not even be opened.
    pub check: Option<CheckFn>,
    /// Refuses what the format cannot hold, without writing anything: what [`Codec::write`] would find out before its
    /// first byte.
    pub holds: HoldsFn,
    /// Writes a data set as a new file at `path` (a temporary file, or an empty temporary folder; see [`super::save`] and
    /// [`folder_of`]).
    pub write: fn(&Dataset, &Path, &WriteOptions) -> Result<(), WriteError>,
    /// Writes the file `dataset` was read from again at `path` (a temporary file; see [`super::annotate`]), with additions
    /// and everything else as it was; `None` where a format has no place for additions.
    pub annotate: Option<AnnotateFn>,
    /// Whether the file a data set was read from takes columns of cells and other elements as additions.
    pub takes_elements: fn(&Dataset) -> bool,
}

impl Codec {
    /// What the documentation says of a kind of element.
    pub fn entry(&self, kind: ElementKind) -> Entry {
        match (self.losses)(kind) {
            Entry::AsOthers => (self.losses)(kind.usual()),
            entry => entry,
        }
    }

    /// Whether an option means something for this format.
    pub fn uses(&self, option: &FormatOption) -> bool {
        self.options.contains(&option)
    }
}
