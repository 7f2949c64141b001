//! Records of delimited text, as RFC 4180 and the programs people use write them: quoted fields, line ends of any
//! system inside quotes, `\n` or `\r\n` outside, a byte order mark, gzip around it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::io::error::ReadError;

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// First bytes of UTF-8 text, where a program writes them.
pub(super) const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];
/// Bytes read from disk at a time.
const BUFFER: usize = 1 << 18;

/// Whether these are the first bytes of a gzip file.
pub(in crate::io) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&GZIP)
}

/// The text of a file from byte `at` of the text on, unpacked when it is gzip.
pub(super) fn text_of(path: &Path, at: u64) -> Result<Box<dyn BufRead + Send>, ReadError> {
    let io = |e| ReadError::io(path, e);
    let mut file = File::open(path).map_err(io)?;
    let mut head = Vec::new();
    file.by_ref().take(2).read_to_end(&mut head).map_err(io)?;
    if !is_gzip(&head) {
        file.seek(SeekFrom::Start(at)).map_err(io)?;
        return Ok(Box::new(BufReader::with_capacity(BUFFER, file)));
    }
    file.seek(SeekFrom::Start(0)).map_err(io)?;
    let inner = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file));
    let mut text = BufReader::with_capacity(BUFFER, inner);
    // There is no way into the middle of gzip: what comes before is unpacked and dropped.
    let skipped =
        std::io::copy(&mut text.by_ref().take(at), &mut std::io::sink()).map_err(|e| broken(path, e))?;
    if skipped < at {
        return Err(ReadError::malformed(path, "the end", "the file has become shorter while it was read"));
    }
    Ok(Box::new(text))
}

/// An error of the system or of the gzip around the text.
pub(super) fn broken(path: &Path, e: std::io::Error) -> ReadError {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match e.kind() {
        UnexpectedEof => ReadError::malformed(
            path,
            "gzip",
            "truncated: the compressed data end too early; get a complete copy",
        ),
        InvalidData | InvalidInput => ReadError::malformed(
            path,
            "gzip",
            format!("the compressed data are damaged ({e}); get a new copy"),
        ),
        _ => ReadError::io(path, e),
    }
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// Its text without quotes.
    pub(super) text: &'a [u8],
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
}

/// One record, used again and again.
#[derive(Debug, Default)]
pub(super) struct Record {
    text: Vec<u8>,
    /// Start, end and quotes of each field.
    fields: Vec<(usize, usize, bool)>,
    /// Line it starts in, from 1.
    pub(super) line: u64,
    /// Byte of the text it starts at.
    pub(super) offset: u64,
}

impl Record {
    /// Number of fields.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Field `i`.
    pub(super) fn get(&self, i: usize) -> Option<Field<'_>> {
        self.fields.get(i).map(|f| self.field(f))
    }

    /// All fields.
    pub(super) fn iter(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().map(|f| self.field(f))
    }

    fn field(&self, &(from, to, quoted): &(usize, usize, bool)) -> Field<'_> {
        Field { text: self.text.get(from..to).unwrap_or(&[]), quoted }
    }
}

/// Reads records one after the other.
pub(super) struct Records<R> {
    input: R,
    path: PathBuf,
    delimiter: u8,
    /// Bytes one record may take.
    limit: usize,
    line: u64,
    offset: u64,
}

impl<R: BufRead> Records<R> {
    /// Records of `input`, whose first byte is byte `offset` of the text, in line `line`.
    pub(super) fn new(
        input: R,
        path: &Path,
        delimiter: u8,
        limit: usize,
        (line, offset): (u64, u64),
    ) -> Self {
        Self { input, path: path.to_owned(), delimiter, limit, line, offset }
    }

    /// Reads the next record that is not an empty line; `false` at the end.
    ///
    /// # Errors
    /// [`ReadError`] with the line when a quote is not closed or the record is too long.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<bool, ReadError> {
        loop {
            record.text.clear();
            record.fields.clear();
            (record.line, record.offset) = (self.line, self.offset);
            if !self.append_line(&mut record.text)? {
                return Ok(false);
            }
            if record.offset == 0 && record.text.starts_with(&BOM) {
                record.text.drain(..BOM.len());
            }
            if memchr::memchr(b'"', &record.text).is_some() {
                self.quoted(record)?;
                return Ok(true);
            }
            trim_end(&mut record.text);
            if record.text.is_empty() {
                continue;
            }
            let mut from = 0;
            for to in memchr::memchr_iter(self.delimiter, &record.text) {
                record.fields.push((from, to, false));
                from = to + 1;
            }
            record.fields.push((from, record.text.len(), false));
            return Ok(true);
        }
    }

    /// Appends the bytes up to and with the next `\n`; `false` when there are none.
    fn append_line(&mut self, to: &mut Vec<u8>) -> Result<bool, ReadError> {
        let before = to.len();
        loop {
            let buffer = self.input.fill_buf().map_err(|e| broken(&self.path, e))?;
            let (take, done) = match memchr::memchr(b'\n', buffer) {
                Some(i) => (i + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            to.extend_from_slice(buffer.get(..take).unwrap_or(buffer));
            self.input.consume(take);
            if to.len() > self.limit {
                return Err(ReadError::TooLarge {
                    path: self.path.clone(),
                    at: format!("line {}", self.line),
                    asked: to.len() as u64,
                    limit: self.limit as u64,
                });
            }
            if done {
                break;
            }
        }
        let taken = to.len() - before;
        self.offset += taken as u64;
        self.line += 1;
        Ok(taken > 0)
    }

    /// Splits a record with quotes, whose first line is in `record.text`; reads on while a quote is open.
    fn quoted(&mut self, record: &mut Record) -> Result<(), ReadError> {
        let mut raw = std::mem::take(&mut record.text);
        let mut text = Vec::with_capacity(raw.len());
        let (mut i, mut from, mut inside, mut quoted, mut opened) = (0, 0, false, false, self.line - 1);
        loop {
            let Some(&byte) = raw.get(i) else {
                if !inside {
                    break;
                }
                if !self.append_line(&mut raw)? {
                    let what = "a quote (\") is opened and never closed; close it or double it";
                    return Err(ReadError::malformed(&self.path, format!("line {opened}"), what));
                }
                continue;
            };
            i += 1;
            match byte {
                b'"' if inside && raw.get(i) == Some(&b'"') => {
                    text.push(b'"');
                    i += 1;
                }
                b'"' if inside => inside = false,
                // Quotes in the middle of a field are part of it, as everywhere else.
                b'"' if text.len() == from && !quoted => {
                    (inside, quoted, opened) = (true, true, self.line - 1)
                }
                b if inside => text.push(b),
                b'\n' => break,
                b'\r' if raw.get(i) == Some(&b'\n') => {}
                b if b == self.delimiter => {
                    record.fields.push((from, text.len(), quoted));
                    (from, quoted) = (text.len(), false);
                }
                b => text.push(b),
            }
        }
        record.fields.push((from, text.len(), quoted));
        record.text = text;
        Ok(())
    }
}

fn trim_end(line: &mut Vec<u8>) {
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, delimiter: u8) -> Result<Vec<Vec<String>>, String> {
        let mut records = Records::new(text.as_bytes(), Path::new("a.csv"), delimiter, 100, (1, 0));
        let (mut record, mut out) = (Record::default(), Vec::new());
        while records.next(&mut record).map_err(|e| e.to_string())? {
            out.push(record.iter().map(|f| String::from_utf8_lossy(f.text).into_owned()).collect());
        }
        Ok(out)
    }

    #[test]
    fn quotes_hold_delimiters_line_ends_and_quotes() {
        let text = "a,\"b,\"\"c\"\"\r\nd\",e\r\n\r\n,\"\",x\"y\n1,2,3";
        let want = vec![vec!["a", "b,\"c\"\r\nd", "e"], vec!["", "", "x\"y"], vec!["1", "2", "3"]];
        assert_eq!(all(text, b',').unwrap(), want);
    }

    #[test]
    fn an_open_quote_is_named_with_the_line_it_opens_in() {
        let e = all("a,b\n1,2\n3,\"4\n5,6\n", b',').unwrap_err();
        assert!(e.contains("line 3") && e.contains("never closed"), "{e}");
    }

    #[test]
    fn a_record_without_end_is_refused_before_it_fills_memory() {
        let e = all(&"1,".repeat(200), b',').unwrap_err();
        assert!(e.contains("line 1") && e.contains("limit is 100"), "{e}");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_name() {
        assert_eq!(all("\u{feff}\"a\"\tb\n", b'\t').unwrap(), vec![vec!["a", "b"]]);
        assert_eq!(all("\u{feff}a\tb\n", b'\t').unwrap(), vec![vec!["a", "b"]]);
    }
}
