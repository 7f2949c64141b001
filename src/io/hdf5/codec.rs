//! The filters of a chunk, undone and applied outside the HDF5 library, which does one chunk at a time for the whole
//! process: byte shuffle, deflate, Fletcher's checksum.

use std::cell::RefCell;

use hdf5_metno as hdf5;

use hdf5::filters::Filter;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use zlib_rs::{DeflateConfig, ReturnCode, Strategy, compress_bound, compress_slice};

/// The highest level at which chunks of little but zeros are searched for runs only.
const MOST_RLE: u8 = 6;

/// Deflate makes a run of equal bytes at most this many times smaller.
const BEST_DEFLATE: u64 = 1032;

/// Filters that can be undone here, each with its position in the pipeline of the dataset. They were applied in this
/// order: shuffle, checksum, deflate, checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pipeline {
    /// Bytes of an element.
    size: usize,
    shuffle: Option<usize>,
    inner_sum: Option<usize>,
    deflate: Option<(usize, u8)>,
    outer_sum: Option<usize>,
}

struct Scratch {
    inflate: Decompressor,
    deflate: Option<(u8, Compressor)>,
    bytes: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> =
        RefCell::new(Scratch { inflate: Decompressor::new(), deflate: None, bytes: Vec::new() });
}

impl Pipeline {
    /// The pipeline of a dataset with elements of `size` bytes; `None` when another filter or order is in it.
    pub(super) fn of(filters: &[Filter], size: usize) -> Option<Self> {
        let mut p = Self { size, shuffle: None, inner_sum: None, deflate: None, outer_sum: None };
        for (at, filter) in filters.iter().enumerate() {
            let summed = p.inner_sum.is_some() || p.outer_sum.is_some();
            match filter {
                Filter::Shuffle if p.shuffle.is_none() && p.deflate.is_none() && !summed => {
                    p.shuffle = Some(at);
                }
                Filter::Deflate(level) if p.deflate.is_none() => p.deflate = Some((at, *level)),
                Filter::Fletcher32 if p.deflate.is_none() && !summed => p.inner_sum = Some(at),
                Filter::Fletcher32 if p.outer_sum.is_none() && p.deflate.is_some() => p.outer_sum = Some(at),
                _ => return None,
            }
        }
        (filters.len() <= 32).then_some(p)
    }

    /// Level of deflate, when it is used.
    pub(super) fn level(&self) -> Option<u8> {
        self.deflate.map(|(_, level)| level)
    }

    /// Whether chunks lie in the file as they are in memory.
    pub(super) fn is_plain(&self) -> bool {
        self.shuffle.is_none() && self.deflate.is_none() && self.sums() == 0
    }

    /// Whether chunks can be written too: checksums are only read.
    pub(super) fn encodes(&self) -> bool {
        self.sums() == 0
    }

    fn sums(&self) -> usize {
        usize::from(self.inner_sum.is_some()) + usize::from(self.outer_sum.is_some())
    }

    /// Whether `stored` bytes can hold a chunk of `bytes` at all, to be asked before memory is taken for it.
    pub(super) fn plausible(&self, stored: u64, bytes: u64, mask: u32) -> bool {
        match self.deflate {
            Some((at, _)) if mask & (1 << at) == 0 => {
                bytes <= stored.saturating_mul(BEST_DEFLATE).saturating_add(BEST_DEFLATE)
            }
            // A chunk of other length is damaged; the checksums are counted when they are checked.
            _ => stored >= bytes && stored <= bytes + 8,
        }
    }

    /// Undoes the filters, but for those set in `mask`, and fills `out`.
    pub(super) fn decode(&self, stored: &[u8], mask: u32, out: &mut [u8]) -> Result<(), String> {
        let on = |at: Option<usize>| at.is_some_and(|at| mask & (1 << at) == 0);
        let outer = if on(self.outer_sum) { summed(stored)? } else { stored };
        SCRATCH.with_borrow_mut(|s| {
            let mut data = outer;
            let (shuffled, inner) = (on(self.shuffle), on(self.inner_sum));
            if on(self.deflate.map(|(at, _)| at)) {
                if !shuffled && !inner {
                    return inflate(&mut s.inflate, data, out);
                }
                let length = out.len() + if inner { 4 } else { 0 };
                if s.bytes.len() < length {
                    s.bytes.resize(length, 0);
                }
                let bytes = s.bytes.get_mut(..length).unwrap_or_default();
                inflate(&mut s.inflate, data, bytes)?;
                data = bytes;
            }
            if inner {
                data = summed(data)?;
            }
            if data.len() != out.len() {
                return Err(format!("{} bytes, expected {}", data.len(), out.len()));
            }
            if shuffled {
                unshuffle(self.size, data, out);
            } else {
                out.copy_from_slice(data);
            }
            Ok(())
        })
    }

    /// Applies all filters to a chunk.
    pub(super) fn encode(&self, chunk: &[u8]) -> Result<Vec<u8>, String> {
        SCRATCH.with_borrow_mut(|s| {
            let mut plain = chunk;
            if self.shuffle.is_some() {
                s.bytes.resize(s.bytes.len().max(chunk.len()), 0);
                let bytes = s.bytes.get_mut(..chunk.len()).unwrap_or_default();
                shuffle(self.size, chunk, bytes);
                plain = bytes;
            }
            if !self.encodes() {
                return Err("checksums are not written".into());
            }
            let Some((_, level)) = self.deflate else { return Ok(plain.to_vec()) };
            if (1..=MOST_RLE).contains(&level) && mostly_zero(plain) {
                return deflate_runs(level, plain);
            }
            deflate(&mut s.deflate, level, plain)
        })
    }
}

fn inflate(with: &mut Decompressor, data: &[u8], out: &mut [u8]) -> Result<(), String> {
    match with.zlib_decompress(data, out) {
        Ok(n) if n == out.len() => Ok(()),
        Ok(n) => Err(format!("it inflates to {n} bytes, expected {}", out.len())),
        Err(_) => Err(format!("it does not inflate to the {} bytes expected", out.len())),
    }
}

fn deflate(cached: &mut Option<(u8, Compressor)>, level: u8, plain: &[u8]) -> Result<Vec<u8>, String> {
    if cached.as_ref().is_none_or(|(l, _)| *l != level) {
        let known = CompressionLvl::new(i32::from(level)).map_err(|_| format!("no deflate level {level}"))?;
        *cached = Some((level, Compressor::new(known)));
    }
    let Some((_, with)) = cached else { return Err("no compressor".into()) };
    let mut out = vec![0; with.zlib_compress_bound(plain.len())];
    let n = with.zlib_compress(plain, &mut out).map_err(|e| format!("deflate failed: {e:?}"))?;
    out.truncate(n);
    Ok(out)
}

/// Whether nearly all bytes are zero, as in a sparse matrix that is stored dense.
fn mostly_zero(plain: &[u8]) -> bool {
    let zeros: usize = plain.iter().map(|b| usize::from(*b == 0)).sum();
    zeros >= plain.len() - plain.len() / 8
}

/// Deflate that looks for runs of one byte only. In long runs of zeros a search for other matches finds little, and
/// costs more than everything else.
fn deflate_runs(level: u8, plain: &[u8]) -> Result<Vec<u8>, String> {
    let config =
        DeflateConfig { level: i32::from(level), strategy: Strategy::Rle, ..DeflateConfig::default() };
    let mut out = vec![0; compress_bound(plain.len())];
    let (packed, code) = compress_slice(&mut out, plain, config);
    let n = packed.len();
    if code != ReturnCode::Ok {
        return Err(format!("deflate failed: {code:?}"));
    }
    out.truncate(n);
    Ok(out)
}

/// What lies before a Fletcher checksum, when it is right.
fn summed(data: &[u8]) -> Result<&[u8], String> {
    let Some((plain, stored)) = data.split_last_chunk::<4>() else {
        return Err(format!("{} bytes, too few for a checksum", data.len()));
    };
    let [a, b, c, d] = fletcher32(plain).to_le_bytes();
    // HDF5 1.6.2 and earlier wrote each half the other way round.
    if *stored == [a, b, c, d] || *stored == [b, a, d, c] {
        Ok(plain)
    } else {
        Err("its checksum is wrong".into())
    }
}

/// Fletcher's checksum over big-endian 16-bit words, as HDF5 computes it.
fn fletcher32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (0u32, 0u32);
    let (words, rest) = data.as_chunks::<2>();
    // 360 words cannot overflow 32 bits.
    for words in words.chunks(360) {
        for word in words {
            a += u32::from(u16::from_be_bytes(*word));
            b += a;
        }
        a = (a & 0xffff) + (a >> 16);
        b = (b & 0xffff) + (b >> 16);
    }
    if let [last] = rest {
        a += u32::from(*last) << 8;
        b += a;
        a = (a & 0xffff) + (a >> 16);
        b = (b & 0xffff) + (b >> 16);
    }
    a = (a & 0xffff) + (a >> 16);
    b = (b & 0xffff) + (b >> 16);
    (b << 16) | a
}

/// Puts the first bytes of all elements first, then the second ones, and so on.
fn shuffle(size: usize, from: &[u8], to: &mut [u8]) {
    fn fixed<const N: usize>(from: &[u8], to: &mut [u8], n: usize) {
        for (j, plane) in to.chunks_exact_mut(n).enumerate().take(N) {
            for (slot, element) in plane.iter_mut().zip(from.as_chunks::<N>().0) {
                *slot = element[j];
            }
        }
    }
    let n = from.len() / size.max(1);
    match size {
        2 if n > 0 => fixed::<2>(from, to, n),
        4 if n > 0 => fixed::<4>(from, to, n),
        8 if n > 0 => fixed::<8>(from, to, n),
        _ => to.copy_from_slice(from),
    }
}

/// Undoes [`shuffle`].
fn unshuffle(size: usize, from: &[u8], to: &mut [u8]) {
    let n = from.len() / size.max(1);
    let plane = |j: usize| from.get(j * n..(j + 1) * n).unwrap_or_default();
    match size {
        2 => {
            let planes = [plane(0), plane(1)];
            for (i, to) in to.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                *to = planes.map(|p| p[i]);
            }
        }
        4 => {
            let (a, b, c, d) = (plane(0), plane(1), plane(2), plane(3));
            let planes = a.iter().zip(b).zip(c).zip(d);
            for (to, (((a, b), c), d)) in to.as_chunks_mut::<4>().0.iter_mut().zip(planes) {
                *to = [*a, *b, *c, *d];
            }
        }
        8 => {
            let low = plane(0).iter().zip(plane(1)).zip(plane(2)).zip(plane(3));
            let high = plane(4).iter().zip(plane(5)).zip(plane(6)).zip(plane(7));
            for ((to, (((a, b), c), d)), (((e, f), g), h)) in
                to.as_chunks_mut::<8>().0.iter_mut().zip(low).zip(high)
            {
                *to = [*a, *b, *c, *d, *e, *f, *g, *h];
            }
        }
        _ => to.copy_from_slice(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_back_gives_the_same_bytes() {
        for size in [1, 2, 4, 8] {
            let plain: Vec<u8> = (0..size * 37).map(|i| (i * 31) as u8).collect();
            let (mut there, mut back) = (vec![0; plain.len()], vec![0; plain.len()]);
            shuffle(size, &plain, &mut there);
            if size > 1 {
                assert_eq!(there[1], plain[size], "element size {size}");
            }
            unshuffle(size, &there, &mut back);
            assert_eq!(back, plain, "element size {size}");
        }
    }

    #[test]
    fn every_level_inflates_to_what_was_deflated() {
        let plain: Vec<u8> = (0..4000u32).flat_map(|i| (i * i % 97).to_ne_bytes()).collect();
        for level in 0..=9 {
            let p = Pipeline::of(&[Filter::shuffle(), Filter::deflate(level)], 4).unwrap();
            let stored = p.encode(&plain).unwrap();
            let mut back = vec![0; plain.len()];
            p.decode(&stored, 0, &mut back).unwrap();
            assert_eq!(back, plain);
            assert!(p.plausible(stored.len() as u64, plain.len() as u64, 0));
        }
    }

    #[test]
    fn chunks_of_zeros_shrink_as_much_by_runs_alone() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        let counts: Vec<u8> = (0..4096)
            .map(|_| if next() % 14 == 0 { 1.0 + (next() % 3) as f32 } else { 0.0 })
            .flat_map(f32::to_ne_bytes)
            .collect();
        let size = |level| {
            let p = Pipeline::of(&[Filter::shuffle(), Filter::deflate(level)], 4).unwrap();
            let stored = p.encode(&counts).unwrap();
            let mut back = vec![0; counts.len()];
            p.decode(&stored, 0, &mut back).unwrap();
            assert!(back == counts, "level {level}");
            stored.len()
        };
        assert!(mostly_zero(&[0; 64]) && !mostly_zero(&[1; 64]) && mostly_zero(&[]));
        assert!(size(MOST_RLE) <= size(MOST_RLE + 1) * 5 / 4);
        assert!((1..=9).all(|level| size(level) < counts.len() / 8));
    }

    #[test]
    fn a_chunk_of_another_length_is_refused() {
        let p = Pipeline::of(&[Filter::shuffle(), Filter::deflate(4)], 4).unwrap();
        let stored = p.encode(&[7; 400]).unwrap();
        assert!(p.decode(&stored, 0, &mut [0; 396]).is_err());
        assert!(p.decode(&stored, 0, &mut [0; 404]).unwrap_err().contains("400 bytes, expected 404"));
        assert!(p.decode(&stored[..stored.len() - 1], 0, &mut [0; 400]).is_err());
        assert!(!p.plausible(20, 1 << 20, 0));
    }

    #[test]
    fn filters_in_an_order_not_known_are_left_to_the_library() {
        assert!(Pipeline::of(&[Filter::deflate(1), Filter::shuffle()], 4).is_none());
        assert!(Pipeline::of(&[Filter::lzf()], 4).is_none());
        assert!(Pipeline::of(&[Filter::deflate(1), Filter::deflate(1)], 4).is_none());
    }
}
