//! Row pointers, written in runs.

use hdf5::Group;
use hdf5_metno as hdf5;

use super::{Storage, create, whole, write_rows};
use crate::data::DType;
use crate::io::options::WriteOptions;

/// Pointers turned into their type at a time: whole chunks of them.
const POINTERS: usize = 1 << 20;

/// Writes the pointers of a compressed matrix.
pub(super) fn write_pointers(
    group: &Group,
    dtype: DType,
    indptr: &[u64],
    options: &WriteOptions,
) -> hdf5::Result<()> {
    let shape = [indptr.len()];
    let storage = Storage::for_options(&shape, dtype, options.compression);
    let d = create(group, "indptr", dtype, &shape, &storage)?;
    for (i, run) in indptr.chunks(POINTERS).enumerate() {
        write_rows(&d, i * POINTERS, &whole(dtype, run.iter().copied()))?;
    }
    Ok(())
}
