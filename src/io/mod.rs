//! Files in and out. Knows data, never a tensor. Adding a format = one folder and one row of [`CODECS`].

mod atomic;
mod check;
mod detect;
mod error;
mod estimate;
pub mod fcs;
pub mod h5ad;
mod hdf5;
mod limits;
pub mod loom;
pub mod loss;
mod options;
mod outline;
mod output;
mod positioned;
mod spill;
pub mod table;
mod tenx;
pub mod tenx_h5;
pub mod tenx_mtx;

use std::path::Path;

use crate::data::{Column, Dataset, Matrix, Patch, Uns};

use atomic::known_as;
pub use atomic::{replace, replace_folder};
pub use check::{Finding, Level, Report, check};
pub use detect::{Fit, Probe, detect};
pub use error::{ReadError, WriteError};
pub use estimate::Estimate;
pub use limits::ReadLimits;
pub use options::{
    Compat, Compression, DEFAULT_MEMORY, FcsOffsets, FcsVersion, ReadOptions, Table, Tables, WriteOptions,
};
pub use outline::{Item, Outline, Storage, outline};
pub use output::{Mark, Output, Plan, Target, commit_all, or_table};
pub use positioned::read_exact_at;

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
    /// Whether it holds further matrices beside X.
    pub fn has_layers(self) -> bool {
        matches!(self, Format::H5ad | Format::Loom)
    }

    /// Whether it has columns of cells.
    pub fn has_columns(self) -> bool {
        matches!(self, Format::H5ad | Format::Loom | Format::Csv | Format::Parquet)
    }

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
/// Tells what is in a file of one format.
pub type OutlineFn = fn(&Path, &ReadOptions) -> Result<Outline, ReadError>;

/// Looks for faults in a file of one format.
pub type CheckFn = fn(&Path, &ReadOptions, &mut Report) -> Result<(), ReadError>;

/// Refuses what one format cannot hold.
pub type HoldsFn = fn(&Dataset, &Path, &WriteOptions) -> Result<(), WriteError>;

/// Writes a file again with additions.
pub type AnnotateFn = fn(&Dataset, &Additions, &Path) -> Result<(), WriteError>;

/// One row of the table of formats.
pub struct Codec {
    /// Which format.
    pub format: Format,
    /// Usual file extensions, without the dot, lower case; they only break ties.
    pub extensions: &'static [&'static str],
    /// Whether it is read from a folder of files: such codecs are asked about folders, too. What is written into a folder
    /// says [`folder_of`].
    pub folder: bool,
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
    /// Writes a data set as a new file at `path` (a temporary file, or an empty temporary folder; see [`save`] and
    /// [`folder_of`]).
    pub write: fn(&Dataset, &Path, &WriteOptions) -> Result<(), WriteError>,
    /// Writes the file `dataset` was read from again at `path` (a temporary file; see [`annotate`]), with additions and
    /// everything else as it was; `None` where a format has no place for additions.
    pub annotate: Option<AnnotateFn>,
}

/// All formats. Detection, messages and tests read this one list.
pub static CODECS: &[Codec] = &[
    Codec {
        format: Format::H5ad,
        extensions: &["h5ad"],
        folder: false,
        probe: h5ad::probe,
        read: h5ad::read,
        outline: Some(h5ad::outline),
        check: Some(h5ad::check),
        holds: |_, _, _| Ok(()),
        write: h5ad::write,
        annotate: Some(h5ad::annotate),
    },
    Codec {
        format: Format::Fcs,
        extensions: &["fcs", "lmd"],
        folder: false,
        probe: fcs::probe,
        read: fcs::read,
        outline: None,
        check: Some(fcs::check),
        holds: fcs::holds,
        write: fcs::write,
        annotate: Some(fcs::annotate),
    },
    Codec {
        format: Format::TenxH5,
        extensions: &["h5", "hdf5"],
        folder: false,
        probe: tenx_h5::probe,
        read: tenx_h5::read,
        outline: Some(tenx_h5::outline),
        check: Some(tenx_h5::check),
        holds: tenx::holds,
        write: tenx_h5::write,
        annotate: None,
    },
    Codec {
        format: Format::TenxMtx,
        extensions: &["mtx"],
        folder: true,
        probe: tenx_mtx::probe,
        read: tenx_mtx::read,
        outline: Some(tenx_mtx::outline),
        check: Some(tenx_mtx::check),
        holds: tenx::holds,
        write: tenx_mtx::write,
        annotate: None,
    },
    Codec {
        format: Format::Loom,
        extensions: &["loom"],
        folder: false,
        probe: loom::probe,
        read: loom::read,
        outline: Some(loom::outline),
        check: Some(loom::check),
        holds: loom::holds,
        write: loom::write,
        annotate: None,
    },
    Codec {
        format: Format::Csv,
        extensions: &["csv", "tsv", "tab"],
        folder: false,
        probe: table::probe,
        read: table::read,
        outline: None,
        check: None,
        holds: table::holds,
        write: table::write,
        annotate: None,
    },
    Codec {
        format: Format::Parquet,
        extensions: &["parquet"],
        folder: false,
        probe: table::parquet::probe,
        read: table::parquet::read,
        outline: None,
        check: None,
        holds: table::holds,
        write: table::parquet::write,
        annotate: None,
    },
];

/// What a run of scx adds to a file. An element that is there already is replaced: whoever asks decides about that.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// New values for X or a layer.
    pub result: Option<NewValues>,
    /// Columns of the table of cells, where the format has one.
    pub obs: Vec<(String, Column)>,
    /// Matrices with a row for each cell.
    pub obsm: Vec<(String, Matrix)>,
    /// Matrices of cells × cells.
    pub obsp: Vec<(String, Matrix)>,
    /// Unstructured entries.
    pub uns: Vec<(String, Uns)>,
    /// One JSON text: the provenance record of this run; empty for none.
    pub record: String,
}

impl Additions {
    /// Whether there is something that belongs beside the matrices: columns of cells, arrays, unstructured entries.
    pub fn has_elements(&self) -> bool {
        !(self.obs.is_empty() && self.obsm.is_empty() && self.obsp.is_empty() && self.uns.is_empty())
    }
}

/// New values for some cells and variables of a matrix.
#[derive(Debug, Clone)]
pub struct NewValues {
    /// Name of the new layer, where the format has layers.
    pub layer: String,
    /// The matrix the patch belongs to: X (`None`) or a layer.
    pub base: Option<String>,
    /// New values on the scale of that matrix.
    pub patch: Patch,
    /// Put the result into X instead of a new layer, where the format has layers.
    pub into_x: bool,
}

/// To be called first in a program: keeps a failed write from crashing the process at its end.
pub fn prepare() {
    hdf5::leave_files_at_exit();
}

/// Whether a file is read by the HDF5 library, which damaged bytes can crash or keep busy for ever: whoever looks into files
/// of unknown origin may want a process of their own for it.
pub fn is_hdf5(path: &Path) -> bool {
    // Opening a pipe may wait forever.
    std::fs::metadata(path).is_ok_and(|m| m.is_file()) && hdf5::has_magic(path)
}

/// Reads back what was just written without a word: warnings were said of the data already, and they would name a
/// temporary file.
fn silently<T>(read: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), read)
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

/// Puts FCS keywords where a format that has none of its own keeps them: in `uns["fcs"]`, where [`fcs::write`] looks for
/// them on the way back.
pub fn keep_keywords(dataset: &mut Dataset, to: Format) {
    if to != Format::Fcs && to != Format::Loom && !dataset.source.keywords.is_empty() {
        let kept = fcs::keywords_to_uns(&dataset.source.keywords, &dataset.source.dialect);
        dataset.uns.entry("fcs".into()).or_insert(kept);
    }
}

/// Writes a data set as a new file (a new folder for formats that are folders), whole or not at all.
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
    let write = |tmp: &Path| (codec(format).write)(dataset, tmp, options);
    match folder_of(format, path) {
        Some(files) => replace_folder(path, force, files, write),
        None => replace(path, force, write),
    }
}

/// The names of the files scx writes where a target of this format and name is a folder; `None` when it is a single file.
/// Tables go into a folder when their target has no extension, or is a folder already.
pub fn folder_of(format: Format, path: &Path) -> Option<&'static [&'static str]> {
    match format {
        Format::Csv | Format::Parquet if path.extension().is_none() || path.is_dir() => Some(table::FILES),
        Format::TenxMtx => Some(tenx_mtx::FILES),
        _ => None,
    }
}

/// X, which the target cannot do without.
///
/// # Errors
/// [`WriteError::CannotHold`] that names what could take its place.
pub(crate) fn need_x<'a>(dataset: &'a Dataset, path: &Path) -> Result<&'a Matrix, WriteError> {
    dataset.x.as_ref().ok_or_else(|| {
        let mut other: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
        other.extend(dataset.raw.as_ref().map(|_| "raw"));
        let what = if other.is_empty() {
            "there is no X and nothing to take its place; h5ad holds a file without".to_owned()
        } else {
            format!("there is no X; choose what takes its place with --x (there are: {})", other.join(", "))
        };
        WriteError::CannotHold { path: path.to_owned(), what }
    })
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
