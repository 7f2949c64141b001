//! What is known of loom.

use super::losses::losses;
use crate::data::DType;
use crate::io::codec::{Codec, Format};
use crate::io::loss::{Part, Place};
use crate::io::options::COMPRESSION;
use crate::provenance;

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::Loom,
    name: "loom",
    option: "loom",
    about: "loom 3",
    extensions: &["loom"],
    packed: false,
    unpacked: false,
    concurrent: false,
    folder: false,
    files: |_| None,
    options: &[&COMPRESSION],
    losses,
    own_fate: |_, _, _| None,
    stored_bytes,
    sparse_arrays: false,
    needs_x: true,
    panels: false,
    keywords: true,
    keep_records: Some(provenance::keep),
    read_rate: 1500e6,
    write_rate: 800e6,
    reads: true,
    probe: super::probe,
    read: super::read,
    outline: Some(super::outline),
    check: Some(super::check),
    holds: super::holds,
    write: super::write,
    annotate: None,
    takes_elements: |_| false,
};

/// A graph is a list: from, to, weight. Other matrices are stored with their zeros.
fn stored_bytes(part: &Part, dtype: DType) -> u64 {
    match part.place {
        Place::Obsp | Place::Varp => {
            part.stored_entries().saturating_mul(8 + dtype.exact_float().size() as u64)
        }
        _ => part.dense_bytes(),
    }
}
