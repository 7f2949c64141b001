//! What writing a data set will take, roughly.

use std::path::Path;

use serde::Serialize;

use super::codec::Format;
use super::loss::{Fate, Part, Place, fates};
use super::options::{Compression, WriteOptions};
use crate::data::Dataset;

/// Rough figures of reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Bytes of the input on disk.
    pub input_bytes: u64,
    /// Bytes the output takes uncompressed.
    pub output_bytes: u64,
    /// Bytes of memory at most.
    pub memory_bytes: u64,
    /// Seconds, on two cores of today.
    pub seconds: f64,
}

/// Works out the figures; data made in memory have no `from`.
pub(super) fn estimate(
    dataset: &Dataset,
    from: Option<Format>,
    to: Format,
    options: &WriteOptions,
) -> Estimate {
    let (all, fates): (Vec<Part>, Vec<Fate>) = fates(dataset, to, options).into_iter().unzip();
    let left = |fate: &Fate| matches!(fate, Fate::Left { .. });
    let kept: u64 = all.iter().zip(&fates).filter(|(_, f)| !left(f)).map(|(p, _)| p.stored_bytes(to)).sum();
    let read: u64 = all.iter().map(|p| p.bytes).sum();
    let beside: u64 = all
        .iter()
        .filter(|p| !matches!(p.place, Place::X | Place::Layers | Place::Raw))
        .map(|p| p.bytes)
        .sum();
    // Runs with all their zeros, on their way out.
    let grows = |p: &Part| p.place == Place::X && p.stored_bytes(to) > p.bytes;
    let zeros = if all.iter().any(grows) { kept.min(options.memory / 8) } else { 0 };
    let pointers = 8 * (dataset.n_obs() as u64 + dataset.n_vars() as u64);
    let written = match options.compression {
        Some(Compression::None) => kept as f64 / 1e9,
        _ => kept as f64 / to.codec().write_rate,
    };
    let reading = from.map_or(0.0, |from| read as f64 / from.codec().read_rate);
    Estimate {
        input_bytes: size(&dataset.source.path),
        output_bytes: kept,
        memory_bytes: (40 << 20) + 3 * beside + 4 * pointers + zeros + read.min(options.memory / 2),
        seconds: reading + written,
    }
}

/// Bytes of a file, or of all files in a folder.
fn size(path: &Path) -> u64 {
    match std::fs::read_dir(path) {
        Ok(entries) => {
            entries.flatten().filter_map(|e| e.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum()
        }
        Err(_) => path.metadata().map_or(0, |m| m.len()),
    }
}
