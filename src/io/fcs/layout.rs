//! What DATA looks like, worked out from HEADER and TEXT and checked against the length of the file.

use std::path::Path;

use super::header::{HEADER_LEN, Header, Offsets, Version};
use super::text::Keywords;
use crate::io::ReadError;

/// How the values of all channels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unsigned integers, each channel of its own width.
    Integer,
    /// IEEE single precision.
    Float,
    /// IEEE double precision.
    Double,
}

/// One parameter of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Channel {
    /// `$PnN`, as stored.
    pub(super) name: String,
    /// `$PnS`, as stored; empty when absent or blank.
    pub(super) stain: String,
    /// Bytes one value takes, from `$PnB`.
    pub(super) bytes: usize,
    /// Bits that count in an integer, from `$PnR`.
    pub(super) mask: u64,
}

/// The shape of DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// First byte of DATA in the file.
    pub(super) begin: u64,
    /// Number of events.
    pub(super) n_events: u64,
    /// Whether the most significant byte comes first.
    pub(super) big_endian: bool,
    /// Type of the values.
    pub(super) kind: Kind,
    /// Parameters, in order.
    pub(super) channels: Vec<Channel>,
}

impl Layout {
    /// Works out the layout and checks that the file is long enough for it.
    pub(super) fn new(
        path: &Path,
        header: &Header,
        keywords: &Keywords,
        file_len: u64,
    ) -> Result<Self, ReadError> {
        refuse_unsupported(path, header.version, keywords)?;
        let kind = kind(path, keywords)?;
        let big_endian = big_endian(path, keywords)?;
        let channels = channels(path, keywords, kind)?;
        let event_bytes = event_bytes(&channels);
        let place = data_offsets(path, header, keywords)?;
        let tot = keywords.integer(path, "$TOT")?;
        if tot.is_none() && header.version > Version::V2_0 {
            keywords.required(path, "$TOT")?;
        }
        let n_events = match tot {
            Some(0) => 0,
            _ => events(path, place, tot, event_bytes, header)?,
        };
        let layout = Self { begin: place.begin, n_events, big_endian, kind, channels };
        let promised = n_events.checked_mul(event_bytes).and_then(|n| n.checked_add(place.begin));
        match promised {
            _ if n_events == 0 => Ok(layout),
            Some(n) if n <= file_len => Ok(layout),
            _ => Err(ReadError::malformed(
                path,
                "DATA",
                format!(
                    "truncated: header promises {} bytes, file has {file_len}; get a complete copy",
                    promised.map_or_else(|| "more than 2^64".into(), |n| n.to_string())
                ),
            )),
        }
    }

    /// Bytes of one event.
    pub(super) fn event_bytes(&self) -> u64 {
        event_bytes(&self.channels)
    }
}

fn event_bytes(channels: &[Channel]) -> u64 {
    channels.iter().map(|c| c.bytes as u64).sum()
}

/// Refuses the kinds of file that keep the standard but are not read.
fn refuse_unsupported(path: &Path, version: Version, keywords: &Keywords) -> Result<(), ReadError> {
    const HINT: &str = "export it as list-mode FCS 3.1 with float data";
    match keywords.trimmed("$MODE") {
        None if version < Version::V3_2 => {
            tracing::warn!("{}: $MODE is missing; list mode is assumed", path.display());
        }
        Some(mode) if !mode.eq_ignore_ascii_case("L") => {
            return Err(ReadError::unsupported(
                path,
                format!("$MODE {mode} (histograms); only list mode L is read, {HINT}"),
            ));
        }
        _ => {}
    }
    if keywords.trimmed("$DATATYPE").is_some_and(|t| t.eq_ignore_ascii_case("A")) {
        return Err(ReadError::unsupported(path, format!("$DATATYPE A (numbers as ASCII text); {HINT}")));
    }
    Ok(())
}

fn kind(path: &Path, keywords: &Keywords) -> Result<Kind, ReadError> {
    let value = keywords.required(path, "$DATATYPE")?;
    match value.to_ascii_uppercase().as_str() {
        "I" => Ok(Kind::Integer),
        "F" => Ok(Kind::Float),
        "D" => Ok(Kind::Double),
        _ => Err(ReadError::malformed(
            path,
            "$DATATYPE",
            format!("`{value}` found where I, F or D was expected"),
        )),
    }
}

fn big_endian(path: &Path, keywords: &Keywords) -> Result<bool, ReadError> {
    let value = keywords.required(path, "$BYTEORD")?;
    let order: Vec<&str> = value.split(',').map(str::trim).collect();
    let count = |i: usize| (i + 1).to_string();
    // `1` alone is the order of single bytes: either will do.
    if order.len() <= 8 && order.iter().enumerate().all(|(i, o)| *o == count(i)) {
        Ok(false)
    } else if order.len() <= 8 && order.iter().rev().enumerate().all(|(i, o)| *o == count(i)) {
        Ok(true)
    } else {
        Err(ReadError::unsupported(
            path,
            format!("$BYTEORD {value}; 1,2,3,4 (little endian) and 4,3,2,1 (big endian) are read"),
        ))
    }
}

fn channels(path: &Path, keywords: &Keywords, kind: Kind) -> Result<Vec<Channel>, ReadError> {
    keywords.required(path, "$PAR")?;
    let par = keywords.integer(path, "$PAR")?.unwrap_or(0);
    if par == 0 {
        return Err(ReadError::malformed(path, "$PAR", "0 found where at least one channel was expected"));
    }
    let mut channels = Vec::new();
    // A false $PAR ends at the first channel without $PnB: nothing is allocated for it beforehand.
    for n in 1..=par {
        let bytes = width(path, keywords, kind, n)?;
        let own = format!("$P{n}DATATYPE");
        if let Some(t) = keywords.trimmed(&own)
            && keywords.trimmed("$DATATYPE").is_some_and(|all| !all.eq_ignore_ascii_case(t))
        {
            return Err(ReadError::unsupported(
                path,
                format!("{own} {t} differs from $DATATYPE (mixed data types)"),
            ));
        }
        let mask = match kind {
            Kind::Integer => mask(path, keywords, n, bytes)?,
            Kind::Float | Kind::Double => u64::MAX,
        };
        let name = keywords.get(&format!("$P{n}N")).unwrap_or_default().to_owned();
        let stain = keywords.get(&format!("$P{n}S")).filter(|s| !s.trim().is_empty());
        let stain = stain.unwrap_or_default().to_owned();
        channels.push(Channel { name, stain, bytes, mask });
    }
    Ok(channels)
}

/// Bytes of one value of channel `n`.
fn width(path: &Path, keywords: &Keywords, kind: Kind, n: u64) -> Result<usize, ReadError> {
    let key = format!("$P{n}B");
    keywords.required(path, &key)?;
    let bits = keywords.integer(path, &key)?.unwrap_or(0);
    match (kind, bits) {
        (Kind::Integer, 8 | 16 | 24 | 32 | 40 | 48 | 56 | 64) => Ok(bits as usize / 8),
        (Kind::Integer, 1..=63) => Err(ReadError::unsupported(
            path,
            format!(
                "{key} {bits}: integers of {bits} bits are packed across bytes; whole bytes (8 to 64) are read"
            ),
        )),
        (Kind::Float, 32) => Ok(4),
        (Kind::Double, 64) => Ok(8),
        (kind, _) => {
            let expected = match kind {
                Kind::Integer => "8, 16, 24, 32 or 64 for $DATATYPE I",
                Kind::Float => "32 for $DATATYPE F",
                Kind::Double => "64 for $DATATYPE D",
            };
            Err(ReadError::malformed(path, key, format!("{bits} bits found where {expected} was expected")))
        }
    }
}

/// The bits that count in an integer of channel `n`: instruments leave rubbish above `$PnR`, and the standard has
/// readers mask it off, at the next power of two.
fn mask(path: &Path, keywords: &Keywords, n: u64, bytes: usize) -> Result<u64, ReadError> {
    let key = format!("$P{n}R");
    let full = if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 };
    let value = keywords.required(path, &key)?;
    let range = match value.parse::<u64>() {
        Ok(r) => r,
        // 2^64 and more, or a number with a point: only its size counts.
        Err(_) => match value.parse::<f64>() {
            Ok(r) if r >= 0.0 => r.ceil() as u64,
            _ => {
                let what = format!("`{value}` found where the range of an integer channel was expected");
                return Err(ReadError::malformed(path, key, what));
            }
        },
    };
    if range == 0 {
        tracing::warn!("{}: {key} is 0; the values of this channel are not masked", path.display());
        return Ok(full);
    }
    Ok(range.checked_next_power_of_two().map_or(full, |p| (p - 1) & full))
}

/// Where DATA lies: HEADER and TEXT both say, and must agree.
fn data_offsets(path: &Path, header: &Header, keywords: &Keywords) -> Result<Offsets, ReadError> {
    let head = header.data;
    if header.version == Version::V2_0 && head.begin != 0 {
        // FCS 2.0 knows no such keywords; what files write there is anything (`1280F`).
        return Ok(head);
    }
    let one = |key: &str, head: u64| {
        let text = keywords.integer(path, key)?.unwrap_or(0);
        if head != 0 && text != 0 && head != text {
            return Err(ReadError::malformed(
                path,
                "DATA",
                format!(
                    "HEADER says {head} and {key} says {text}; they must agree, and which is right cannot be \
                     told: export the file again"
                ),
            ));
        }
        if head != 0 && text == 0 {
            tracing::warn!("{}: {key} is missing; {head} from the HEADER is used", path.display());
        }
        Ok(if text == 0 { head } else { text })
    };
    Ok(Offsets { begin: one("$BEGINDATA", head.begin)?, end: one("$ENDDATA", head.end)? })
}

/// Number of events, from `$TOT` and the length of DATA.
fn events(
    path: &Path,
    place: Offsets,
    tot: Option<u64>,
    event_bytes: u64,
    header: &Header,
) -> Result<u64, ReadError> {
    if place.begin < HEADER_LEN {
        return Err(ReadError::malformed(
            path,
            "DATA",
            match header.data.begin {
                0 => "neither the HEADER nor $BEGINDATA says where it begins".to_owned(),
                n => format!("is said to begin at byte {n}, inside the HEADER"),
            },
        ));
    }
    let Some(len) = place.len().filter(|n| *n > 0) else {
        let what = format!("is said to end (byte {}) before it begins (byte {})", place.end, place.begin);
        return Err(ReadError::malformed(path, "DATA", what));
    };
    let n = tot.unwrap_or(len / event_bytes);
    let expected = n.checked_mul(event_bytes);
    if expected == Some(len) {
        return Ok(n);
    }
    if expected.and_then(|e| e.checked_add(1)) == Some(len) {
        // Common in files of CyTOF and MACSQuant machines: the end counted as the first byte after.
        tracing::warn!(
            "{}: the DATA segment is said to be one byte longer than its {n} events; the last byte is ignored",
            path.display()
        );
        return Ok(n);
    }
    let asked = expected.map_or_else(|| "more than 2^64".into(), |e| e.to_string());
    Err(ReadError::malformed(
        path,
        "$TOT",
        format!("{n} events of {event_bytes} bytes take {asked} bytes, but DATA is said to hold {len}"),
    ))
}
