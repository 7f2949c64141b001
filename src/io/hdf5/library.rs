//! What the HDF5 library needs, and what it says.

use std::path::Path;

use hdf5_metno as hdf5;

use super::raw;

/// First bytes of every HDF5 file, at 0 or behind a user block.
const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// To be called first in a program: keeps a failed write from crashing the process at its end.
pub fn prepare() {
    raw::leave_files_at_exit();
}

/// Whether a file is read by the HDF5 library, which damaged bytes can crash or keep busy for ever: whoever looks into files
/// of unknown origin may want a process of their own for it.
pub fn is_hdf5(path: &Path) -> bool {
    // Opening a pipe may wait forever.
    std::fs::metadata(path).is_ok_and(|m| m.is_file()) && has_magic(path)
}

/// Whether the file has the HDF5 magic at 0, 512, 1024, 2048, … (a user block may come first).
pub(in crate::io) fn has_magic(path: &Path) -> bool {
    use std::io::{Read, Seek, SeekFrom};
    let Ok(mut file) = std::fs::File::open(path) else { return false };
    let length = file.metadata().map_or(0, |m| m.len());
    let mut at = 0u64;
    while at.saturating_add(MAGIC.len() as u64) <= length {
        let mut found = [0; 8];
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut found));
        if read.is_ok() && found == MAGIC {
            return true;
        }
        at = if at == 0 { 512 } else { at.saturating_mul(2) };
    }
    false
}

/// The innermost message of an HDF5 error, which is the cause.
pub(in crate::io) fn words(e: &hdf5::Error) -> String {
    let frames =
        e.stack().map(|s| s.iter().map(|f| f.desc().to_owned()).collect::<Vec<_>>()).unwrap_or_default();
    match (frames.first(), frames.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}: {last}"),
        (Some(only), _) => only.clone(),
        _ => e.to_string(),
    }
}
