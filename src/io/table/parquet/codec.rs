//! What is known of Parquet.

use crate::io::codec::{Codec, Format};
use crate::io::loss::{ColumnKind, ElementKind, Entry, MatrixKind};
use crate::io::options::Table;
use crate::io::table::{TABLE, files, holds, losses as text};

pub(in crate::io) const CODEC: Codec = Codec {
    format: Format::Parquet,
    name: "parquet",
    option: "parquet",
    about: "Apache Parquet table",
    extensions: &["parquet"],
    packed: false,
    unpacked: false,
    concurrent: true,
    folder: false,
    files,
    options: &[&TABLE],
    losses,
    own_fate: |_, _, _| None,
    stored_bytes: |part, _| part.dense_bytes(),
    sparse_arrays: true,
    needs_x: false,
    panels: false,
    keywords: false,
    keep_records: None,
    read_rate: 300e6,
    write_rate: 100e6,
    reads: false,
    probe: super::probe,
    read: super::read,
    outline: None,
    check: None,
    holds,
    write: super::write,
    annotate: None,
    takes_elements: |_| false,
};

/// What becomes of each kind of element: as in delimited text, with columns as they are.
fn losses(kind: ElementKind) -> Entry {
    let column = |kind, table| match kind {
        ColumnKind::Opaque => Entry::NOT_UNDERSTOOD,
        _ => Entry::Of(table, "", false),
    };
    match kind {
        ElementKind::X(MatrixKind::Dense) => Entry::Of(Table::X, "", false),
        ElementKind::X(_) => Entry::Of(Table::X, "absent entries become 0", false),
        ElementKind::Obs(kind) => column(kind, Table::Obs),
        ElementKind::Var(kind) => column(kind, Table::Var),
        other => text::losses(other),
    }
}
