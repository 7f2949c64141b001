//! Whether a file is delimited text, and which character delimits.

use std::io::Read;
use std::path::Path;

use super::records::{BOM, Record, Records, is_gzip, text_of};
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::foreign::{encoding, recode};

/// Characters that may delimit; of two that fit equally well the later one does.
const DELIMITERS: [u8; 3] = [b';', b',', b'\t'];
/// Bytes of the text the delimiter is told from.
const HEAD: u64 = 1 << 20;
/// Records the delimiter is told from.
const RECORDS: usize = 50;

/// How sure the content makes us: text with the same number of fields in each line might be a table.
pub(in crate::io) fn probe(probe: &Probe) -> Fit {
    let mut head = Vec::new();
    if is_gzip(probe.head) {
        // The head may end inside a block: what could be unpacked is looked at.
        let _ = flate2::read::MultiGzDecoder::new(probe.head).read_to_end(&mut head);
    } else {
        head.extend_from_slice(probe.head);
    }
    if head.is_empty() || !is_text(&head) || is_other_text(&head) {
        return Fit::No;
    }
    let name = probe.path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.trim_end_matches(".gz");
    let named = [".csv", ".tsv", ".tab"].iter().any(|e| name.ends_with(e));
    if named || delimiter(&head).is_some() { Fit::Possible } else { Fit::No }
}

/// The character that delimits the fields of a file.
///
/// # Errors
/// [`ReadError`] when the file cannot be read or is not text.
pub(super) fn delimiter_of(path: &Path) -> Result<u8, ReadError> {
    let mut head = Vec::new();
    let read = text_of(path, 0)?.take(HEAD).read_to_end(&mut head);
    read.map_err(|e| super::records::broken(path, e))?;
    if let Some(name) = encoding(&head) {
        return Err(ReadError::unsupported(path, recode(path, name)));
    }
    if !is_text(&head) {
        return Err(ReadError::malformed(path, "the first bytes", "are no text; expected a table of text"));
    }
    if !head.contains(&b'\n') && head.contains(&b'\r') {
        let what = "lines end in a lone carriage return (old Mac); save it with line ends \\n or \\r\\n";
        return Err(ReadError::unsupported(path, what));
    }
    // Without any delimiter it is one column, and then which one it would be has no meaning.
    Ok(delimiter(&head).or_else(|| most_in_first_line(&head)).unwrap_or(b','))
}

/// No zero bytes and no control characters but those of line ends and tabs.
fn is_text(head: &[u8]) -> bool {
    !head.iter().any(|&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c)) && !head.contains(&0x7f)
}

/// Text of another format: Matrix Market, JSON, a page of the web.
fn is_other_text(head: &[u8]) -> bool {
    let start = head.strip_prefix(&BOM).unwrap_or(head).trim_ascii_start();
    start.starts_with(b"%%MatrixMarket")
        || start.starts_with(b"version https://git-lfs")
        || matches!(start.first(), Some(b'{' | b'[' | b'<'))
}

/// The delimiter that gives every record of the head the same number of fields, two at least; the header may have one
/// less. With no whole second line the most frequent in the first.
fn delimiter(head: &[u8]) -> Option<u8> {
    let whole = head.iter().rposition(|b| *b == b'\n').and_then(|i| head.get(..=i)).unwrap_or(&[]);
    if memchr::memchr_iter(b'\n', whole).count() < 2 {
        return most_in_first_line(head);
    }
    DELIMITERS.iter().filter_map(|&d| Some((width(whole, d)?, d))).max_by_key(|(n, _)| *n).map(|(_, d)| d)
}

/// Fields of each record after the first; `None` when they differ, or there is only one.
fn width(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut records = Records::new(text, Path::new(""), delimiter, usize::MAX, (1, 0));
    let (mut record, mut counts) = (Record::default(), Vec::new());
    // A quote that is open at the end of the head ends the look.
    while counts.len() < RECORDS && records.next(&mut record).unwrap_or(false) {
        if !counts.is_empty() || !record.get(0).is_some_and(|f| f.text.starts_with(b"#")) {
            counts.push(record.len());
        }
    }
    let (first, rest) = counts.split_first()?;
    let n = *rest.first().unwrap_or(first);
    (n >= 2 && rest.iter().all(|c| *c == n) && (*first == n || first + 1 == n)).then_some(n)
}

fn most_in_first_line(head: &[u8]) -> Option<u8> {
    let line = head.split(|b| *b == b'\n').find(|l| !l.is_empty() && !l.starts_with(b"#"))?;
    let count = |d: u8| memchr::memchr_iter(d, line).count();
    DELIMITERS.into_iter().filter(|d| count(*d) > 0).max_by_key(|d| count(*d))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(name: &str, head: &[u8]) -> Fit {
        probe(&Probe { path: Path::new(name), head })
    }

    #[test]
    fn the_delimiter_is_the_one_that_gives_even_records() {
        assert_eq!(delimiter(b",a;b,c;d\n1,2;3,4;5\n"), Some(b','));
        assert_eq!(delimiter(b"x;y\n1,5;2,5\n3,25;4\n"), Some(b';'));
        assert_eq!(delimiter(b"g1\tg2\nc1\t1\t2\nc2\t3\t4\n"), Some(b'\t'));
        assert_eq!(delimiter(b"n,note\n1,\"a;b;c\"\n2,\"d;e;f\"\n"), Some(b','));
        assert_eq!(delimiter(b"one\ntwo\n"), None);
    }

    #[test]
    fn other_text_and_binary_data_are_no_table() {
        assert_eq!(fit("a.csv", b"a,b\n1,2\n"), Fit::Possible);
        assert_eq!(fit("notes", b"a,b\n1,2\n"), Fit::Possible);
        assert_eq!(fit("notes", b"Dear all,\nhere it is\n"), Fit::No);
        assert_eq!(fit("m.mtx", b"%%MatrixMarket matrix coordinate\n1 1 1\n"), Fit::No);
        assert_eq!(fit("a.json", b"{\n\"a\": 1,\n\"b\": 2,\n"), Fit::No);
        assert_eq!(fit("a.csv", b"\x89HDF\r\n\x1a\n"), Fit::No);
        assert_eq!(fit("a.csv", b"a,b\n1,\0\n"), Fit::No);
    }
}
