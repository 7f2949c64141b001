//! TEXT split into keywords and values. The standard doubles a delimiter inside a value and forbids empty values;
//! instruments write empty values, single delimiters inside values, or leave the last delimiter out. Each reading is
//! tried, and the one whose `$PAR`, `$PnB` and `$TOT` close is taken.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;

/// Memory one delimiter of TEXT may cost: half a pair of strings and its place in the index, for two readings.
const BYTES_PER_DELIMITER: usize = 160;

/// Whether a character is padding around keywords and numbers.
pub(super) fn blank(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

/// Splits a TEXT segment into keywords and values. `primary`: it has to hold the required keywords.
pub(super) fn pairs(
    path: &Path,
    text: &[u8],
    delimiter: u8,
    primary: bool,
    limits: &ReadLimits,
) -> Result<Vec<(String, String)>, ReadError> {
    let delimiters = text.iter().filter(|&&b| b == delimiter).count();
    limits.check(path, "TEXT", delimiters as u64, BYTES_PER_DELIMITER)?;
    let body = text.get(1..).unwrap_or_default();
    let decode = decoder(text);
    let standard = pair_up(split_escaped(body, delimiter), &decode);
    let glued = |t: &&str| t.as_bytes().contains(&delimiter);
    let keys = standard.pairs.iter().map(|(key, _)| key.as_str());
    let near = keys.chain([standard.rest.as_str()]).find(glued).map(str::to_owned);
    let closes = !primary || standard.closes();
    let shifted = standard.shifted();
    if closes && near.is_none() && !shifted {
        return standard.checked(path);
    }
    let single = || body.split(|&b| b == delimiter).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let empty = pair_up(single(), &decode);
    let sound = !empty.pairs.iter().any(|(k, _)| k.is_empty());
    // Both may close when only unimportant keywords are glued together: then the one with more keywords is right.
    let better = match (closes, !primary || empty.closes()) {
        (a, b) if a == b => near.is_some() && sound && empty.dollars() >= standard.dollars(),
        (_, fits) => fits,
    };
    if better {
        tracing::warn!(
            "{}: TEXT holds empty values, which the standard forbids (near `{}`); read as empty",
            path.display(),
            near.unwrap_or_default().trim_end()
        );
        return empty.checked(path);
    }
    if shifted {
        let joined = pair_up(rejoin(single(), delimiter), &decode);
        let whole =
            joined.rest.trim_matches(blank).is_empty() || !standard.rest.trim_matches(blank).is_empty();
        let fits = whole && joined.distinct() && (!primary || joined.closes());
        if fits && joined.dollars() > standard.dollars() {
            tracing::warn!(
                "{}: TEXT holds values with its delimiter `{}` inside, not doubled as the standard asks; keywords that \
                 start with $ were taken to begin the next pair",
                path.display(),
                char::from(delimiter)
            );
            return joined.checked(path);
        }
    }
    standard.checked(path)
}

/// How the bytes of TEXT become characters. The standard asks for UTF-8 from 3.1 on and ASCII before; instruments write
/// Latin-1 as well.
fn decoder(text: &[u8]) -> impl Fn(Vec<u8>) -> String {
    let utf8 = std::str::from_utf8(text).is_ok();
    move |bytes: Vec<u8>| match utf8 {
        true => {
            String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
        }
        false => bytes.into_iter().map(char::from).collect(),
    }
}

/// Pairs, and what stood after the last delimiter.
struct Pairs {
    pairs: Vec<(String, String)>,
    rest: String,
}

impl Pairs {
    fn checked(self, path: &Path) -> Result<Vec<(String, String)>, ReadError> {
        if self.pairs.is_empty() {
            return Err(ReadError::malformed(path, "TEXT", "holds no keyword and value"));
        }
        Ok(self.pairs)
    }

    /// Whether the keywords that describe DATA are all there: `$PAR` channels with their widths, and a readable `$TOT`
    /// when there is one.
    fn closes(&self) -> bool {
        let index: HashMap<String, &str> =
            self.pairs.iter().map(|(k, v)| (k.to_ascii_uppercase(), v.trim_matches(blank))).collect();
        let number = |key: &str| index.get(key).map(|v| v.parse::<u64>().ok());
        let Some(Some(par)) = number("$PAR") else { return false };
        let channel = |n| {
            let width = index.get(&format!("$P{n}B")).copied();
            width.is_some_and(|w| w == "*" || w.parse::<u64>().is_ok())
        };
        number("$TOT") != Some(None) && index.contains_key("$DATATYPE") && (1..=par).all(channel)
    }

    /// Whether a keyword of the standard stands where a value is due: something before it was cut in two.
    fn shifted(&self) -> bool {
        self.pairs.iter().any(|(k, v)| !is_standard(k.as_bytes()) && is_standard(v.as_bytes()))
    }

    /// Whether no keyword of the standard stands twice: a value that looks like one may be just that.
    fn distinct(&self) -> bool {
        let mut seen = HashSet::new();
        self.pairs
            .iter()
            .filter(|(k, _)| is_standard(k.as_bytes()))
            .all(|(k, _)| seen.insert(k.to_ascii_uppercase()))
    }

    fn dollars(&self) -> usize {
        self.pairs.iter().filter(|(k, _)| k.starts_with('$')).count()
    }
}

/// Tokens between delimiters, where a doubled delimiter stands for itself. The last token is what follows the last
/// delimiter: empty in a file that keeps the rules.
fn split_escaped(body: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    let mut tokens = Vec::new();
    let mut token = Vec::new();
    let mut bytes = body.iter().peekable();
    while let Some(&b) = bytes.next() {
        if b != delimiter {
            token.push(b);
        } else if bytes.peek() == Some(&&delimiter) {
            bytes.next();
            token.push(b);
        } else {
            tokens.push(std::mem::take(&mut token));
        }
    }
    tokens.push(token);
    tokens
}

/// Keywords of FCS 2.0 to 3.2, without `$` and the numbers in them.
const STANDARD: &str = "\
    ABRT BEGINANALYSIS BEGINDATA BEGINDATETIME BEGINSTEXT BTIM BYTEORD CARRIERID CARRIERTYPE CELLS COM COMP \
    CSMODE CSVBITS CSVFLAG CYT CYTSN DATATYPE DATE DFCTO ENDANALYSIS ENDDATA ENDDATETIME ENDSTEXT ETIM EXP FIL \
    FLOWRATE GATE GATING GE GF GN GP GR GS GT GV INST LOCATIONID LOST MODE NEXTDATA OP ORIGINALITY PANALYTE PAR \
    PB PCALIBRATION PD PDATATYPE PDET PE PF PFEATURE PG PK PKN PL PLATEID PLATENAME PN PO PP PR PROJ PS PT PTAG \
    PTYPE PV RI RW SMNO SPILLOVER SRC SYS TIMESTEP TOT TR UNICODE UNSTAINEDCENTERS UNSTAINEDINFO VOL WELLID";

/// Whether this is a keyword of the standard.
fn is_standard(token: &[u8]) -> bool {
    let Some(name) = token.strip_prefix(b"$") else { return false };
    let letters = name.iter().filter(|b| !b.is_ascii_digit()).map(u8::to_ascii_uppercase);
    STANDARD.split_ascii_whitespace().any(|known| letters.clone().eq(known.bytes()))
}

/// Puts values back together that a single delimiter inside cut: where a keyword is due but the token after it is a
/// keyword of the standard, the token belongs to the value before.
fn rejoin(tokens: Vec<Vec<u8>>, delimiter: u8) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let key_due = out.len().is_multiple_of(2);
        let next_is_key = tokens.peek().is_some_and(|t| is_standard(t));
        match out.last_mut() {
            Some(value) if key_due && !is_standard(&token) && next_is_key => {
                value.push(delimiter);
                value.extend_from_slice(&token);
            }
            _ => out.push(token),
        }
    }
    out
}

/// Pairs tokens up. What follows the last delimiter is padding, or the value of a keyword left without its closing
/// delimiter (Cytek).
fn pair_up(tokens: Vec<Vec<u8>>, decode: &impl Fn(Vec<u8>) -> String) -> Pairs {
    let mut pairs = Vec::with_capacity(tokens.len() / 2);
    let mut tokens = tokens.into_iter();
    let rest = loop {
        match (tokens.next(), tokens.next()) {
            // Apogee and Partec pad keywords with blanks.
            (Some(key), Some(value)) => {
                pairs.push((decode(key).trim_matches(blank).to_owned(), decode(value)))
            }
            (rest, _) => break rest.map(decode).unwrap_or_default(),
        }
    };
    // A blank keyword with a blank value is padding before the end of the segment.
    pairs.retain(|(key, value)| !(key.is_empty() && value.chars().all(blank)));
    Pairs { pairs, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<(String, String)> {
        let delimiter = text.as_bytes()[0];
        pairs(Path::new("a"), text.as_bytes(), delimiter, true, &ReadLimits::default()).unwrap()
    }

    const END: &str = "$PAR/1/$P1B/32/$DATATYPE/F/$TOT/3/";

    #[test]
    fn a_single_delimiter_inside_a_value_shifts_no_keyword() {
        let found = parse(&format!("/$P1F/488/10/{END}"));
        assert_eq!(found[0], ("$P1F".into(), "488/10".into()));
        assert_eq!(found[1], ("$PAR".into(), "1".into()));
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn empty_values_are_seen_when_a_required_keyword_would_be_swallowed() {
        let found = parse(&format!("/$P1S//{END}"));
        assert_eq!(found[0], ("$P1S".into(), String::new()));
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn a_value_that_looks_like_a_keyword_stays_a_value() {
        for value in ["$A", "$TOT", "$CYT", "$P1N"] {
            let found = parse(&format!("/{END}/aa/{value}/bb/c/").replace("//", "/"));
            assert_eq!(found[4..], [("aa".into(), value.into()), ("bb".into(), "c".into())], "{value}");
        }
        assert!(
            is_standard(b"$P12N") && is_standard(b"$dfc1to2") && !is_standard(b"$") && !is_standard(b"P1N")
        );
    }

    #[test]
    fn escaped_delimiters_stay_the_first_choice() {
        assert_eq!(parse(&format!("/$P1F/488//10/{END}"))[0].1, "488/10");
    }

    #[test]
    fn the_last_delimiter_may_be_missing() {
        assert_eq!(parse(END.trim_end_matches('/').replace("$PAR", "/$PAR").as_str()).len(), 4);
    }
}
