//! Text files, compressed or not, whole or in blocks of lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::io::error::ReadError;
use crate::io::foreign::no_text;

/// First bytes of gzip.
pub(super) const GZIP: &[u8] = &[0x1f, 0x8b];
/// Bytes of text in a block.
const BLOCK: usize = 1 << 20;
/// Bytes of compressed text read at a time.
const RAW: usize = 256 << 10;
/// Deflate shrinks nothing more than this.
pub(super) const BEST_RATIO: u64 = 1032;

/// A text file being read, inflated on the way when it is gzip, whatever its name.
pub(super) struct Text<'a> {
    path: &'a Path,
    input: Box<dyn BufRead + Send>,
    /// Lines read one by one so far.
    pub(super) lines: u64,
    rest: Vec<u8>,
    /// Most bytes its text can have.
    pub(super) most: u64,
}

impl<'a> Text<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, ReadError> {
        let fail = |e| ReadError::io(path, e);
        let file = File::open(path).map_err(fail)?;
        let size = file.metadata().map_err(fail)?.len();
        let mut raw = BufReader::with_capacity(RAW, file);
        if let Some(what) = no_text(path, raw.fill_buf().map_err(fail)?) {
            return Err(ReadError::unsupported(path, what));
        }
        let (input, most): (Box<dyn BufRead + Send>, u64) = if raw.fill_buf().map_err(fail)?.starts_with(GZIP)
        {
            (
                Box::new(BufReader::with_capacity(RAW, MultiGzDecoder::new(raw))),
                size.saturating_mul(BEST_RATIO),
            )
        } else {
            (Box::new(raw), size)
        };
        Ok(Self { path, input, lines: 0, rest: Vec::new(), most })
    }

    /// The next line without its end; `None` at the end of the file.
    pub(super) fn line(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let mut line = Vec::new();
        let n =
            (&mut self.input).take(BLOCK as u64).read_until(b'\n', &mut line).map_err(|e| self.failed(e))?;
        if n == 0 {
            return Ok(None);
        }
        if n == BLOCK {
            return Err(self.too_long());
        }
        self.lines += 1;
        Ok(Some(line.trim_ascii_end().to_vec()))
    }

    /// The next lines as one block that ends where a line does; `None` at the end of the file.
    pub(super) fn block(&mut self) -> Result<Option<Vec<u8>>, ReadError> {
        let mut block = std::mem::take(&mut self.rest);
        block.reserve(BLOCK);
        let wanted = (BLOCK - block.len().min(BLOCK)) as u64;
        let n = (&mut self.input).take(wanted).read_to_end(&mut block).map_err(|e| self.failed(e))?;
        if (n as u64) < wanted {
            return Ok((!block.is_empty()).then_some(block));
        }
        match block.iter().rposition(|&b| b == b'\n') {
            Some(end) => {
                self.rest = block.split_off(end + 1);
                Ok(Some(block))
            }
            None => Err(self.too_long()),
        }
    }

    /// The whole text; at most `limit` bytes.
    pub(super) fn whole(mut self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut text = Vec::new();
        (&mut self.input).take(limit.saturating_add(1)).read_to_end(&mut text).map_err(|e| self.failed(e))?;
        if text.len() as u64 > limit {
            let asked = text.len() as u64;
            return Err(ReadError::TooLarge { path: self.path.to_owned(), at: "text".into(), asked, limit });
        }
        Ok(text)
    }

    fn too_long(&self) -> ReadError {
        let what = format!("a line of more than {BLOCK} bytes: not a table of text");
        ReadError::malformed(self.path, format!("behind line {}", self.lines), what)
    }

    fn failed(&self, e: io::Error) -> ReadError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match e.kind() {
            UnexpectedEof => {
                let what = "the compressed text ends too early: copy or download the file again";
                ReadError::malformed(self.path, "gzip", what)
            }
            InvalidData | InvalidInput => {
                let what = format!("the compressed text is damaged ({e}): copy or download the file again");
                ReadError::malformed(self.path, "gzip", what)
            }
            _ => ReadError::io(self.path, e),
        }
    }
}

/// The first bytes of a file, inflated when they are gzip.
pub(super) fn start(head: &[u8]) -> Vec<u8> {
    if !head.starts_with(GZIP) {
        return head.to_vec();
    }
    let mut out = vec![0; 64];
    let mut filled = 0;
    let mut input = MultiGzDecoder::new(head);
    // The head of a file ends too early; what comes before is good.
    while let Ok(n) = input.read(out.get_mut(filled..).unwrap_or_default()) {
        if n == 0 {
            break;
        }
        filled += n;
    }
    out.truncate(filled);
    out
}
