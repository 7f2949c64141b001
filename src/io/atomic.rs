//! Whole or not at all: a temporary file in the target's folder, synced, then renamed over the target.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::WriteError;

/// Writes `target` through `write`, which gets the path of an empty temporary file in the same folder, writes it and
/// checks it by reading it back. The target appears, or is replaced, only when everything succeeded. A symbolic link
/// is kept and the file it points to is replaced.
///
/// # Errors
/// [`WriteError`], with the target's name in the message; the target is then as it was before.
pub fn replace(
    target: &Path,
    force: bool,
    write: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let io = |e| WriteError::io(target, e);
    let real = resolve(target);
    if !force && real.symlink_metadata().is_ok() {
        return Err(WriteError::Exists { path: target.to_owned() });
    }
    // A rename would put a file in the place of a device or a pipe.
    if real.symlink_metadata().is_ok_and(|m| !m.is_file()) {
        return Err(WriteError::NotPlain { path: target.to_owned() });
    }
    let folder = match real.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        return Err(WriteError::NoFolder { path: target.to_owned(), folder });
    }
    let suffix = ending(&real);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".scx-").suffix(&suffix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask narrows this; an existing file keeps its own mode.
        let mode = fs::metadata(&real).map_or(0o666, |m| m.permissions().mode() & 0o7777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let tmp = builder.tempfile_in(&folder).map_err(io)?.into_temp_path();
    write(&tmp).map_err(|e| rename_error(e, &tmp, target))?;
    File::open(&tmp).and_then(|f| f.sync_all()).map_err(io)?;
    if force {
        tmp.persist(&real).map_err(|e| io(e.error))?;
    } else {
        tmp.persist_noclobber(&real).map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => WriteError::Exists { path: target.to_owned() },
            _ => io(e.error),
        })?;
    }
    // The rename itself must survive a power cut; some file systems cannot sync a folder, which is no fault of ours.
    if let Ok(dir) = File::open(&folder) {
        let _ = dir.sync_all();
    }
    Ok(())
}

/// What a name ends in, from the last dot on; of packed files with the ending before: `.tsv.gz`.
fn ending(path: &Path) -> String {
    let last = |p: &Path| p.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let own = last(path);
    if own.eq_ignore_ascii_case(".gz") { last(&path.with_extension("")) + &own } else { own }
}

/// The file a chain of symbolic links ends in, or the path itself.
fn resolve(target: &Path) -> PathBuf {
    let mut path = target.to_owned();
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().map_or(to.clone(), |p| p.join(&to)),
            Err(_) => break,
        }
    }
    path
}

/// People know the target, not the temporary file: messages name the former.
fn rename_error(error: WriteError, tmp: &Path, target: &Path) -> WriteError {
    let name = |path: PathBuf| if path == tmp { target.to_owned() } else { path };
    match error {
        WriteError::Exists { path } => WriteError::Exists { path: name(path) },
        WriteError::NotPlain { path } => WriteError::NotPlain { path: name(path) },
        WriteError::NoFolder { path, folder } => WriteError::NoFolder { path: name(path), folder },
        WriteError::Full { path } => WriteError::Full { path: name(path) },
        WriteError::CannotHold { path, what } => WriteError::CannotHold { path: name(path), what },
        WriteError::Verify { path, what } => WriteError::Verify { path: name(path), what },
        WriteError::Cancelled { path } => WriteError::Cancelled { path: name(path) },
        WriteError::Input { path, source } => WriteError::Input { path: name(path), source },
        WriteError::Io { path, source } => WriteError::Io { path: name(path), source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(path: &Path) -> WriteError {
        WriteError::Verify { path: path.to_owned(), what: "broken".into() }
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.fcs");
        fs::write(&target, "old").unwrap();
        let e = replace(&target, true, |tmp| {
            fs::write(tmp, "half").unwrap();
            Err(fail(tmp))
        })
        .unwrap_err();
        assert!(e.to_string().contains("a.fcs"), "{e}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_file_needs_force_and_keeps_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.fcs");
        fs::write(&target, "old").unwrap();
        let new = |tmp: &Path| {
            fs::write(tmp, "new").unwrap();
            Ok(())
        };
        assert!(matches!(replace(&target, false, new), Err(WriteError::Exists { .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
            replace(&target, true, new).unwrap();
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        }
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_one_and_its_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        fs::write(dir.path().join("real/b"), "old").unwrap();
        std::os::unix::fs::symlink("real/b", dir.path().join("a")).unwrap();
        replace(&dir.path().join("a"), true, |tmp| {
            fs::write(tmp, "new").unwrap();
            Ok(())
        })
        .unwrap();
        assert!(dir.path().join("a").is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join("real/b")).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_or_a_folder_is_never_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        let _socket = std::os::unix::net::UnixListener::bind(&target).unwrap();
        let e = replace(&target, true, |_| Ok(())).unwrap_err();
        assert!(matches!(e, WriteError::NotPlain { .. }), "{e}");
        assert!(target.symlink_metadata().unwrap().file_type().is_socket());
        assert!(matches!(replace(dir.path(), true, |_| Ok(())), Err(WriteError::NotPlain { .. })));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let e = replace(&dir.path().join("no/a"), false, |_| Ok(())).unwrap_err();
        assert!(matches!(e, WriteError::NoFolder { .. }), "{e}");
    }
}
