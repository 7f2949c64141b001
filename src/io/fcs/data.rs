//! DATA: events read straight into the memory they stay in.

use std::fs::File;
use std::io;
use std::path::Path;

use bytemuck::Pod;
use rayon::prelude::*;

use super::layout::{Channel, Kind, Layout};
use crate::data::{Element, Values};
use crate::io::{ReadError, ReadLimits};

/// Bytes one thread reads and converts at a time: small enough to stay in the cache between the two.
const CHUNK_BYTES: u64 = 1 << 20;

/// A stored number: its bytes can be turned round and, for integers, masked.
trait Stored: Pod + Element {
    fn turned(self) -> Self;
    fn masked(self, mask: u64) -> Self;
}

macro_rules! stored {
    (integer $($t:ty)*) => {$(
        impl Stored for $t {
            fn turned(self) -> Self { self.swap_bytes() }
            // A mask is never wider than its channel.
            fn masked(self, mask: u64) -> Self { self & mask as $t }
        }
    )*};
    (float $($t:ty)*) => {$(
        impl Stored for $t {
            fn turned(self) -> Self { Self::from_bits(self.to_bits().swap_bytes()) }
            fn masked(self, _: u64) -> Self { self }
        }
    )*};
}
stored!(integer u8 u16 u32 u64);
stored!(float f32 f64);

/// Reads all events, row by row, in the stored type; integers become the smallest unsigned type that holds every
/// channel. The layout has been checked against the length of the file.
pub(super) fn read(
    path: &Path,
    file: &File,
    layout: &Layout,
    limits: &ReadLimits,
) -> Result<Values, ReadError> {
    let widest = layout.channels.iter().map(|c| c.bytes).max().unwrap_or(0);
    let memory = widest.next_power_of_two();
    let even = layout.channels.iter().all(|c| c.bytes == memory);
    let n = layout.n_events.saturating_mul(layout.channels.len() as u64);
    let n = limits.check(path, "DATA", n, memory)?;
    let source = Source { path, file, layout };
    match (layout.kind, memory, even) {
        (Kind::Float, ..) => source.straight::<f32>(n),
        (Kind::Double, ..) => source.straight::<f64>(n),
        (Kind::Integer, 1, true) => source.straight::<u8>(n),
        (Kind::Integer, 2, true) => source.straight::<u16>(n),
        (Kind::Integer, 4, true) => source.straight::<u32>(n),
        (Kind::Integer, 8, true) => source.straight::<u64>(n),
        (Kind::Integer, 1, false) => source.decoded(n, |v| v as u8),
        (Kind::Integer, 2, false) => source.decoded(n, |v| v as u16),
        (Kind::Integer, 4, false) => source.decoded(n, |v| v as u32),
        (Kind::Integer, ..) => source.decoded(n, |v| v),
    }
}

struct Source<'a> {
    path: &'a Path,
    file: &'a File,
    layout: &'a Layout,
}

impl Source<'_> {
    /// Every value is stored as a `T`: the bytes go where the values stay and are turned round there.
    fn straight<T: Stored>(&self, n: usize) -> Result<Values, ReadError> {
        let turn = size_of::<T>() > 1 && self.layout.big_endian != cfg!(target_endian = "big");
        let masks: Vec<u64> = self.layout.channels.iter().map(|c| c.mask).collect();
        let full = u64::MAX >> (64 - 8 * size_of::<T>());
        let mask = self.layout.kind == Kind::Integer && masks.iter().any(|&m| m != full);
        self.fill(n, |offset, rows: &mut [T]| {
            self.read_at(bytemuck::cast_slice_mut(rows), offset)?;
            if turn {
                rows.iter_mut().for_each(|v| *v = v.turned());
            }
            if mask {
                for event in rows.chunks_exact_mut(masks.len()) {
                    for (v, &m) in event.iter_mut().zip(&masks) {
                        *v = v.masked(m);
                    }
                }
            }
            Ok(())
        })
    }

    /// Channels of several or odd widths: decoded one by one.
    fn decoded<T: Element>(&self, n: usize, narrow: impl Fn(u64) -> T + Sync) -> Result<Values, ReadError> {
        let event_bytes = self.layout.event_bytes() as usize;
        let channels = &self.layout.channels;
        self.fill(n, |offset, rows: &mut [T]| {
            let mut bytes = vec![0; rows.len() / channels.len() * event_bytes];
            self.read_at(&mut bytes, offset)?;
            for (event, values) in bytes.chunks_exact(event_bytes).zip(rows.chunks_exact_mut(channels.len()))
            {
                let mut rest = event;
                for (channel, value) in channels.iter().zip(values) {
                    let (own, after) = rest.split_at(channel.bytes);
                    rest = after;
                    *value = narrow(integer(own, channel, self.layout.big_endian));
                }
            }
            Ok(())
        })
    }

    /// Makes the buffer and lets all cores fill runs of whole events: `fill_rows(offset in the file, events)`.
    fn fill<T: Element>(
        &self,
        n: usize,
        fill_rows: impl Fn(u64, &mut [T]) -> io::Result<()> + Sync,
    ) -> Result<Values, ReadError> {
        let event_bytes = self.layout.event_bytes();
        let rows_per_chunk = (CHUNK_BYTES / event_bytes).max(1);
        let mut values = vec![T::default(); n];
        values
            .par_chunks_mut(rows_per_chunk as usize * self.layout.channels.len())
            .enumerate()
            .try_for_each(|(i, rows)| {
                fill_rows(self.layout.begin + i as u64 * rows_per_chunk * event_bytes, rows)
            })
            .map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => {
                    ReadError::malformed(self.path, "DATA", "the file became shorter while it was read")
                }
                _ => ReadError::io(self.path, e),
            })?;
        Ok(T::wrap(values))
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self.file, bytes, offset)
    }

    /// Threads may not share a position: each read opens the file anew.
    #[cfg(not(unix))]
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = File::open(self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(bytes)
    }
}

/// An unsigned integer of one to eight bytes.
fn integer(bytes: &[u8], channel: &Channel, big_endian: bool) -> u64 {
    let push = |v: u64, b: &u8| v << 8 | u64::from(*b);
    let value = if big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) };
    value & channel.mask
}
