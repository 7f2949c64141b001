//! How much room an element takes in a format, and which elements take too much there. A format without sparse arrays
//! stores every zero.

use super::{Part, Place};
use crate::data::{DType, Layout, Matrix};
use crate::io::codec::Format;

impl Part {
    /// Bytes a matrix takes when every value is stored; 0 of everything else.
    pub fn dense_bytes(&self) -> u64 {
        let size = self.dtype.map_or(0, DType::size) as u64;
        self.cells().saturating_mul(size)
    }

    pub(in crate::io) fn is_sparse(&self) -> bool {
        matches!(self.layout, Some(Layout::Csr | Layout::Csc))
    }

    /// Rows × columns of a matrix.
    pub(in crate::io) fn cells(&self) -> u64 {
        let (rows, columns) = self.shape.unwrap_or((0, 0));
        (rows as u64).saturating_mul(columns as u64)
    }

    /// Entries that are stored as they are; all of a dense matrix.
    pub fn stored_entries(&self) -> u64 {
        if self.is_sparse() { self.entries } else { self.cells() }
    }

    /// Bytes the element takes in a file of this format, uncompressed: at most, where only the values would tell.
    pub fn stored_bytes(&self, format: Format) -> u64 {
        self.dtype.map_or(self.bytes, |dtype| (format.codec().stored_bytes)(self, dtype))
    }

    /// Why the element is left behind although the format has a place for it: a sparse array that is stored with all its
    /// zeros and takes more than `memory` then. Who opens such a file needs that much memory, too.
    pub fn too_wide(&self, format: Format, memory: u64) -> Option<String> {
        let array = matches!(self.place, Place::Obsm | Place::Varm);
        let dense = !format.codec().sparse_arrays && array && self.is_sparse();
        dense.then(|| more_than(self.dense_bytes(), format, memory)).flatten()
    }
}

/// Why a matrix is too wide for an array of a format that has no sparse ones, as [`Part::too_wide`] says.
pub(in crate::io) fn too_wide(m: &Matrix, format: Format, memory: u64) -> Option<String> {
    let (rows, columns) = m.shape();
    let dense = (rows as u64).saturating_mul(columns as u64).saturating_mul(m.dtype().size() as u64);
    (m.layout() != Layout::Dense).then(|| more_than(dense, format, memory)).flatten()
}

fn more_than(dense: u64, format: Format, memory: u64) -> Option<String> {
    (dense > memory).then(|| {
        format!(
            "{} has no sparse arrays, and with all zeros it takes {}, more than --memory allows ({}); h5ad keeps it",
            format.name(),
            in_units(dense),
            in_units(memory)
        )
    })
}

/// A number of bytes in the largest binary unit that fits.
pub fn in_units(n: u64) -> String {
    let mut value = n as f64;
    let mut unit = 0;
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}
