//! The HEADER: the first 58 bytes, which say which version this is and where the other segments lie.

use std::path::Path;

use crate::io::error::ReadError;

/// Bytes of version and six offsets.
pub(super) const HEADER_LEN: u64 = 58;
/// The largest offset eight digits can hold; segments beyond it are given in TEXT alone.
pub(super) const MAX_HEADER_OFFSET: u64 = 99_999_999;

/// Versions of the standard that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V2_0,
    V3_0,
    V3_1,
    V3_2,
}

impl Version {
    /// The first six bytes of the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Version::V2_0 => "FCS2.0",
            Version::V3_0 => "FCS3.0",
            Version::V3_1 => "FCS3.1",
            Version::V3_2 => "FCS3.2",
        }
    }
}

/// First and last byte of a segment as written; 0 stands for "not given here".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Offsets {
    /// First byte.
    pub(super) begin: u64,
    /// Last byte, itself part of the segment.
    pub(super) end: u64,
}

impl Offsets {
    /// Bytes from first to last; `None` when the end lies before the beginning.
    pub(super) fn len(self) -> Option<u64> {
        self.end.checked_add(1)?.checked_sub(self.begin)
    }
}

/// What the first 58 bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) version: Version,
    pub(super) text: Offsets,
    pub(super) data: Offsets,
    pub(super) analysis: Offsets,
}

impl Header {
    /// Reads the HEADER from the first bytes of a file.
    pub(super) fn parse(path: &Path, head: &[u8]) -> Result<Self, ReadError> {
        let version = version(path, head)?;
        if (head.len() as u64) < HEADER_LEN {
            return Err(ReadError::malformed(
                path,
                "HEADER",
                format!("truncated: it takes {HEADER_LEN} bytes, the file has {}", head.len()),
            ));
        }
        let text = Offsets { begin: offset(path, head, 10)?, end: offset(path, head, 18)? };
        if text.begin < HEADER_LEN || text.len().is_none_or(|n| n < 2) {
            return Err(ReadError::malformed(
                path,
                "HEADER",
                format!(
                    "TEXT is said to lie in bytes {} to {}; expected it after byte {}",
                    text.begin,
                    text.end,
                    HEADER_LEN - 1
                ),
            ));
        }
        let data = match (offset(path, head, 26), offset(path, head, 34)) {
            (Ok(begin), Ok(end)) => Offsets { begin, end },
            // Stars or blanks where eight digits do not suffice: TEXT has to say.
            (Err(e), _) | (_, Err(e)) => {
                tracing::warn!("{e}; the place of DATA is taken from TEXT");
                Offsets::default()
            }
        };
        // Nothing is read from ANALYSIS, and instruments leave anything here: never a reason to refuse a file.
        let analysis = match (offset(path, head, 42), offset(path, head, 50)) {
            (Ok(begin), Ok(end)) => Offsets { begin, end },
            _ => Offsets::default(),
        };
        Ok(Self { version, text, data, analysis })
    }
}

/// Whether these are the first bytes of an FCS file of any version.
pub(super) fn has_magic(head: &[u8]) -> bool {
    matches!(head, [b'F', b'C', b'S', major, b'.', minor, ..]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

fn version(path: &Path, head: &[u8]) -> Result<Version, ReadError> {
    if head.len() < 6 && b"FCS".starts_with(&head[..head.len().min(3)]) && !head.is_empty() {
        return Err(ReadError::malformed(
            path,
            "HEADER",
            format!("truncated: it takes {HEADER_LEN} bytes, the file has {}", head.len()),
        ));
    }
    if !has_magic(head) {
        return Err(ReadError::NotRecognised {
            path: path.to_owned(),
            what: "it does not start with an FCS version such as `FCS3.1`".into(),
        });
    }
    match &head[..6] {
        b"FCS2.0" => Ok(Version::V2_0),
        b"FCS3.0" => Ok(Version::V3_0),
        b"FCS3.1" => Ok(Version::V3_1),
        b"FCS3.2" => Ok(Version::V3_2),
        other => Err(ReadError::unsupported(
            path,
            format!("version {}; FCS 2.0, 3.0, 3.1 and 3.2 are read", String::from_utf8_lossy(other)),
        )),
    }
}

/// The eight bytes of an offset: right-aligned digits; all blank counts as 0.
fn offset(path: &Path, head: &[u8], at: usize) -> Result<u64, ReadError> {
    let field = head.get(at..at + 8).unwrap_or_default();
    let text = String::from_utf8_lossy(field);
    let digits = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    if digits.is_empty() {
        return Ok(0);
    }
    digits.parse().map_err(|_| {
        ReadError::malformed(
            path,
            format!("HEADER bytes {at} to {}", at + 7),
            format!("`{text}` found where a byte offset was expected"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(head: &[u8]) -> Result<Header, ReadError> {
        Header::parse(Path::new("a.fcs"), head)
    }

    #[test]
    fn offsets_are_right_aligned_zero_padded_or_blank() {
        let h = parse(b"FCS3.0    00000074    7650000076510078765\x30                ").unwrap();
        assert_eq!(h.text, Offsets { begin: 74, end: 7650 });
        assert_eq!(h.data, Offsets { begin: 7651, end: 787650 });
        assert_eq!(h.analysis, Offsets::default());
        assert_eq!(h.version, Version::V3_0);
    }

    #[test]
    fn garbage_in_analysis_is_no_reason_to_refuse() {
        assert!(parse(b"FCS2.0          58     100     101     200      -1    junk").is_ok());
        let e = parse(b"FCS2.0          5x     100     101     200       0       0").unwrap_err();
        assert!(e.to_string().contains("HEADER bytes 10 to 17"), "{e}");
    }

    #[test]
    fn versions_other_than_those_read_are_named() {
        let e = parse(b"FCS1.0          58     100     101     200       0       0").unwrap_err();
        assert!(matches!(e, ReadError::Unsupported { .. }), "{e}");
        assert!(e.to_string().contains("FCS1.0"), "{e}");
        assert!(matches!(parse(b"FC"), Err(ReadError::Malformed { .. })));
        assert!(matches!(parse(b"FCS3.0    "), Err(ReadError::Malformed { .. })));
        assert!(matches!(parse(b"oi21j0"), Err(ReadError::NotRecognised { .. })));
    }

    #[test]
    fn text_inside_the_header_is_refused() {
        let e = parse(b"FCS3.0          10     100     101     200       0       0").unwrap_err();
        assert!(e.to_string().contains("bytes 10 to 100"), "{e}");
    }
}
