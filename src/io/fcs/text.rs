//! The TEXT segment: keywords and values between delimiters.

use std::collections::HashMap;
use std::path::Path;

use super::split::{blank, pairs};
use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;

/// All keywords with their values, in the order of the file, duplicates included.
#[derive(Debug, Default)]
pub(super) struct Keywords {
    pairs: Vec<(String, String)>,
    /// Upper-case keyword → last position in TEXT.
    index: HashMap<String, usize>,
    delimiter: u8,
}

impl Keywords {
    /// Reads the primary TEXT segment.
    pub(super) fn parse(path: &Path, text: &[u8], limits: &ReadLimits) -> Result<Self, ReadError> {
        let mut keywords = Self::default();
        match text.first() {
            Some(&d) if (1..=126).contains(&d) => keywords.delimiter = d,
            other => {
                return Err(ReadError::malformed(
                    path,
                    "TEXT",
                    format!(
                        "starts with byte {} where a delimiter (1 to 126) was expected",
                        other.copied().unwrap_or(0)
                    ),
                ));
            }
        }
        keywords.pairs = pairs(path, text, keywords.delimiter, true, limits)?;
        for (i, (key, _)) in keywords.pairs.iter().enumerate() {
            keywords.index.insert(key.to_ascii_uppercase(), i);
        }
        Ok(keywords)
    }

    /// Adds a supplemental TEXT segment. It may hold optional keywords only, so it never replaces a primary one.
    pub(super) fn supplement(
        &mut self,
        path: &Path,
        text: &[u8],
        limits: &ReadLimits,
    ) -> Result<(), ReadError> {
        if text.first() != Some(&self.delimiter) {
            tracing::warn!(
                "{}: the supplemental TEXT does not start with the delimiter of TEXT; it is ignored",
                path.display()
            );
            return Ok(());
        }
        for (key, value) in pairs(path, text, self.delimiter, false, limits)? {
            self.index.entry(key.to_ascii_uppercase()).or_insert(self.pairs.len());
            self.pairs.push((key, value));
        }
        Ok(())
    }

    /// All pairs, in the order of the file.
    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.pairs
    }

    /// All pairs, in the order of the file.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The value of `key` (upper case), as stored; of duplicates the last.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.index.get(key).and_then(|&i| self.pairs.get(i)).map(|(_, v)| v.as_str())
    }

    /// The value of `key` without blanks around it; `None` when absent or blank.
    pub(super) fn trimmed(&self, key: &str) -> Option<&str> {
        self.get(key).map(|v| v.trim_matches(blank)).filter(|v| !v.is_empty())
    }

    /// The value of a keyword the standard requires.
    pub(super) fn required(&self, path: &Path, key: &str) -> Result<&str, ReadError> {
        self.trimmed(key).ok_or_else(|| {
            ReadError::malformed(path, "TEXT", format!("the required keyword {key} is missing or blank"))
        })
    }

    /// A value that has to be a whole number; `None` when absent or blank.
    pub(super) fn integer(&self, path: &Path, key: &str) -> Result<Option<u64>, ReadError> {
        self.trimmed(key)
            .map(|v| {
                v.parse().map_err(|_| {
                    ReadError::malformed(path, key, format!("`{v}` found where a whole number was expected"))
                })
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Vec<(String, String)> {
        Keywords::parse(Path::new("a.fcs"), text, &ReadLimits::default()).unwrap().into_pairs()
    }

    fn pair(k: &str, v: &str) -> (String, String) {
        (k.into(), v.into())
    }

    #[test]
    fn a_doubled_delimiter_stands_for_itself_in_values() {
        assert_eq!(parse(b"/$P1F/488//10/a/b///"), [pair("$P1F", "488/10"), pair("a", "b/")]);
    }

    #[test]
    fn empty_values_do_not_swallow_the_next_keyword() {
        let want = [pair("$P3S", ""), pair("$P4S", ""), pair("$P6N", "FL1-A"), pair("&10", "")];
        assert_eq!(parse(b"\\$P3S\\\\$P4S\\\\$P6N\\FL1-A\\&10\\\\"), want);
        assert_eq!(parse(b"/$P3S/a/$P4S//last//  "), [pair("$P3S", "a"), pair("$P4S", ""), pair("last", "")]);
    }

    #[test]
    fn order_case_and_duplicates_are_kept_and_the_last_one_counts() {
        let k = Keywords::parse(Path::new("a"), b"|$Vol|1|b|x|$VOL| 2 |", &ReadLimits::default()).unwrap();
        assert_eq!(k.pairs(), [pair("$Vol", "1"), pair("b", "x"), pair("$VOL", " 2 ")]);
        assert_eq!(k.get("$VOL"), Some(" 2 "));
        assert_eq!(k.integer(Path::new("a"), "$VOL").unwrap(), Some(2));
    }

    #[test]
    fn padding_after_the_last_delimiter_is_no_keyword_and_a_missing_delimiter_no_loss() {
        assert_eq!(parse(b"/a/1/     "), [pair("a", "1")]);
        assert_eq!(parse(b"/a/1/G"), [pair("a", "1")]);
        assert_eq!(parse(b"/a/1/b/2"), [pair("a", "1"), pair("b", "2")]);
    }

    #[test]
    fn text_that_is_not_utf8_is_latin1() {
        assert_eq!(parse(b"/a/\xb5m/"), [pair("a", "\u{b5}m")]);
        assert_eq!(parse("/a/\u{b5}m/".as_bytes()), [pair("a", "\u{b5}m")]);
    }

    #[test]
    fn a_supplement_adds_but_never_replaces() {
        let limits = ReadLimits::default();
        let mut k = Keywords::parse(Path::new("a"), b"/$TOT/1/", &limits).unwrap();
        k.supplement(Path::new("a"), b"/$TOT/9/more/x/", &limits).unwrap();
        k.supplement(Path::new("a"), b"PK\x03\x04", &limits).unwrap();
        assert_eq!((k.get("$TOT"), k.get("MORE")), (Some("1"), Some("x")));
        assert_eq!(k.pairs().len(), 3);
    }
}
