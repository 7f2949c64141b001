//! What is known of h5ad.

use super::losses::losses;
use crate::io::codec::{Codec, Format};
use crate::io::options::COMPRESSION;
use crate::io::options::FormatOption;
use crate::provenance;

/// Which anndata must read a file.
pub const COMPAT: FormatOption = FormatOption {
    name: "--h5ad-compat",
    help: "The oldest anndata that must read an h5ad file [default: 0.12]",
};

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::H5ad,
    name: "h5ad",
    option: "h5ad",
    about: "AnnData in HDF5",
    extensions: &["h5ad"],
    packed: false,
    unpacked: false,
    concurrent: false,
    folder: false,
    files: |_| None,
    options: &[&COMPAT, &COMPRESSION],
    losses,
    own_fate: |_, _, _| None,
    stored_bytes: |part, _| part.bytes,
    sparse_arrays: true,
    needs_x: false,
    panels: false,
    keywords: false,
    keep_records: Some(provenance::keep),
    read_rate: 800e6,
    write_rate: 250e6,
    reads: true,
    probe: super::probe,
    read: super::read,
    outline: Some(super::outline),
    check: Some(super::check),
    holds: |_, _, _| Ok(()),
    write: super::write,
    annotate: Some(super::annotate),
    takes_elements: super::takes_columns,
};
