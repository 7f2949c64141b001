//! Where DATA lies: HEADER and TEXT both say, and instruments get either wrong in known ways.

use std::cmp::Ordering;
use std::path::Path;

use super::header::{HEADER_LEN, Header, MAX_HEADER_OFFSET, Offsets, Version};
use super::packing::{Fit, Packing};
use super::text::Keywords;
use crate::io::error::ReadError;
use crate::io::options::FcsOffsets;

/// DATA, found and measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// First byte, counted from the HEADER.
    pub(super) begin: u64,
    /// Bytes, the wrongly counted ones left out.
    pub(super) len: u64,
    /// How values lie in it.
    pub(super) packing: Packing,
    /// Events in it, when known.
    pub(super) n_events: Option<u64>,
}

/// Tells whether `$TOT` events (or any whole number of them) take exactly so many bytes.
type Sizes<'a> = dyn Fn(Option<u64>, u64) -> Fit + 'a;

/// Finds DATA.
pub(super) fn place(
    path: &Path,
    header: &Header,
    keywords: &Keywords,
    choice: FcsOffsets,
    tot: Option<u64>,
    (file_len, sizes): (u64, &Sizes),
) -> Result<Segment, ReadError> {
    let head = header.data;
    let room = Room { path, text: header.text, file_len, tot, sizes };
    let stated = match choice {
        FcsOffsets::Header => head,
        FcsOffsets::Text => in_text(path, keywords)?,
        // FCS 2.0 knows no such keywords; what files write there is anything (`1280F`). They count only where the HEADER
        // cannot be right.
        FcsOffsets::Agree if header.version == Version::V2_0 && head.begin != 0 => {
            match in_text(path, keywords) {
                Ok(text)
                    if tot.is_some() && room.fit(head).is_none() && room.fit(text) == Some(Close::Exact) =>
                {
                    room.chosen("TEXT", head, text);
                    text
                }
                _ => head,
            }
        }
        FcsOffsets::Agree => agreed(&room, head, in_text(path, keywords)?)?,
    };
    check(path, stated, head)?;
    measure(path, stated, tot, sizes)
}

/// What the keywords say; 0 stands for "not given".
fn in_text(path: &Path, keywords: &Keywords) -> Result<Offsets, ReadError> {
    let one = |key: &str| Ok(keywords.integer(path, key)?.unwrap_or(0));
    Ok(Offsets { begin: one("$BEGINDATA")?, end: one("$ENDDATA")? })
}

/// How well whole events, `$TOT` of them, fill a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Close {
    /// But for one byte: the end is the first byte after DATA, as some instruments count.
    Nearly,
    /// Exactly.
    Exact,
}

/// What a place of DATA must agree with.
struct Room<'a> {
    path: &'a Path,
    text: Offsets,
    /// Bytes of the file from the HEADER of this data set on.
    file_len: u64,
    tot: Option<u64>,
    sizes: &'a Sizes<'a>,
}

impl Room<'_> {
    /// Whether DATA can lie there: behind the HEADER, inside the file, not in TEXT, and as long as its events take.
    fn fit(&self, place: Offsets) -> Option<Close> {
        let len = place.len().filter(|n| *n > 0)?;
        // TEXT may be said to end at the byte after it, too.
        let apart = place.begin >= self.text.end || place.end <= self.text.begin;
        let takes = |len: u64| {
            let found = (self.sizes)(self.tot, len).found;
            found.is_some_and(|(_, n)| n.is_none_or(|n| n > 0))
                && place.begin.saturating_add(len) <= self.file_len
        };
        if place.begin < HEADER_LEN || !apart {
            return None;
        }
        if takes(len) {
            return Some(Close::Exact);
        }
        takes(len - 1).then_some(Close::Nearly)
    }

    /// Says which of two places is taken.
    fn chosen(&self, place: &str, head: Offsets, text: Offsets) {
        let (does, key, one, other) = match head.begin == text.begin {
            true => ("ends", "$ENDDATA", head.end, text.end),
            false => ("begins", "$BEGINDATA", head.begin, text.begin),
        };
        tracing::warn!(
            "{}: HEADER says DATA {does} at byte {one} and {key} says {other}; {place} is used, since only that makes \
             whole events",
            self.path.display(),
        );
    }
}

/// The one place HEADER and TEXT agree on, or the one of them that fits.
fn agreed(room: &Room, head: Offsets, text: Offsets) -> Result<Offsets, ReadError> {
    if head == text || head == Offsets::default() {
        return Ok(text);
    }
    // HEADER and TEXT each may leave out either end.
    let one = |key: &str, head: u64, text: u64| {
        if text == 0 {
            tracing::warn!("{}: {key} is missing; {head} from the HEADER is used", room.path.display());
        }
        if text == 0 { head } else { text }
    };
    let differ = |a: u64, b: u64| a != 0 && b != 0 && a != b;
    if !differ(head.begin, text.begin) && !differ(head.end, text.end) {
        let begin = one("$BEGINDATA", head.begin, text.begin);
        return Ok(Offsets { begin, end: one("$ENDDATA", head.end, text.end) });
    }
    if text.begin.max(text.end) > MAX_HEADER_OFFSET && room.fit(text) == Some(Close::Exact) {
        tracing::warn!(
            "{}: DATA ends beyond byte {MAX_HEADER_OFFSET}, where the HEADER should hold zeros but says {} to {}; \
             $BEGINDATA and $ENDDATA are used",
            room.path.display(),
            head.begin,
            head.end
        );
        return Ok(text);
    }
    match room.fit(head).cmp(&room.fit(text)) {
        Ordering::Greater => {
            room.chosen("the HEADER", head, text);
            return Ok(head);
        }
        Ordering::Less => {
            room.chosen("TEXT", head, text);
            return Ok(text);
        }
        Ordering::Equal => {}
    }
    // Of a file cut short, neither place is whole: the one whose length is right tells how much is missing.
    let whole = Room { file_len: u64::MAX, ..*room };
    match (room.fit(head), whole.fit(head).cmp(&whole.fit(text))) {
        (None, Ordering::Greater) => return Ok(head),
        (None, Ordering::Less) => return Ok(text),
        _ => {}
    }
    let (key, head_says, text_says) = match head.begin == text.begin {
        true => ("$ENDDATA", head.end, text.end),
        false => ("$BEGINDATA", head.begin, text.begin),
    };
    let why = if room.fit(head).is_some() {
        "both places fit the events ($TOT)"
    } else {
        "neither place fits the events ($TOT) and the file"
    };
    Err(ReadError::malformed(
        room.path,
        "DATA",
        format!(
            "HEADER says {head_says} and {key} says {text_says}; {why}, so choose with `--fcs-offsets header` or \
             `--fcs-offsets text`, or export the file again"
        ),
    ))
}

/// Refuses a place DATA cannot be at.
fn check(path: &Path, stated: Offsets, head: Offsets) -> Result<(), ReadError> {
    if stated.begin < HEADER_LEN {
        let what = match head.begin.max(stated.begin) {
            0 => "neither the HEADER nor $BEGINDATA says where it begins".to_owned(),
            _ if stated.begin == 0 => {
                "the place chosen by `--fcs-offsets` does not say where it begins".to_owned()
            }
            _ => format!("is said to begin at byte {}, inside the HEADER", stated.begin),
        };
        return Err(ReadError::malformed(path, "DATA", what));
    }
    if stated.len().is_none_or(|n| n == 0) {
        let what = format!("is said to end (byte {}) before it begins (byte {})", stated.end, stated.begin);
        return Err(ReadError::malformed(path, "DATA", what));
    }
    Ok(())
}

/// Checks that whole events, `$TOT` of them, fill the segment; one byte too many is the end counted as the first byte
/// after it.
fn measure(path: &Path, stated: Offsets, tot: Option<u64>, sizes: &Sizes) -> Result<Segment, ReadError> {
    let begin = stated.begin;
    let len = stated.len().unwrap_or(0);
    let fit = sizes(tot, len);
    if let Some((packing, n_events)) = fit.found {
        return Ok(Segment { begin, len, packing, n_events });
    }
    if let Some((packing, n_events)) = sizes(tot, len - 1).found
        && n_events.is_some_and(|n| n > 0)
    {
        // Common in files of CyTOF, MACSQuant, Partec and Coulter machines.
        tracing::warn!(
            "{}: the DATA segment is said to be one byte longer than its {} events; the last byte is ignored",
            path.display(),
            n_events.unwrap_or(0)
        );
        return Ok(Segment { begin, len: len - 1, packing, n_events });
    }
    let asked = fit.asked.unwrap_or(0);
    let what = match tot {
        Some(n) => format!(
            "{n} events of {} bytes take {} bytes, but DATA is said to hold {len}; $TOT or the offsets are wrong, \
             export the file again",
            asked / u128::from(n.max(1)),
            u64::try_from(asked).map_or_else(|_| "more than 2^64".into(), |n| n.to_string()),
        ),
        None => format!("is missing, and the {len} bytes of DATA are no whole number of events"),
    };
    Err(ReadError::malformed(path, "$TOT", what))
}
