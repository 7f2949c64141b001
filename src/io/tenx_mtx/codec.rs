//! What is known of 10x Genomics' folders.

use super::losses::losses;
use crate::io::codec::{Codec, Format};
use crate::io::options::COMPRESSION;
use crate::io::tenx::{self, GENOME_OPTION};

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::TenxMtx,
    name: "10x-mtx",
    option: "10x-mtx",
    about: "10x Genomics folder with matrix.mtx",
    extensions: &["mtx"],
    packed: false,
    unpacked: false,
    concurrent: true,
    folder: true,
    files: |_| Some(super::FILES),
    options: &[&GENOME_OPTION, &COMPRESSION],
    losses,
    own_fate: |_, _, _| None,
    stored_bytes: |part, _| part.bytes,
    sparse_arrays: true,
    needs_x: true,
    panels: false,
    keywords: false,
    keep_records: None,
    read_rate: 300e6,
    write_rate: 100e6,
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
