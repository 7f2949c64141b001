//! Files in and out. Knows data, never a tensor. Adding a format = one folder and one row of [`CODECS`].

mod atomic;
mod check;
mod detect;
mod error;
pub mod fcs;
pub mod h5ad;
mod hdf5;
mod limits;
mod options;
mod outline;

use std::path::Path;

use crate::data::{Dataset, Patch};

pub use atomic::replace;
pub use check::{Finding, Level, Report, check};
pub use detect::{Fit, Probe, detect};
pub use error::{ReadError, WriteError};
pub use limits::ReadLimits;
pub use options::{
    Compat, Compression, DEFAULT_MEMORY, FcsOffsets, FcsVersion, ReadOptions, Table, WriteOptions,
};
pub use outline::{Item, Outline, Storage, outline};

/// A file format scx reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// AnnData in HDF5.
    H5ad,
    /// Flow Cytometry Standard.
    Fcs,
}

impl Format {
    /// The name people use.
    pub fn name(self) -> &'static str {
        match self {
            Format::H5ad => "h5ad",
            Format::Fcs => "FCS",
        }
    }
}

/// Tells what is in a file of one format.
pub type OutlineFn = fn(&Path, &ReadOptions) -> Result<Outline, ReadError>;

/// Looks for faults in a file of one format.
pub type CheckFn = fn(&Path, &ReadOptions, &mut Report) -> Result<(), ReadError>;

/// One row of the table of formats.
pub struct Codec {
    /// Which format.
    pub format: Format,
    /// Usual file extensions, without the dot, lower case; they only break ties.
    pub extensions: &'static [&'static str],
    /// How sure the content makes us.
    pub probe: fn(&Probe) -> Fit,
    /// Reads a file; large matrices may be left on disk.
    pub read: fn(&Path, &ReadOptions) -> Result<Dataset, ReadError>,
    /// Tells what is in a file without reading its arrays; `None` where reading leaves them on disk anyway.
    pub outline: Option<OutlineFn>,
    /// Looks for faults, element by element; `None`: what reading finds is all there is to find. An error means that the
    /// file could not even be opened.
    pub check: Option<CheckFn>,
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
        probe: h5ad::probe,
        read: h5ad::read,
        outline: Some(h5ad::outline),
        check: Some(h5ad::check),
        write: h5ad::write,
        annotate: Some(h5ad::annotate),
    },
    Codec {
        format: Format::Fcs,
        extensions: &["fcs", "lmd"],
        probe: fcs::probe,
        read: fcs::read,
        outline: None,
        check: None,
        write: fcs::write,
        annotate: Some(fcs::annotate),
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

/// Whether a file is read by the HDF5 library, which damaged bytes can crash or keep busy for ever: whoever looks into files
/// of unknown origin may want a process of their own for it.
pub fn is_hdf5(path: &Path) -> bool {
    // Opening a pipe may wait forever.
    std::fs::metadata(path).is_ok_and(|m| m.is_file()) && hdf5::has_magic(path)
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
