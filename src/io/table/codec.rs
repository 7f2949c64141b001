//! What is known of delimited text.

use super::losses::losses;
use crate::io::codec::{Codec, Format, FormatOption};

/// Which table a single file holds.
pub const TABLE: FormatOption = FormatOption {
    name: "--table",
    help: "What a CSV or Parquet file holds [default: obs, or x when nothing is known of the cells]. A name without \
           extension is a folder with obs and var; x comes beside them",
};

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::Csv,
    name: "csv",
    option: "csv",
    about: "Comma-separated table",
    extensions: &["csv", "tsv", "tab"],
    packed: true,
    folder: false,
    files: super::files,
    options: &[&TABLE],
    losses,
    dense: true,
    needs_x: false,
    panels: false,
    keywords: false,
    keep_records: None,
    read_rate: 300e6,
    write_rate: 100e6,
    probe: super::probe,
    read: super::read,
    outline: None,
    check: None,
    holds: super::holds,
    write: super::write,
    annotate: None,
    takes_elements: |_| false,
};
