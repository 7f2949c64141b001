//! One handle for all who read a file at the same time.
//!
//! The HDF5 library shares what it knows of a file between its handles, and lets the type of a dataset of text of variable
//! length point to the handle through which it was opened last. When that one is closed, reading through another handle
//! follows the pointer into freed memory: a wrong answer ("address of object past end of allocation") or a crash.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hdf5_metno as hdf5;

use hdf5::File;

/// Files that are being read, each with what tells it from others.
static OPEN: Mutex<Vec<(Identity, Weak<File>)>> = Mutex::new(Vec::new());

/// Device and number on it.
#[cfg(unix)]
type Identity = (u64, u64);
/// The path without links.
#[cfg(not(unix))]
type Identity = std::path::PathBuf;

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|m| (m.dev(), m.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<Identity> {
    path.canonicalize()
}

/// Opens a file for reading, through the handle of those who are reading it.
pub(in crate::io) fn open_shared(path: &Path) -> hdf5::Result<Arc<File>> {
    let Ok(identity) = identity(path) else { return File::open(path).map(Arc::new) };
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, file)| file.strong_count() > 0);
    let known = open.iter().find(|(i, _)| *i == identity).and_then(|(_, file)| file.upgrade());
    if let Some(file) = known {
        return Ok(file);
    }
    let file = Arc::new(File::open(path)?);
    open.push((identity, Arc::downgrade(&file)));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_read_by_many_at_once_is_read_by_all() {
        // With a handle for each of them this crashes, or fails at text of variable length, within some rounds.
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/h5ad/anndata_0.12.19.h5ad");
        let read = || crate::io::h5ad::read(&path, &crate::io::ReadOptions::default()).unwrap().obs;
        let first = read();
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| (0..60).for_each(|_| assert_eq!(read(), first)));
            }
        });
        drop(first);
        let (a, b) = (open_shared(&path).unwrap(), open_shared(&path).unwrap());
        assert!(Arc::ptr_eq(&a, &b));
    }
}
