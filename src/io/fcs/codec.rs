//! What is known of FCS.

use super::losses::{losses, own_fate, stored_bytes};
use crate::io::codec::{Codec, Format};
use crate::io::options::FormatOption;

/// Which of two contradicting places of DATA counts.
pub const OFFSETS: FormatOption = FormatOption {
    name: "--fcs-offsets",
    help: "FCS whose header and keywords disagree on where the data lie: whom to believe",
};

/// Which data set of a file counts.
pub const DATA_SET: FormatOption = FormatOption {
    name: "--data-set",
    help: "Data set of an FCS file that holds several, from 1 [default: the first]",
};

/// Which version is written.
pub const VERSION: FormatOption =
    FormatOption { name: "--fcs-version", help: "Version of FCS files [default: 3.1]" };

/// What of the cells becomes channels.
pub const APPEND: FormatOption = FormatOption {
    name: "--append",
    help: "Columns of obs and arrays of obsm that become channels of an FCS file: obs:leiden,obsm:X_umap",
};

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::Fcs,
    name: "FCS",
    option: "fcs",
    about: "Flow Cytometry Standard",
    extensions: &["fcs", "lmd"],
    packed: false,
    unpacked: true,
    concurrent: true,
    folder: false,
    files: |_| None,
    options: &[&OFFSETS, &DATA_SET, &VERSION, &APPEND],
    losses,
    own_fate,
    stored_bytes,
    sparse_arrays: true,
    needs_x: true,
    panels: true,
    keywords: true,
    keep_records: Some(super::keep_records),
    read_rate: 1000e6,
    write_rate: 1000e6,
    reads: true,
    probe: super::probe,
    read: super::read,
    outline: None,
    check: Some(super::check),
    holds: super::holds,
    write: super::write,
    annotate: Some(super::annotate),
    takes_elements: |_| false,
};
