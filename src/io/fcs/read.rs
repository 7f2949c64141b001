//! An FCS file as a data set.

use std::path::Path;
use std::sync::Arc;

use super::source::Events;
use super::store::Store;
use super::{chain, header, var};
use crate::data::{DataError, Dataset, Frame, Index, Matrix, RowSource};
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::foreign::inflated;
use crate::io::options::ReadOptions;
use crate::io::table::is_gzip;

/// Whether the first bytes are those of an FCS file, packed with gzip or not; a file cut off within the magic counts as
/// possible.
pub fn probe(probe: &Probe) -> Fit {
    if is_gzip(probe.head) {
        return if header::has_magic(&inflated(probe.head)) { Fit::Sure } else { Fit::No };
    }
    match probe.head {
        [] => Fit::No,
        head if header::has_magic(head) => Fit::Sure,
        head if head.len() < 6 && (head.starts_with(b"FCS") || b"FCS".starts_with(head)) => Fit::Possible,
        _ => Fit::No,
    }
}

/// Reads an FCS file: events as a dense X left on disk, in the stored type; channels as `var` (`$PnN` as index, `$PnS` as
/// `marker`, `$PnN` as stored as `channel`, and `pnr`, `pne`, `png`); all keywords in `source.keywords`.
///
/// Integers become the smallest unsigned type that holds every channel, channels of several types the smallest float
/// that holds all of them.
///
/// # Errors
/// [`ReadError`] with the keyword or the bytes where it shows.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let store = Store::open(path, options)?;
    let mut parts = chain::open(path, &store, options)?;
    let var = var::var(path, &parts.layout.channels);
    let keywords = std::mem::take(&mut parts.keywords);
    let version = parts.header.version;
    let left = std::mem::take(&mut parts.left);
    let events = Events::new(path.to_owned(), parts, options.limits)?;
    let mut dataset = Dataset::new(Frame::new(Index::Range(events.shape().0)), var);
    dataset.x = Some(Matrix::OnDisk(Arc::new(events)));
    dataset.changes = left;
    dataset.source.path = path.to_owned();
    dataset.source.dialect = version.name().to_owned();
    dataset.source.keywords = keywords.into_pairs();
    dataset.check().map_err(|e: DataError| ReadError::malformed(path, "DATA", e.to_string()))?;
    Ok(dataset)
}
