//! Where temporary files go that may be larger than memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::data::DataError;

/// The folder for temporary files: the one that was `chosen`; else that of `TMPDIR`; else that of the `target`, where
/// there must be room for something of its size; else `/var/tmp`. Unless it was chosen, a folder that lies in memory
/// (tmpfs) is passed over: rows that go there have not left memory.
pub fn folder(chosen: Option<&Path>, target: Option<&Path>) -> PathBuf {
    let environment = std::env::var_os("TMPDIR").filter(|d| !d.is_empty()).map(PathBuf::from);
    pick(chosen, environment, target, in_memory)
}

fn pick(
    chosen: Option<&Path>,
    environment: Option<PathBuf>,
    target: Option<&Path>,
    in_memory: impl Fn(&Path) -> bool,
) -> PathBuf {
    if let Some(chosen) = chosen {
        return chosen.to_owned();
    }
    let beside = target.map(|t| match t.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    });
    let large = Some(PathBuf::from("/var/tmp")).filter(|d| d.is_dir());
    let mut all = environment.into_iter().chain(beside).chain(large);
    all.find(|d| !in_memory(d)).unwrap_or_else(std::env::temp_dir)
}

/// Whether the files of a folder lie in memory.
#[cfg(target_os = "linux")]
fn in_memory(folder: &Path) -> bool {
    /// Types of file systems, from `linux/magic.h`.
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::statfs(folder).is_ok_and(|s| [TMPFS, RAMFS].contains(&(s.f_type as u64 & 0xffff_ffff)))
}

/// Whether the files of a folder lie in memory.
#[cfg(not(target_os = "linux"))]
fn in_memory(_: &Path) -> bool {
    false
}

/// An unnamed file there, which is gone when nobody has it open any more.
///
/// # Errors
/// The system's.
pub fn unnamed(folder: &Path) -> std::io::Result<File> {
    tempfile::tempfile_in(folder)
}

/// An unnamed file there.
///
/// # Errors
/// [`DataError::Scratch`] that names the folder.
pub(super) fn file(folder: &Path) -> Result<File, DataError> {
    unnamed(folder).map_err(|e| DataError::scratch(folder, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_chosen_or_of_the_environment_or_that_of_the_target_and_never_unasked_in_memory() {
        let (chosen, target) = (Path::new("/chosen"), Path::new("/out/cells.h5ad"));
        let memory = |d: &Path| d.starts_with("/memory") || d.starts_with("/chosen");
        let env = || Some(PathBuf::from("/scratch"));
        assert_eq!(pick(Some(chosen), env(), Some(target), memory), chosen);
        assert_eq!(pick(None, env(), Some(target), memory), Path::new("/scratch"));
        assert_eq!(pick(None, None, Some(target), memory), Path::new("/out"));
        assert_eq!(pick(None, None, Some(Path::new("cells.h5ad")), memory), Path::new("."));
        assert_eq!(pick(None, Some("/memory/a".into()), Some(target), memory), Path::new("/out"));
        let nowhere = pick(None, Some("/memory/a".into()), Some(Path::new("/memory/b")), memory);
        assert!(nowhere == Path::new("/var/tmp") || nowhere == std::env::temp_dir());
        assert_eq!(pick(None, None, Some(target), |_| true), std::env::temp_dir());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shared_memory_is_told_from_a_disk() {
        if Path::new("/dev/shm").is_dir() {
            assert!(in_memory(Path::new("/dev/shm")));
        }
        assert!(!in_memory(Path::new("/proc/self")));
        assert!(!in_memory(Path::new("/no/such/folder")));
    }
}
