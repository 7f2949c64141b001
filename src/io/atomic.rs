//! Whole or not at all: a temporary file or folder beside the target, synced, then renamed over the target.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::error::WriteError;

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
    super::check_place(target)?;
    let io = |e| WriteError::io(target, e);
    let real = resolve(target);
    if !force && real.symlink_metadata().is_ok() {
        return Err(WriteError::Exists { path: target.to_owned() });
    }
    // A rename would put a file in the place of a device or a pipe.
    if real.symlink_metadata().is_ok_and(|m| !m.is_file()) {
        return Err(WriteError::NotPlain { path: target.to_owned() });
    }
    let folder = parent(target, &real)?;
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
    under_the_name_of(target, &tmp, write)?;
    File::open(&tmp).and_then(|f| f.sync_all()).map_err(io)?;
    if force {
        tmp.persist(&real).map_err(|e| io(e.error))?;
    } else {
        tmp.persist_noclobber(&real).map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => WriteError::Exists { path: target.to_owned() },
            _ => io(e.error),
        })?;
    }
    sync_folder(&folder);
    Ok(())
}

/// Writes the folder `target` through `write`, which gets the path of an empty temporary folder beside it. The target
/// appears, or is replaced, only when everything succeeded. A folder that is there already is replaced only when it
/// holds nothing but plain files called as `own` says. A symbolic link is kept and the folder it points to is replaced.
///
/// # Errors
/// [`WriteError`], with the target's name in the message; the target is then as it was before.
pub fn replace_folder(
    target: &Path,
    force: bool,
    own: &[&str],
    write: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    super::check_place(target)?;
    let io = |e| WriteError::io(target, e);
    let real = resolve(target);
    let old = real.symlink_metadata().ok();
    if let Some(old) = &old {
        if !old.is_dir() {
            return Err(WriteError::NotFolder { path: target.to_owned() });
        }
        if !force {
            return Err(WriteError::Exists { path: target.to_owned() });
        }
        no_strangers(target, &real, own)?;
    }
    let folder = parent(target, &real)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".scx-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = old.as_ref().map_or(0o777, |m| m.permissions().mode() & 0o7777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    let tmp = builder.tempdir_in(&folder).map_err(io)?;
    under_the_name_of(target, tmp.path(), write)?;
    for entry in fs::read_dir(tmp.path()).map_err(io)? {
        File::open(entry.map_err(io)?.path()).and_then(|f| f.sync_all()).map_err(io)?;
    }
    sync_folder(tmp.path());
    if old.is_none() {
        rename_new(tmp.path(), &real).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::DirectoryNotEmpty => {
                WriteError::Exists { path: target.to_owned() }
            }
            _ => io(e),
        })?;
        // What was temporary is the target now.
        let _ = tmp.keep();
    } else {
        // Somebody may have put a file there meanwhile.
        no_strangers(target, &real, own)?;
        swap(tmp.path(), &real, &folder).map_err(io)?;
        // The temporary name holds the old folder now, and goes with it. The new one is in place whatever happens.
        let left = tmp.path().to_owned();
        if let Err(e) = tmp.close() {
            tracing::warn!("{}: what was replaced could not be removed: {e}", left.display());
        }
    }
    sync_folder(&folder);
    Ok(())
}

/// Fails when a folder holds anything but plain files of these names.
fn no_strangers(target: &Path, folder: &Path, own: &[&str]) -> Result<(), WriteError> {
    let io = |e| WriteError::io(target, e);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !own.contains(&name.as_str()) || !entry.file_type().map_err(io)?.is_file() {
            names.push(name);
        }
    }
    match names.into_iter().min() {
        None => Ok(()),
        Some(name) => Err(WriteError::Stranger { path: target.to_owned(), name }),
    }
}

/// Renames a folder to a name that must be free.
fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems cannot promise this.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
            other => return other.map_err(Into::into),
        }
    }
    fs::rename(from, to)
}

/// Exchanges two folders: at once where the system can, otherwise with a moment in which the old one has another name.
fn swap(new: &Path, old: &Path, beside: &Path) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
            other => return other.map_err(Into::into),
        }
    }
    let aside = tempfile::Builder::new().prefix(".scx-old-").tempdir_in(beside)?;
    let parked = aside.path().join("old");
    fs::rename(old, &parked)?;
    if let Err(e) = fs::rename(new, old) {
        fs::rename(&parked, old)?;
        return Err(e);
    }
    fs::rename(&parked, new)
}

/// The folder a target lies in, which must be there.
fn parent(target: &Path, real: &Path) -> Result<PathBuf, WriteError> {
    let folder = match real.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    };
    if folder.is_dir() { Ok(folder) } else { Err(WriteError::NoFolder { path: target.to_owned(), folder }) }
}

/// A rename must survive a power cut; some file systems cannot sync a folder, which is no fault of ours.
fn sync_folder(folder: &Path) {
    if let Ok(dir) = File::open(folder) {
        let _ = dir.sync_all();
    }
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

/// Temporary files in the making, and the targets people know them by.
static KNOWN_AS: Mutex<BTreeMap<PathBuf, PathBuf>> = Mutex::new(BTreeMap::new());

/// The name people know a file by: the target of a temporary file of ours, otherwise its own.
pub(super) fn known_as(path: &Path) -> PathBuf {
    KNOWN_AS.lock().ok().and_then(|m| m.get(path).cloned()).unwrap_or_else(|| path.to_owned())
}

/// Runs `write` on a temporary file known by its target.
fn under_the_name_of(
    target: &Path,
    tmp: &Path,
    write: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    if let Ok(mut names) = KNOWN_AS.lock() {
        names.insert(tmp.to_owned(), target.to_owned());
    }
    let done = write(tmp);
    if let Ok(mut names) = KNOWN_AS.lock() {
        names.remove(tmp);
    }
    done.map_err(|e| rename_error(e, tmp, target))
}

/// People know the target, not the temporary file: messages name the former.
fn rename_error(error: WriteError, tmp: &Path, target: &Path) -> WriteError {
    // Files inside a temporary folder are files of the target folder.
    let name = |path: PathBuf| match path.strip_prefix(tmp) {
        Ok(rest) if rest.as_os_str().is_empty() => target.to_owned(),
        Ok(rest) => target.join(rest),
        Err(_) => path,
    };
    match error {
        WriteError::Exists { path } => WriteError::Exists { path: name(path) },
        WriteError::NoPlace { path, what } => WriteError::NoPlace { path: name(path), what },
        WriteError::NotPlain { path } => WriteError::NotPlain { path: name(path) },
        WriteError::NotFolder { path } => WriteError::NotFolder { path: name(path) },
        WriteError::Stranger { path, name: stranger } => {
            WriteError::Stranger { path: name(path), name: stranger }
        }
        WriteError::NoFolder { path, folder } => WriteError::NoFolder { path: name(path), folder },
        WriteError::Full { path } => WriteError::Full { path: name(path) },
        WriteError::CannotHold { path, what } => WriteError::CannotHold { path: name(path), what },
        WriteError::NotThere { path, what } => WriteError::NotThere { path: name(path), what },
        WriteError::Verify { path, what } => {
            let what = what.replace(&format!("{}: ", tmp.display()), "");
            WriteError::Verify { path: name(path), what }
        }
        WriteError::Scratch { folder, source } => WriteError::Scratch { folder, source },
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

    const OWN: &[&str] = &["m", "b"];

    fn put(name: &'static str, text: &'static str) -> impl FnOnce(&Path) -> Result<(), WriteError> {
        move |tmp| fs::write(tmp.join(name), text).map_err(|e| WriteError::io(tmp, e))
    }

    #[test]
    fn a_folder_is_replaced_whole_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        replace_folder(&target, false, OWN, put("m", "1")).unwrap();
        assert!(matches!(replace_folder(&target, false, OWN, put("m", "2")), Err(WriteError::Exists { .. })));
        replace_folder(&target, true, OWN, put("b", "3")).unwrap();
        let names: Vec<_> = fs::read_dir(&target).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["b"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_folder_leaves_the_old_one_and_names_the_target() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        replace_folder(&target, false, OWN, put("m", "1")).unwrap();
        let e = replace_folder(&target, true, OWN, |tmp| Err(fail(&tmp.join("m")))).unwrap_err();
        assert!(e.to_string().starts_with(&format!("{}", target.join("m").display())), "{e}");
        assert_eq!(fs::read_to_string(target.join("m")).unwrap(), "1");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_with_strangers_or_a_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        replace_folder(&target, false, OWN, put("m", "1")).unwrap();
        fs::write(target.join("notes.txt"), "mine").unwrap();
        let e = replace_folder(&target, true, OWN, put("m", "2")).unwrap_err();
        assert!(matches!(&e, WriteError::Stranger { name, .. } if name == "notes.txt"), "{e}");
        // A folder called like a file of ours is a stranger, too.
        fs::remove_file(target.join("notes.txt")).unwrap();
        fs::create_dir(target.join("b")).unwrap();
        assert!(matches!(
            replace_folder(&target, true, OWN, put("m", "2")),
            Err(WriteError::Stranger { .. })
        ));
        assert_eq!(fs::read_to_string(target.join("m")).unwrap(), "1");
        let file = dir.path().join("file");
        fs::write(&file, "mine").unwrap();
        assert!(matches!(replace_folder(&file, true, OWN, put("m", "2")), Err(WriteError::NotFolder { .. })));
        assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_to_a_folder_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", dir.path().join("out")).unwrap();
        replace_folder(&dir.path().join("out"), true, OWN, put("m", "1")).unwrap();
        assert!(dir.path().join("out").is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join("real/m")).unwrap(), "1");
    }
}
