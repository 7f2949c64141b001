//! The calls of the HDF5 library that its crate does not wrap: writing a chunk that is encoded already, asking for an
//! attribute by name without listing all, where a link leads, and leaving files alone at the end of the process.
#![allow(unsafe_code)]

use hdf5_metno as hdf5;
use hdf5_metno_sys as sys;

use hdf5::{Dataset, Group, Location};

/// Writes `bytes` as the chunk whose first element is at `offset`; bits of `mask` name filters that were not applied.
pub(super) fn write_chunk(d: &Dataset, offset: &[u64], mask: u32, bytes: &[u8]) -> hdf5::Result<()> {
    if offset.len() != d.ndim() {
        return Err(hdf5::Error::from("a chunk with an offset of other length than the dataset has axes"));
    }
    // SAFETY: the dataset is open for as long as `d` lives, `offset` has one entry for each of its axes, and `bytes` is
    // read only, over its own length. The library is not thread safe: `sync` holds its lock during the call.
    let status = hdf5::sync::sync(|| unsafe {
        let data = bytes.as_ptr().cast();
        sys::h5d::H5Dwrite_chunk(d.id(), sys::h5p::H5P_DEFAULT, mask, offset.as_ptr(), bytes.len(), data)
    });
    hdf5::h5check(status).map(|_| ())
}

/// Whether an object has an attribute of this name. Listing all attributes would do, but the crate makes enumerations of
/// what the library tells of each, and damaged bytes are no value of them.
pub(in crate::io) fn has_attr(at: &Location, name: &str) -> hdf5::Result<bool> {
    let Ok(name) = std::ffi::CString::new(name) else { return Ok(false) };
    // SAFETY: the object is open for as long as `at` lives, and the name ends in a zero byte. The library is not thread
    // safe: `sync` holds its lock during the call.
    let found = hdf5::sync::sync(|| unsafe { sys::h5a::H5Aexists(at.id(), name.as_ptr()) });
    hdf5::h5check(found).map(|found| found > 0)
}

/// What a soft or external link holds, the first 4 KiB of it; `None` when it is a hard link, or none at all.
pub(super) fn link_value(g: &Group, name: &str) -> Option<Vec<u8>> {
    let name = std::ffi::CString::new(name).ok()?;
    let mut value = vec![0u8; 4096];
    // SAFETY: the group is open for as long as `g` lives, the name ends in a zero byte, and the library writes no more bytes
    // than it is told that there is room for. The library is not thread safe: `sync` holds its lock during the call.
    let status = hdf5::sync::sync(|| unsafe {
        let room = value.as_mut_ptr().cast();
        sys::h5l::H5Lget_val(g.id(), name.as_ptr(), room, value.len(), sys::h5p::H5P_DEFAULT)
    });
    hdf5::h5check(status).is_ok().then_some(value)
}

/// Keeps the library from closing files when the process ends: a file left open after a failed write would crash it. Has an
/// effect only before the library is first used.
pub(in crate::io) fn leave_files_at_exit() {
    // SAFETY: takes nothing, and only sets a flag that the library reads when it starts.
    let _ = unsafe { sys::h5::H5dont_atexit() };
}
