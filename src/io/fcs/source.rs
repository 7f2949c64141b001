//! DATA left on disk: runs of events are read when they are asked for.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use ndarray::Array2;
use rayon::prelude::*;

use super::ascii::{EVENTS_PER_MARK, TextIndex};
use super::chain::Parts;
use super::channel::Stored;
use super::decode::{self, DecodePlan, Number};
use super::layout::Layout;
use super::store::Store;
use crate::data::{
    self, Block, BlockSink, DType, DataError, Dense, Element, RowSource, Values, pick_dense, rows_per_run,
};
use crate::io::error::ReadError;
use crate::io::limits::ReadLimits;
use crate::with_values;

/// Bytes one thread reads and converts at a time: small enough to stay in the cache between the two.
const CHUNK_BYTES: u64 = 256 << 10;
/// Events handed over at a time when columns are picked.
const EVENTS_PER_RUN: usize = 8192;
/// Channels named in the warning about large values.
const NAMED: usize = 5;

/// The events of one data set.
#[derive(Debug)]
pub(super) struct Events {
    path: PathBuf,
    store: Store,
    layout: Layout,
    n_events: usize,
    index: Option<TextIndex>,
    plan: DecodePlan,
    limits: ReadLimits,
    /// Whether the warning about values above `$PnR` was given.
    warned: AtomicBool,
}

impl Events {
    pub(super) fn new(path: PathBuf, parts: Parts, limits: ReadLimits) -> Result<Self, ReadError> {
        let Parts { store, layout, index, .. } = parts;
        let n_events = usize::try_from(layout.n_events.unwrap_or(0)).ok();
        let n_events = n_events
            .filter(|n| n.checked_mul(layout.channels.len()).is_some())
            .ok_or_else(|| ReadError::malformed(&path, "$TOT", "more events than this machine can count"))?;
        let plan = DecodePlan::new(&layout);
        Ok(Self { path, store, layout, n_events, index, plan, limits, warned: AtomicBool::new(false) })
    }

    /// Events `range`, in memory.
    fn values(&self, range: Range<usize>) -> Result<Values, ReadError> {
        match self.layout.dtype {
            DType::U8 => self.typed::<u8>(range),
            DType::U16 => self.typed::<u16>(range),
            DType::U32 => self.typed::<u32>(range),
            DType::U64 => self.typed::<u64>(range),
            DType::F32 => self.typed::<f32>(range),
            _ => self.typed::<f64>(range),
        }
    }

    /// Makes the buffer and lets all cores fill runs of whole events.
    fn typed<T: Number>(&self, range: Range<usize>) -> Result<Values, ReadError> {
        let par = self.layout.channels.len();
        let n = (range.len() as u64).saturating_mul(par as u64);
        let n = self.limits.check(&self.path, "DATA", n, size_of::<T>())?;
        let mut values = vec![T::default(); n];
        let per_chunk = (CHUNK_BYTES / (par * size_of::<T>()) as u64).max(1) as usize;
        let fill = |first: usize, rows: &mut [T]| match &self.plan {
            DecodePlan::Straight { turn, masks } => {
                let at = self.layout.begin + first as u64 * (par * size_of::<T>()) as u64;
                self.read_at(bytemuck::cast_slice_mut(rows), at)?;
                decode::settle(rows, *turn, masks.as_deref());
                Ok(())
            }
            _ => self.convert(first..first + rows.len() / par, rows),
        };
        if let DecodePlan::FreeText = self.plan {
            fill(range.start, &mut values)?;
        } else if n <= per_chunk * par {
            fill(range.start, &mut values)?;
        } else {
            values
                .par_chunks_mut(per_chunk * par)
                .enumerate()
                .try_for_each(|(i, rows)| fill(range.start + i * per_chunk, rows))?;
        }
        Ok(T::wrap(values))
    }

    /// Reads the bytes of events `range` and converts them.
    fn convert<T: Number>(&self, range: Range<usize>, rows: &mut [T]) -> Result<(), ReadError> {
        let (start, end) = (range.start as u64, range.end as u64);
        let event_bits = self.layout.event_bits();
        // What was checked at opening keeps this below 2^67: 128 bits are safe.
        let bit = |event: u64| u128::from(event) * u128::from(event_bits);
        let (from, to) = match &self.index {
            Some(index) => {
                let span = index.span(start / EVENTS_PER_MARK, end.div_ceil(EVENTS_PER_MARK));
                (span.start, span.end)
            }
            None => {
                (self.layout.begin + (bit(start) / 8) as u64, self.layout.begin + bit(end).div_ceil(8) as u64)
            }
        };
        let len = self.limits.check(&self.path, "DATA", to.saturating_sub(from), 1)?;
        let mut bytes = vec![0; len];
        self.read_at(&mut bytes, from)?;
        let done = match &self.plan {
            DecodePlan::Fields(fields) => decode::fields(fields, &bytes, rows),
            DecodePlan::Bits { fields, big_endian } => {
                decode::bits(fields, *big_endian, ((bit(start) % 8) as u64, event_bits), &bytes, rows)
            }
            DecodePlan::Digits(widths) => decode::digits(widths, &bytes, rows),
            DecodePlan::FreeText | DecodePlan::Straight { .. } => {
                let skip = (start % EVENTS_PER_MARK) as usize * self.layout.channels.len();
                decode::free_text(skip, &bytes, rows)
            }
        };
        done.map_err(|what| {
            ReadError::malformed(
                &self.path,
                format!("DATA, events {} to {}", range.start, range.end - 1),
                what,
            )
        })
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> Result<(), ReadError> {
        self.store.read_exact_at(bytes, at).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => {
                ReadError::malformed(&self.path, "DATA", "the file became shorter while it was read")
            }
            _ => ReadError::io(&self.path, e),
        })
    }

    /// Largest value each channel should hold: `$PnR` itself for floats, one less for integers. NaN when not known.
    fn tops(&self) -> Vec<f64> {
        let top = |c: &super::channel::Channel| match c.stored {
            Stored::Integer(_) | Stored::Digits(_) => c.range - 1.0,
            Stored::Float | Stored::Double => c.range,
        };
        self.layout.channels.iter().map(top).collect()
    }

    /// Says how many values lie above `$PnR`, once for each file.
    fn warn_above(&self, above: &[u64]) {
        let found: Vec<_> = above.iter().zip(&self.layout.channels).filter(|(n, _)| **n > 0).collect();
        if found.is_empty() || self.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut list: Vec<String> =
            found.iter().take(NAMED).map(|(n, c)| format!("{n} of `{}`", c.name)).collect();
        if found.len() > NAMED {
            list.push(format!("and of {} more channels", found.len() - NAMED));
        }
        tracing::warn!(
            "{}: values above $PnR are kept as they are: {}",
            self.path.display(),
            list.join(", ")
        );
    }
}

/// Adds to `above` how many values of each column lie above `tops`.
fn count_above<T: Element>(rows: &[T], tops: &[f64], above: &mut [u64]) {
    for event in rows.chunks_exact(tops.len()) {
        for ((v, top), n) in event.iter().zip(tops).zip(above.iter_mut()) {
            *n += u64::from(v.to_f64() > *top);
        }
    }
}

impl RowSource for Events {
    fn shape(&self) -> (usize, usize) {
        (self.n_events, self.layout.channels.len())
    }

    fn dtype(&self) -> DType {
        self.layout.dtype
    }

    fn layout(&self) -> data::Layout {
        data::Layout::Dense
    }

    fn nnz(&self) -> Option<u64> {
        None
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        if range.end > self.n_events || range.start > range.end {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: self.n_events });
        }
        let n = range.len();
        Ok(Block::Dense(Dense::new(n, self.layout.channels.len(), self.values(range)?)?))
    }

    /// Reads ahead in a thread of its own while `sink` works on the run before.
    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let (n_rows, n_cols) = self.shape();
        // Three runs may be in memory at once.
        let step = rows_per_run(memory / 3, (n_cols * self.layout.dtype.size()) as u64);
        let tops = self.tops();
        let mut above = vec![0; n_cols];
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(1);
            scope.spawn({
                let (tops, above) = (&tops, &mut above);
                move || {
                    for start in (0..n_rows).step_by(step) {
                        let block = self.rows(start..(start + step).min(n_rows));
                        if let Ok(Block::Dense(d)) = &block {
                            with_values!(d.values(), v => count_above(v, tops, above));
                        }
                        // The receiver is gone once `sink` failed.
                        if send.send((start, block)).is_err() {
                            return;
                        }
                    }
                }
            });
            receive.into_iter().try_for_each(|(start, block)| sink(start, block?))
        })?;
        self.warn_above(&above);
        Ok(())
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let (n_rows, n_cols) = self.shape();
        if let Some(&c) = columns.iter().find(|&&c| c >= n_cols) {
            return Err(DataError::OutOfRange { what: "column", index: c, len: n_cols });
        }
        for start in (0..n_rows).step_by(EVENTS_PER_RUN) {
            let values = self.values(start..(start + EVENTS_PER_RUN).min(n_rows))?;
            sink(start, with_values!(&values, v => pick_dense(v, n_cols, columns)))?;
        }
        Ok(())
    }
}
