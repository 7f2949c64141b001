//! Gzip written by all threads: one member whose blocks are compressed by themselves and end on a byte, so that every
//! reader takes it and the bytes do not depend on the number of threads. No name, no time.

use std::io::{self, Write};

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};
use rayon::prelude::*;

/// Bytes of text compressed by themselves.
const PIECE: usize = 1 << 20;
/// Magic, deflate, no flags, no time, no hint, unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// An empty last block.
const END: [u8; 2] = [3, 0];

/// Compresses what it is given.
pub(super) struct Gzip<W> {
    out: W,
    level: Compression,
    pending: Vec<u8>,
    crc: Hasher,
    length: u32,
}

impl<W: Write> Gzip<W> {
    /// `level` is 0 to 9.
    pub(super) fn new(mut out: W, level: u8) -> io::Result<Self> {
        out.write_all(&HEAD)?;
        let level = Compression::new(u32::from(level.min(9)));
        Ok(Self { out, level, pending: Vec::new(), crc: Hasher::new(), length: 0 })
    }

    /// Takes text; whole pieces are compressed at once, so much of it is better than little.
    pub(super) fn push(&mut self, text: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(text);
        let whole = self.pending.len() - self.pending.len() % PIECE;
        let rest = self.pending.split_off(whole);
        let pieces = std::mem::replace(&mut self.pending, rest);
        self.compress(&pieces)
    }

    fn compress(&mut self, text: &[u8]) -> io::Result<()> {
        let level = self.level;
        let pieces: Vec<_> = text.par_chunks(PIECE).map(|p| piece(p, level)).collect();
        for done in pieces {
            let (bytes, crc) = done?;
            self.crc.combine(&crc);
            self.out.write_all(&bytes)?;
        }
        // Gzip counts modulo 2^32.
        self.length = self.length.wrapping_add(text.len() as u32);
        Ok(())
    }

    /// Writes the rest and hands back what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let rest = std::mem::take(&mut self.pending);
        self.compress(&rest)?;
        self.out.write_all(&END)?;
        self.out.write_all(&self.crc.finalize().to_le_bytes())?;
        self.out.write_all(&self.length.to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A piece of text as deflate blocks that end on a byte, with its checksum.
fn piece(text: &[u8], level: Compression) -> io::Result<(Vec<u8>, Hasher)> {
    let mut crc = Hasher::new();
    crc.update(text);
    let mut deflate = Compress::new(level, false);
    let mut out = Vec::with_capacity(text.len() / 2 + 64);
    loop {
        let taken = deflate.total_in() as usize;
        let before = out.len();
        let rest = text.get(taken..).unwrap_or(&[]);
        let status = deflate
            .compress_vec(rest, &mut out, FlushCompress::Sync)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        // All is out when there was room left.
        if deflate.total_in() as usize == text.len() && out.len() < out.capacity() {
            return Ok((out, crc));
        }
        if status == Status::BufError && out.len() == before && out.len() < out.capacity() {
            return Err(io::Error::other("deflate makes no progress"));
        }
        out.reserve(64 << 10);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn text_of_any_length_comes_back_and_pieces_do_not_change_the_bytes() {
        let text: Vec<u8> = (0..3 * PIECE + 17).map(|i| b"0123456789\n "[i * i % 12]).collect();
        for n in [0, 1, PIECE - 1, PIECE, PIECE + 1, text.len()] {
            let text = &text[..n];
            let written = |step: usize| {
                let mut gz = Gzip::new(Vec::new(), 6).unwrap();
                text.chunks(step).for_each(|t| gz.push(t).unwrap());
                gz.finish().unwrap()
            };
            let bytes = written(usize::MAX);
            assert!(bytes == written(PIECE / 3 + 1));
            let mut back = Vec::new();
            // One member: what reads only the first reads all.
            flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut back).unwrap();
            assert!(back == text, "{n}");
        }
    }

    #[test]
    fn what_hardly_shrinks_comes_back_too() {
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(PIECE + 5)
        .collect();
        let mut gz = Gzip::new(Vec::new(), 1).unwrap();
        gz.push(&noise).unwrap();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&gz.finish().unwrap()[..]).read_to_end(&mut back).unwrap();
        assert!(back == noise);
    }
}
