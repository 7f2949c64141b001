//! Flow Cytometry Standard files: versions 2.0 to 3.2, list mode, every data type.
//!
//! Values are the stored ones: integers masked to `$PnR` as the standard asks, but no `$PnE` amplification, no `$PnG`
//! gain, no compensation, no clipping at `$PnR`. What turns them into linear values is in `var` ([`amplifiers`]) and in
//! the keywords ([`spillover`]). Histograms are refused.

mod ascii;
mod chain;
mod channel;
mod check;
mod codec;
mod compose;
mod decode;
mod encode;
mod header;
mod kept;
mod layout;
mod losses;
mod offsets;
mod order;
mod range;
mod renumber;
mod rows;
mod source;
mod spillover;
mod split;
mod storage;
mod text;
mod var;
mod write;

use std::path::Path;
use std::sync::Arc;

use self::source::Events;
use super::codec::{Fit, Probe};
use super::error::ReadError;
use super::options::ReadOptions;
use crate::data::{DataError, Dataset, Frame, Index, Matrix, RowSource};

pub use crate::data::amplifiers;
pub use check::check;
pub(super) use codec::CODEC;
pub use codec::{DATA_SET, OFFSETS, VERSION};
pub use kept::{keywords_from_uns, keywords_to_uns};
pub use spillover::spillover;
use write::keep_records;
pub(super) use write::of_channels;
pub use write::{add_record, annotate, holds, write};

/// Whether the first bytes are those of an FCS file; a file cut off within the magic counts as possible.
pub fn probe(probe: &Probe) -> Fit {
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
    let mut parts = chain::open(path, options)?;
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
