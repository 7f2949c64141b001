//! Flow Cytometry Standard files: versions 2.0 to 3.2, list mode, integers and floats.
//!
//! Values are the stored ones: integers masked to `$PnR` as the standard asks, but no `$PnE` amplification, no `$PnG`
//! gain, no clipping at `$PnR`. ASCII data, histograms, several data sets in a file, integers packed across bytes
//! and mixed data types are refused as unsupported.

mod data;
mod header;
mod keywords;
mod layout;
mod text;
mod write;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use self::header::{HEADER_LEN, Header, Offsets};
use self::layout::{Channel, Layout};
use self::text::Keywords;
use super::{Fit, Probe, ReadError, ReadLimits, ReadOptions};
use crate::data::{Column, DataError, Dataset, Dense, Frame, Index, Matrix};

pub use write::{annotate, write};

/// Whether the first bytes are those of an FCS file; a file cut off within the magic counts as possible.
pub fn probe(probe: &Probe) -> Fit {
    match probe.head {
        [] => Fit::No,
        head if header::has_magic(head) => Fit::Sure,
        head if head.len() < 6 && (head.starts_with(b"FCS") || b"FCS".starts_with(head)) => Fit::Possible,
        _ => Fit::No,
    }
}

/// Reads an FCS file: events as a dense X in the stored type, channels as `var` (`$PnN` as index, `$PnS` as `marker`,
/// `$PnN` as stored as `channel`), all keywords in `source.keywords`.
///
/// # Errors
/// [`ReadError`] with the keyword or the bytes where it shows.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Dataset, ReadError> {
    let limits = &options.limits;
    let Parts { file, header, keywords, layout, .. } = parts(path, limits)?;
    let values = data::read(path, &file, &layout, limits)?;
    let inner = |e: DataError| ReadError::malformed(path, "DATA", e.to_string());
    let n_events = usize::try_from(layout.n_events)
        .map_err(|_| ReadError::malformed(path, "$TOT", "more events than this machine can count"))?;
    let x = Dense::new(n_events, layout.channels.len(), values).map_err(inner)?;
    let mut dataset = Dataset::new(Frame::new(Index::Range(n_events)), var(path, &layout.channels));
    dataset.x = Some(Matrix::Dense(x));
    dataset.source.path = path.to_owned();
    dataset.source.dialect = header.version.name().to_owned();
    dataset.source.keywords = keywords.into_pairs();
    dataset.check().map_err(inner)?;
    Ok(dataset)
}

/// An open file with everything known about it but its events.
struct Parts {
    file: File,
    header: Header,
    keywords: Keywords,
    layout: Layout,
    file_len: u64,
}

/// Reads HEADER and TEXT and checks that DATA is as long as they say.
fn parts(path: &Path, limits: &ReadLimits) -> Result<Parts, ReadError> {
    let io = |e| ReadError::io(path, e);
    let mut file = File::open(path).map_err(io)?;
    let file_len = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    file.by_ref().take(HEADER_LEN).read_to_end(&mut head).map_err(io)?;
    let header = Header::parse(path, &head)?;
    let text = segment(path, &mut file, "TEXT", header.text, file_len, limits)?;
    let mut keywords = Keywords::parse(path, &text, limits)?;
    if let Some(place) = supplemental(path, &header, &keywords)? {
        let text = segment(path, &mut file, "supplemental TEXT", place, file_len, limits)?;
        keywords.supplement(path, &text, limits)?;
    }
    refuse_chained(path, &mut file, &keywords, file_len)?;
    let layout = Layout::new(path, &header, &keywords, file_len)?;
    if header.analysis.begin != 0 && header.analysis.end > header.analysis.begin {
        tracing::warn!(
            "{}: the ANALYSIS segment (bytes {} to {}) is neither read nor written again",
            path.display(),
            header.analysis.begin,
            header.analysis.end
        );
    }
    Ok(Parts { file, header, keywords, layout, file_len })
}

/// The bytes of a segment, once it is known to lie inside the file.
fn segment(
    path: &Path,
    file: &mut File,
    name: &str,
    place: Offsets,
    file_len: u64,
    limits: &ReadLimits,
) -> Result<Vec<u8>, ReadError> {
    let Some(len) = place.len() else {
        let what = format!("is said to end (byte {}) before it begins (byte {})", place.end, place.begin);
        return Err(ReadError::malformed(path, name, what));
    };
    if place.end >= file_len {
        let promised = place.end.saturating_add(1);
        return Err(ReadError::malformed(
            path,
            name,
            format!("truncated: header promises {promised} bytes, file has {file_len}; get a complete copy"),
        ));
    }
    let len = limits.check(path, name, len, 1)?;
    let mut bytes = vec![0; len];
    file.seek(SeekFrom::Start(place.begin))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|e| ReadError::io(path, e))?;
    Ok(bytes)
}

/// Where the supplemental TEXT lies, when there is one.
fn supplemental(path: &Path, header: &Header, keywords: &Keywords) -> Result<Option<Offsets>, ReadError> {
    let begin = keywords.integer(path, "$BEGINSTEXT")?.unwrap_or(0);
    let end = keywords.integer(path, "$ENDSTEXT")?.unwrap_or(0);
    // Some writers repeat the place of the primary TEXT here.
    let there = begin != 0 && end > begin && begin != header.text.begin;
    Ok(there.then_some(Offsets { begin, end }))
}

/// Refuses a file with a further data set behind the first one.
fn refuse_chained(path: &Path, file: &mut File, keywords: &Keywords, file_len: u64) -> Result<(), ReadError> {
    let next = keywords.integer(path, "$NEXTDATA")?.unwrap_or(0);
    if next == 0 {
        return Ok(());
    }
    let mut magic = [0; 6];
    let there = next < file_len
        && match file.seek(SeekFrom::Start(next)).and_then(|_| file.read_exact(&mut magic)) {
            Ok(()) => header::has_magic(&magic),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(e) => return Err(ReadError::io(path, e)),
        };
    if there {
        return Err(ReadError::unsupported(
            path,
            format!("several data sets in one file (the next at byte {next}); split it into one file each"),
        ));
    }
    tracing::warn!("{}: $NEXTDATA {next} points to no further data set; it is ignored", path.display());
    Ok(())
}

/// The table of channels.
fn var(path: &Path, channels: &[Channel]) -> Frame {
    let names = unique(path, channels);
    Frame::new(Index::names(names))
        .with("marker", Column::Strings(channels.iter().map(|c| c.stain.clone()).collect()))
        .with("channel", Column::Strings(channels.iter().map(|c| c.name.clone()).collect()))
}

/// `$PnN` made unique: a repeated name gets `-1`, `-2`, …; a missing one becomes `P1`, `P2`, ….
fn unique(path: &Path, channels: &[Channel]) -> Vec<String> {
    let stored: HashSet<&str> = channels.iter().map(|c| c.name.as_str()).collect();
    let mut taken = HashSet::new();
    let mut count = std::collections::HashMap::<&str, usize>::new();
    let mut changed = Vec::new();
    let names = channels
        .iter()
        .enumerate()
        .map(|(i, channel)| {
            let missing = channel.name.trim().is_empty();
            let base = if missing { format!("P{}", i + 1) } else { channel.name.clone() };
            let mut name = base.clone();
            let n = count.entry(channel.name.as_str()).or_insert(0);
            // A made name must not be one that is stored, nor one made before.
            while taken.contains(&name) || (name != channel.name && stored.contains(name.as_str())) {
                *n += 1;
                name = format!("{base}-{n}");
            }
            if name != channel.name {
                changed.push(format!("$P{}N `{}` → `{name}`", i + 1, channel.name));
            }
            taken.insert(name.clone());
            name
        })
        .collect();
    if !changed.is_empty() {
        tracing::warn!(
            "{}: channel names missing or not unique, renamed: {}",
            path.display(),
            changed.join(", ")
        );
    }
    names
}
