//! How values will be stored, decided by a look at all of them before a file is written: whole numbers of an FCS file
//! stay whole numbers, of others singles are enough, or doubles are needed.

use std::path::Path;

use super::channel::Stored;
use super::compose::Column;
use crate::data::{Block, DType, DataError, Element, Layout, Matrix, Values};
use crate::io::error::WriteError;
use crate::with_values;

/// How the values of a file are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Storage {
    /// `$DATATYPE` F.
    Single,
    /// `$DATATYPE` D.
    Double,
    /// `$DATATYPE` I, with the `$PnB` of each channel: 8, 16 or 32.
    Whole(Vec<u32>),
}

impl Storage {
    /// `$DATATYPE`.
    pub(super) fn letter(&self) -> &'static str {
        match self {
            Storage::Single => "F",
            Storage::Double => "D",
            Storage::Whole(_) => "I",
        }
    }

    /// The type of channel `i`, from 0.
    pub(super) fn of(&self, i: usize) -> Stored {
        match self {
            Storage::Single => Stored::Float,
            Storage::Double => Stored::Double,
            Storage::Whole(bits) => Stored::Integer(bits.get(i).copied().unwrap_or(32)),
        }
    }

    /// Bytes of an event of `n` channels.
    pub(super) fn event_bytes(&self, n: usize) -> u64 {
        (0..n).map(|i| self.of(i).bits() / 8).sum()
    }
}

/// The storage that keeps every value of `x`. `from_fcs`: the columns are the channels of an FCS file, whose whole numbers
/// mean what `$PnE` says; no reader applies that to floats.
///
/// # Errors
/// [`WriteError::CannotHold`] for a 64-bit integer that no double holds.
pub(super) fn storage(
    x: &Matrix,
    columns: &[Column],
    from_fcs: bool,
    memory: u64,
    path: &Path,
) -> Result<Storage, WriteError> {
    if from_fcs
        && may_stay_whole(x.dtype(), x.layout())
        && let Some(bits) = whole(x, columns, memory).map_err(|e| WriteError::streamed(path, e))?
    {
        return Ok(Storage::Whole(bits));
    }
    Ok(if needs_doubles(x, memory, path)? { Storage::Double } else { Storage::Single })
}

/// Whether values of this type may be stored as whole numbers; sparse matrices become floats.
pub(super) fn may_stay_whole(dtype: DType, layout: Layout) -> bool {
    dtype.is_integer() && layout == Layout::Dense
}

/// Bits of each channel; `None` when one holds a negative number, one too large, or one that its range does not let
/// through.
fn whole(x: &Matrix, columns: &[Column], memory: u64) -> Result<Option<Vec<u32>>, DataError> {
    let mut ends = vec![(0.0, 0.0); columns.len()];
    x.stream(memory, &mut |_, block| {
        if let Block::Dense(d) = &block {
            with_values!(d.values(), v => widen(&mut ends, v));
        }
        Ok(())
    })?;
    let bits =
        |(column, (low, high)): (&Column, (f64, f64))| (low >= 0.0).then(|| column.bits_for(high)).flatten();
    Ok(columns.iter().zip(ends).map(bits).collect())
}

/// Widens the smallest and largest value of each column by those of some rows.
fn widen<T: Element>(ends: &mut [(f64, f64)], rows: &[T]) {
    for row in rows.chunks_exact(ends.len().max(1)) {
        for ((low, high), v) in ends.iter_mut().zip(row) {
            let v = v.to_f64();
            (*low, *high) = (low.min(v), high.max(v));
        }
    }
}

/// Stops the walk early.
#[derive(Debug, thiserror::Error)]
#[error("known")]
struct Known;

/// Whether values have to be stored as doubles to stay exact. Types that singles hold need no look.
///
/// # Errors
/// [`WriteError::CannotHold`] for a 64-bit integer that no double holds.
pub(super) fn needs_doubles(x: &Matrix, memory: u64, path: &Path) -> Result<bool, WriteError> {
    match x.dtype() {
        DType::I32 | DType::U32 | DType::I64 | DType::U64 | DType::F64 => {}
        _ => return Ok(false),
    }
    // Every 64-bit integer has to be looked at; of other types the first that needs a double decides.
    let all = matches!(x.dtype(), DType::I64 | DType::U64);
    let mut double = false;
    let walk = x.stream(memory, &mut |_, block| {
        let values = match &block {
            Block::Dense(d) => d.values(),
            Block::Csr(s) => s.values(),
        };
        if let Some(v) = beyond_doubles(values) {
            let what = format!("the value {v} is not exact as a double, the widest type of FCS; write h5ad or loom, which keep it");
            return Err(DataError::stopped(WriteError::CannotHold { path: path.to_owned(), what }));
        }
        double |= beyond_singles(values);
        if double && !all { Err(DataError::stopped(Known)) } else { Ok(()) }
    });
    match walk {
        Ok(()) => Ok(double),
        Err(DataError::Stopped(e)) if e.is::<Known>() => Ok(true),
        Err(e) => Err(WriteError::streamed(path, e)),
    }
}

/// Significant bits of a whole number.
fn bits(v: u64) -> u32 {
    if v == 0 { 0 } else { 64 - v.leading_zeros() - v.trailing_zeros() }
}

pub(super) fn beyond_doubles(values: &Values) -> Option<String> {
    match values {
        Values::U64(v) => v.iter().find(|v| bits(**v) > 53).map(ToString::to_string),
        Values::I64(v) => v.iter().find(|v| bits(v.unsigned_abs()) > 53).map(ToString::to_string),
        _ => None,
    }
}

fn beyond_singles(values: &Values) -> bool {
    match values {
        Values::I32(v) => v.iter().any(|v| bits(u64::from(v.unsigned_abs())) > 24),
        Values::U32(v) => v.iter().any(|v| bits(u64::from(*v)) > 24),
        Values::I64(v) => v.iter().any(|v| bits(v.unsigned_abs()) > 24),
        Values::U64(v) => v.iter().any(|v| bits(*v) > 24),
        Values::F64(v) => v.iter().any(|v| !v.is_nan() && f64::from(*v as f32) != *v),
        _ => false,
    }
}
