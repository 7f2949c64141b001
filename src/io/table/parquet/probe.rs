//! Parquet files are known, and not read.

use std::path::Path;

use crate::data::Dataset;
use crate::io::codec::{Fit, Probe};
use crate::io::error::ReadError;
use crate::io::options::ReadOptions;

/// First and last bytes of a Parquet file.
pub(super) const MAGIC: &[u8; 4] = b"PAR1";

/// Whether the first bytes are those of a Parquet file.
pub(in crate::io) fn probe(probe: &Probe) -> Fit {
    if probe.head.starts_with(MAGIC) { Fit::Sure } else { Fit::No }
}

/// Parquet is written, not read.
pub(in crate::io) fn read(path: &Path, _options: &ReadOptions) -> Result<Dataset, ReadError> {
    let (name, csv) = (path.display().to_string(), path.with_extension("csv").display().to_string());
    let what = format!(
        "Parquet is written, not read; save the table as CSV, in Python: import pandas; \
         pandas.read_parquet({name:?}).to_csv({csv:?})"
    );
    Err(ReadError::unsupported(path, what))
}
