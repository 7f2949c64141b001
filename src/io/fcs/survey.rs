//! A look at all values before a file is written: are singles enough, are doubles?

use std::path::Path;

use crate::data::{Block, DType, DataError, Matrix, Values};
use crate::io::error::WriteError;

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

fn beyond_doubles(values: &Values) -> Option<String> {
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
