//! How many entries a dataset or attribute has.

use hdf5_metno::Container;

/// Whether a dataset or attribute has a null data space: no entries, and a shape like that of a single value.
pub(in crate::io) fn is_null(c: &Container) -> bool {
    c.space().and_then(|s| s.extents()).is_ok_and(|e| e.is_null())
}

/// Length along each axis; a null data space is a list of no entries.
pub(in crate::io) fn extent(c: &Container) -> Vec<usize> {
    if is_null(c) { vec![0] } else { c.shape() }
}

/// Number of entries, none in a null data space.
pub(in crate::io) fn length(c: &Container) -> usize {
    if is_null(c) { 0 } else { c.size() }
}

/// Product of the axis lengths, `u64::MAX` on overflow.
pub(in crate::io) fn elements(shape: &[usize]) -> u64 {
    shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d as u64)).unwrap_or(u64::MAX)
}
