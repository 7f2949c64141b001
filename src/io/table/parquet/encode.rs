//! Values as Parquet stores them: plain, and the hybrid of runs and packed bits for codes and levels.

use super::thrift::varint;
use crate::data::Values;

/// Numbers one after the other, little endian; those of 8 and 16 bits take 32, booleans one bit.
pub(super) fn plain(values: &Values, keep: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    macro_rules! each {
        ($v:expr, $x:ident => $bytes:expr) => {
            for (_, &$x) in $v.iter().enumerate().filter(|(i, _)| keep(*i)) {
                out.extend_from_slice(&$bytes);
            }
        };
    }
    match values {
        Values::Bool(v) => {
            let kept: Vec<bool> = v.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, b)| *b).collect();
            out.extend(kept.chunks(8).map(|c| c.iter().rev().fold(0u8, |byte, b| byte << 1 | u8::from(*b))));
        }
        Values::I8(v) => each!(v, x => i32::from(x).to_le_bytes()),
        Values::I16(v) => each!(v, x => i32::from(x).to_le_bytes()),
        Values::U8(v) => each!(v, x => i32::from(x).to_le_bytes()),
        Values::U16(v) => each!(v, x => i32::from(x).to_le_bytes()),
        Values::I32(v) => each!(v, x => x.to_le_bytes()),
        Values::U32(v) => each!(v, x => x.to_le_bytes()),
        Values::I64(v) => each!(v, x => x.to_le_bytes()),
        Values::U64(v) => each!(v, x => x.to_le_bytes()),
        Values::F16(v) => each!(v, x => x.to_le_bytes()),
        Values::F32(v) => each!(v, x => x.to_le_bytes()),
        Values::F64(v) => each!(v, x => x.to_le_bytes()),
    }
    out
}

/// A text with its length before it.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Bits a code below `n` takes, one at least.
pub(super) fn bits_for(n: usize) -> u8 {
    (usize::BITS - n.saturating_sub(1).leading_zeros()).max(1) as u8
}

/// Codes of `bits` bits each: repeated ones as runs, others packed in groups of eight.
pub(super) fn hybrid(codes: &[u32], bits: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut packed = 0..0;
    while let Some(&code) = codes.get(at) {
        let run = codes.iter().skip(at).take_while(|c| **c == code).count();
        if run >= 8 && packed.len().is_multiple_of(8) {
            pack(&mut out, codes.get(packed).unwrap_or(&[]), bits);
            varint(&mut out, (run as u64) << 1);
            out.extend(code.to_le_bytes().iter().take(usize::from(bits).div_ceil(8)));
            at += run;
            packed = at..at;
        } else {
            at += 1;
            packed.end = at;
        }
    }
    pack(&mut out, codes.get(packed).unwrap_or(&[]), bits);
    out
}

fn pack(out: &mut Vec<u8>, codes: &[u32], bits: u8) {
    if codes.is_empty() {
        return;
    }
    varint(out, (codes.len().div_ceil(8) as u64) << 1 | 1);
    for group in codes.chunks(8) {
        let (mut buffer, mut filled) = (0u64, 0u32);
        for i in 0..8 {
            // A group is always whole; what is behind the end is never read.
            buffer |= u64::from(group.get(i).copied().unwrap_or(0)) << filled;
            filled += u32::from(bits);
            while filled >= 8 {
                out.push(buffer as u8);
                buffer >>= 8;
                filled -= 8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads codes back, by the words of the standard.
    fn read(bytes: &[u8], bits: u8, n: usize) -> Vec<u32> {
        let mut out = Vec::new();
        let mut at = 0;
        while out.len() < n {
            let (mut head, mut shift) = (0u64, 0);
            loop {
                let b = bytes[at];
                at += 1;
                head |= u64::from(b & 0x7f) << shift;
                shift += 7;
                if b < 0x80 {
                    break;
                }
            }
            if head & 1 == 0 {
                let width = usize::from(bits).div_ceil(8);
                let mut code = [0; 4];
                code[..width].copy_from_slice(&bytes[at..at + width]);
                at += width;
                out.extend(std::iter::repeat_n(u32::from_le_bytes(code), (head >> 1) as usize));
            } else {
                let count = (head >> 1) as usize * 8;
                for i in 0..count {
                    let bit = |k: usize| u32::from(bytes[at + k / 8] >> (k % 8) & 1);
                    out.push((0..usize::from(bits)).map(|b| bit(i * usize::from(bits) + b) << b).sum());
                }
                at += count / 8 * usize::from(bits);
            }
        }
        out.truncate(n);
        out
    }

    #[test]
    fn codes_read_back_whatever_their_runs() {
        for (n, bits) in [(2usize, 1u8), (5, 3), (300, 9), (70_000, 17)] {
            assert_eq!(bits_for(n), bits);
            for seed in 1..20usize {
                let codes: Vec<u32> =
                    (0..seed * 13).map(|i| ((i / (1 + i % seed.min(9) * seed) * 7919) % n) as u32).collect();
                assert_eq!(read(&hybrid(&codes, bits), bits, codes.len()), codes, "{n} {seed}");
            }
        }
        assert_eq!(hybrid(&[1; 100], 1), [200, 1, 1]);
    }

    #[test]
    fn booleans_are_packed_from_the_lowest_bit() {
        let v = Values::Bool(vec![true, false, true, true, false, false, false, false, true]);
        assert_eq!(plain(&v, |_| true), [0b1101, 1]);
        assert_eq!(plain(&v, |i| i != 0), [0b1000_0110]);
    }
}
