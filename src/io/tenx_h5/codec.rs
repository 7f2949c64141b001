//! What is known of 10x Genomics' HDF5 files.

use super::losses::losses;
use crate::io::codec::{Codec, Format};
use crate::io::options::COMPRESSION;
use crate::io::tenx::{self, GENOME_OPTION};

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::TenxH5,
    name: "10x-h5",
    option: "10x-h5",
    about: "10x Genomics .h5",
    extensions: &["h5", "hdf5"],
    packed: false,
    unpacked: false,
    concurrent: false,
    folder: false,
    files: |_| None,
    options: &[&GENOME_OPTION, &COMPRESSION],
    losses,
    own_fate: |_, _, _| None,
    stored_bytes: |part, _| part.bytes,
    sparse_arrays: true,
    needs_x: true,
    panels: false,
    keywords: false,
    keep_records: None,
    read_rate: 800e6,
    write_rate: 250e6,
    reads: true,
    probe: super::probe,
    read: super::read,
    outline: Some(super::outline),
    check: Some(super::check),
    holds: tenx::holds,
    write: super::write,
    annotate: None,
    takes_elements: |_| false,
};
