//! What writing a data set will take, roughly.

use std::path::Path;

use serde::Serialize;

use super::loss::{Place, parts, rule, tables_of};
use super::{Compression, Format, WriteOptions};
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

/// Uncompressed bytes a second that each format is read and written at on two cores, measured with the scripts in
/// `benches/`; text is the slow one.
fn rate(format: Format, reading: bool) -> f64 {
    let megabytes = match (format, reading) {
        (Format::H5ad | Format::TenxH5, true) => 800.0,
        (Format::H5ad | Format::TenxH5, false) => 250.0,
        (Format::Loom, true) => 1500.0,
        (Format::Loom, false) => 800.0,
        (Format::Fcs, _) => 1000.0,
        (Format::TenxMtx | Format::Csv | Format::Parquet, true) => 300.0,
        (Format::TenxMtx | Format::Csv | Format::Parquet, false) => 100.0,
    };
    megabytes * 1e6
}

/// Works out the figures; data made in memory have no `from`.
pub(super) fn estimate(
    dataset: &Dataset,
    from: Option<Format>,
    to: Format,
    options: &WriteOptions,
) -> Estimate {
    let tables = tables_of(dataset, options);
    let all = parts(dataset);
    let kept: u64 = all
        .iter()
        .filter(|p| !rule(p).left_by(to, p, tables, options.compat))
        .map(|p| if p.place == Place::X { grown(dataset, to, p.bytes) } else { p.bytes })
        .sum();
    let read: u64 = all.iter().map(|p| p.bytes).sum();
    let beside: u64 = all
        .iter()
        .filter(|p| !matches!(p.place, Place::X | Place::Layers | Place::Raw))
        .map(|p| p.bytes)
        .sum();
    let pointers = 8 * (dataset.n_obs() as u64 + dataset.n_vars() as u64);
    let written = match options.compression {
        Some(Compression::None) => kept as f64 / 1e9,
        _ => kept as f64 / rate(to, false),
    };
    let reading = from.map_or(0.0, |from| read as f64 / rate(from, true));
    Estimate {
        input_bytes: size(&dataset.source.path),
        output_bytes: kept,
        memory_bytes: (40 << 20) + 3 * beside + 4 * pointers + read.min(options.memory / 2),
        seconds: reading + written,
    }
}

/// Dense formats hold every zero.
fn grown(dataset: &Dataset, to: Format, bytes: u64) -> u64 {
    match (to, &dataset.x) {
        (Format::Loom | Format::Fcs, Some(x)) => {
            let (n, g) = x.shape();
            (n as u64).saturating_mul(g as u64).saturating_mul(x.dtype().size() as u64)
        }
        _ => bytes,
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
