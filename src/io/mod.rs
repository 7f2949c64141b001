//! Files in and out. Knows data, never a tensor. Adding a format = one folder and one row of [`CODECS`].

mod atomic;
mod detect;
mod error;
pub mod fcs;
pub mod h5ad;
mod hdf5;
mod limits;
pub mod loss;
mod options;
pub mod table;

use std::path::Path;

use crate::data::{Dataset, Patch};

pub use atomic::replace;
pub use detect::{Fit, Probe, detect};
pub use error::{ReadError, WriteError};
pub use limits::ReadLimits;
pub use options::{
    Compat, Compression, DEFAULT_MEMORY, FcsOffsets, FcsVersion, ReadOptions, Table, WriteOptions,
};

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

impl Format {
    /// The name people use.
    pub fn name(self) -> &'static str {
        match self {
            Format::H5ad => "h5ad",
            Format::Fcs => "FCS",
            Format::Loom => "loom",
            Format::TenxH5 => "10x-h5",
            Format::TenxMtx => "10x-mtx",
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }
}

impl Format {
    /// The format of a target by its extension; a name without one is a folder, and `None` leaves the choice to the caller.
    pub fn for_target(path: &Path) -> Option<Format> {
        let extension = path.extension()?.to_string_lossy().to_lowercase();
        // Only text is packed whole.
        let packed = extension == "gz";
        let extension = match packed {
            true => path.with_extension("").extension()?.to_string_lossy().to_lowercase(),
            false => extension,
        };
        let fits =
            |c: &&Codec| c.extensions.contains(&extension.as_str()) && (!packed || c.format == Format::Csv);
        CODECS.iter().find(fits).map(|c| c.format)
    }
}

/// One row of the table of formats.
pub struct Codec {
    /// Which format.
    pub format: Format,
    /// Usual file extensions, without the dot, lower case; they only break ties.
    pub extensions: &'static [&'static str],
    /// Whether it is a folder with several files.
    pub folder: bool,
    /// How sure the content makes us.
    pub probe: fn(&Probe) -> Fit,
    /// Reads a file; large matrices may be left on disk.
    pub read: fn(&Path, &ReadOptions) -> Result<Dataset, ReadError>,
    /// Writes a data set as a new file at `path` (a temporary file; see [`save`]).
    pub write: fn(&Dataset, &Path, &WriteOptions) -> Result<(), WriteError>,
    /// Writes the file `dataset` was read from again at `path` (a temporary file; see [`annotate`]), with additions and
    /// everything else as it was; `None` where a format has no place for additions.
    pub annotate: Option<fn(&Dataset, &Additions, &Path) -> Result<(), WriteError>>,
}

/// All formats. Detection, messages and tests read this one list.
pub static CODECS: &[Codec] = &[
    Codec {
        format: Format::H5ad,
        extensions: &["h5ad"],
        folder: false,
        probe: h5ad::probe,
        read: h5ad::read,
        write: h5ad::write,
        annotate: Some(h5ad::annotate),
    },
    Codec {
        format: Format::Fcs,
        extensions: &["fcs", "lmd"],
        folder: false,
        probe: fcs::probe,
        read: fcs::read,
        write: fcs::write,
        annotate: Some(fcs::annotate),
    },
    Codec {
        format: Format::Csv,
        extensions: &["csv", "tsv", "tab"],
        folder: false,
        probe: table::probe,
        read: table::read,
        write: table::write,
        annotate: None,
    },
    Codec {
        format: Format::Parquet,
        extensions: &["parquet"],
        folder: false,
        probe: table::parquet::probe,
        read: table::parquet::read,
        write: table::parquet::write,
        annotate: None,
    },
];

/// What a run of scx adds to a file.
#[derive(Debug, Clone)]
pub struct Additions {
    /// Name of the new layer, where the format has layers.
    pub layer: String,
    /// The matrix the patch belongs to: X (`None`) or a layer.
    pub base: Option<String>,
    /// New values on the scale of that matrix.
    pub patch: Patch,
    /// Put the result into X instead of a new layer, where the format has layers.
    pub into_x: bool,
    /// One JSON text: the provenance record of this run.
    pub record: String,
}

/// Reads any file scx knows, told apart by content.
///
/// # Errors
/// [`ReadError`] with the file and the place.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let codec = detect(path)?;
    (codec.read)(path, options)
}

/// The codec of a format.
pub fn codec(format: Format) -> &'static Codec {
    // Every format has its row: checked by a test.
    CODECS.iter().find(|c| c.format == format).unwrap_or(&CODECS[0])
}

/// Writes a data set as a new file, whole or not at all.
///
/// # Errors
/// [`WriteError`]; the target is then as it was before.
pub fn save(
    dataset: &Dataset,
    format: Format,
    path: &Path,
    force: bool,
    options: &WriteOptions,
) -> Result<(), WriteError> {
    let codec = codec(format);
    replace(path, force, |tmp| (codec.write)(dataset, tmp, options))
}

/// Writes the file `dataset` was read from again as `path`, with additions, whole or not at all.
///
/// # Errors
/// [`WriteError`]; the target is then as it was before.
pub fn annotate(
    dataset: &Dataset,
    format: Format,
    additions: &Additions,
    path: &Path,
    force: bool,
) -> Result<(), WriteError> {
    let Some(annotate) = codec(format).annotate else {
        let what = format!("{} has no place for a result beside X; write h5ad instead", format.name());
        return Err(WriteError::CannotHold { path: path.to_owned(), what });
    };
    replace(path, force, |tmp| annotate(dataset, additions, tmp))
}
