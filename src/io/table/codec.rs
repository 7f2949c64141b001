//! What is known of delimited text.

use super::losses::losses;
use crate::data::DType;
use crate::io::codec::{Codec, Format};
use crate::io::loss::{Part, Place};
use crate::io::options::FormatOption;

/// Which table a single file holds.
pub const TABLE: FormatOption = FormatOption {
    name: "--table",
    help: "What a CSV or Parquet file holds [default: obs, or x when nothing is known of the cells]. A name without \
           extension is a folder with obs and var; x comes beside them",
};

/// Which column names the rows.
pub const INDEX_COLUMN: FormatOption = FormatOption {
    name: "--index-column",
    help: "Column of a text table that names the cells [default: the first, if it is text, or a column of ids]",
};

/// Which columns are no variables.
pub const OBS_COLUMNS: FormatOption = FormatOption {
    name: "--obs-columns",
    help: "Columns of a text table that describe the cells although they hold numbers",
};

/// Which way round a table is.
pub const TRANSPOSE: FormatOption =
    FormatOption { name: "--transpose", help: "The rows of a text table are genes, its columns cells" };

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::Csv,
    name: "csv",
    option: "csv",
    about: "Comma-separated table",
    extensions: &["csv", "tsv", "tab"],
    packed: true,
    unpacked: true,
    concurrent: true,
    folder: false,
    files: super::files,
    options: &[&TABLE, &INDEX_COLUMN, &OBS_COLUMNS, &TRANSPOSE],
    losses,
    own_fate: |_, _, _| None,
    stored_bytes,
    sparse_arrays: true,
    needs_x: false,
    panels: false,
    keywords: false,
    keep_records: None,
    read_rate: 300e6,
    write_rate: 100e6,
    reads: true,
    probe: super::probe,
    read: super::read,
    outline: None,
    check: None,
    holds: super::holds,
    write: super::write,
    annotate: None,
    takes_elements: |_| false,
};

/// A zero takes `0,` or `0.0,`, another number as many digits as its type may have.
fn stored_bytes(part: &Part, dtype: DType) -> u64 {
    if part.place != Place::X {
        return part.bytes;
    }
    let zero = if dtype.is_float() { 4 } else { 2 };
    let digits = [3, 5, 10, 20][dtype.size().ilog2().min(3) as usize];
    part.cells().saturating_mul(zero).saturating_add(part.stored_entries().saturating_mul(digits))
}
