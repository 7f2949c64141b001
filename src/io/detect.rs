//! Which format a file is, by its content; the extension only breaks ties.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::codec::{Codec, Fit, Probe};
use super::error::ReadError;
use super::foreign;
use super::formats::CODECS;
use super::options::ReadOptions;
use super::outline::{Outline, remarks};
use crate::data::Dataset;

/// First bytes every codec may look at.
const HEAD: u64 = 4096;

/// Reads any file scx knows, told apart by content.
///
/// # Errors
/// [`ReadError`] with the file and the place.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let codec = detect(path)?;
    (codec.read)(path, options)
}

/// Looks into a file of any format, without reading arrays where the format allows.
///
/// # Errors
/// [`ReadError`] with the file and the place.
pub fn outline(path: &Path, options: &ReadOptions) -> Result<(&'static str, Outline), ReadError> {
    let codec = detect(path)?;
    let found = match codec.outline {
        Some(outline) => outline(path, options)?,
        None => {
            let d = (codec.read)(path, options)?;
            Outline { remarks: remarks(&d), ..Outline::of(&d).with_variables(&d) }
        }
    };
    Ok((codec.format.name(), found))
}

/// Finds the codec of a file or folder by its content.
///
/// # Errors
/// [`ReadError::Io`] when the file cannot be read, [`ReadError::NotRecognised`] when it is of no known format.
pub fn detect(path: &Path) -> Result<&'static Codec, ReadError> {
    let mut head = Vec::new();
    let unknown = |what: &str| ReadError::NotRecognised { path: path.to_owned(), what: what.to_owned() };
    let meta = std::fs::metadata(path).map_err(|e| match foreign::source(path) {
        Some(what) => unknown(&what),
        None => not_there(path, e),
    })?;
    if meta.is_dir() {
        let probe = Probe { path, head: &[] };
        let fitting = CODECS.iter().find(|c| c.folder && (c.probe)(&probe) > Fit::No);
        return fitting.ok_or_else(|| unknown(&foreign::folder(path)));
    }
    // A pipe has no end to look at, and opening one may wait forever.
    if !meta.is_file() {
        return Err(unknown("it is a pipe or a device; give a file"));
    }
    File::open(path).and_then(|f| f.take(HEAD).read_to_end(&mut head)).map_err(|e| ReadError::io(path, e))?;
    if head.is_empty() {
        return Err(unknown(
            "it is empty (0 bytes): a copy or download was not finished; get the file again",
        ));
    }
    let probe = Probe { path, head: &head };
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let by_name = |c: &Codec| c.extensions.contains(&extension.as_str());
    let best = CODECS
        .iter()
        .map(|c| ((c.probe)(&probe), by_name(c), c))
        .filter(|(fit, ..)| *fit > Fit::No)
        .max_by_key(|(fit, named, _)| (*fit, *named));
    match best {
        Some((fit, named, codec)) => {
            // Of HDF5 that merely could be this format, reading says what it is.
            let told = fit == Fit::Sure || !super::is_hdf5(path);
            if told && !named && CODECS.iter().any(by_name) {
                tracing::warn!(
                    "{}: the name ends in .{extension} but the content is {}; read as {}",
                    path.display(),
                    codec.format.name(),
                    codec.format.name()
                );
            }
            Ok(codec)
        }
        None => Err(unknown(&foreign::file(path, &head).unwrap_or_else(|| {
            "it starts neither like FCS (`FCS3.0`) nor like HDF5 nor like a Matrix Market file".into()
        }))),
    }
}

/// A file that is not there, with what may have been meant.
fn not_there(path: &Path, e: std::io::Error) -> ReadError {
    match foreign::missing(path) {
        Some(hint) if e.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("No such file or directory; {hint}");
            ReadError::io(path, std::io::Error::new(e.kind(), what))
        }
        _ => ReadError::io(path, e),
    }
}
