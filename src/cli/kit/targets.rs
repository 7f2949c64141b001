//! Where results go: formats by name, and targets refused before any work.

use std::path::{Path, PathBuf};

use crate::cli::kit::error::CliError;
use crate::io::{CODECS, Format, WriteError};

/// The format of a target: the one asked for, or by its extension; a name without one is a folder.
///
/// # Errors
/// [`CliError`] with the extensions there are.
pub(in crate::cli) fn format(target: &Path, asked: Option<Format>) -> Result<Format, CliError> {
    crate::io::check_place(target)?;
    refuse_packed(target, asked)?;
    if let Some(format) = asked {
        return Ok(format);
    }
    if let Some(format) = Format::for_target(target) {
        return Ok(format);
    }
    if target.extension().is_none()
        && let Some(codec) = CODECS.iter().find(|c| c.folder)
    {
        return Ok(codec.format);
    }
    let known: Vec<String> = CODECS.iter().flat_map(|c| c.extensions).map(|e| format!(".{e}")).collect();
    Err(CliError::usage(format!(
        "{}: the format cannot be told from the name (known: {}); say it with --to",
        target.display(),
        known.join(" ")
    )))
}

/// Refuses a name that says the file is packed where its format is not written so.
fn refuse_packed(target: &Path, asked: Option<Format>) -> Result<(), CliError> {
    let gz = target.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let format =
        asked.or_else(|| Format::of_name(target)).or_else(|| Format::for_target(&target.with_extension("")));
    match format.map(Format::codec) {
        Some(codec) if gz && !codec.packed => {
            let plain = target.with_extension("");
            Err(CliError::usage(format!(
                "{}: {} is not written packed; write {} and pack it then: gzip {}",
                target.display(),
                codec.name,
                plain.display(),
                plain.display()
            )))
        }
        _ => Ok(()),
    }
}

/// Refuses a target that cannot be written: an input, a device, a folder where a file belongs, one that is there without
/// `force`, or one whose own folder is not there.
///
/// # Errors
/// [`CliError`] that says what to do.
pub(in crate::cli) fn check(
    target: &Path,
    inputs: &[&PathBuf],
    force: bool,
    folder: bool,
) -> Result<(), CliError> {
    crate::io::check_place(target)?;
    if let Some(input) = inputs.iter().find(|i| same(i, target)) {
        return Err(CliError::usage(format!(
            "{}: is an input ({}); the input is never changed, give another output",
            target.display(),
            input.display()
        )));
    }
    if target.is_dir() && !folder {
        return Err(CliError::usage(format!(
            "{}: is a folder, expected the name of a file",
            target.display()
        )));
    }
    // Through links: what a link points to would be replaced.
    if target.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) || (folder && target.is_file()) {
        return Err(WriteError::NotPlain { path: target.to_owned() }.into());
    }
    if !force && target.symlink_metadata().is_ok() {
        return Err(WriteError::Exists { path: target.to_owned() }.into());
    }
    check_folder(target, target)
}

/// Refuses to write one place twice.
///
/// # Errors
/// [`CliError`] with the place.
pub(in crate::cli) fn check_twins(paths: &[&PathBuf]) -> Result<(), CliError> {
    let twin = paths.iter().enumerate().find(|(i, p)| paths[..*i].iter().any(|q| same(p, q)));
    match twin {
        Some((_, path)) => {
            Err(CliError::usage(format!("{}: would be written twice; give another name", path.display())))
        }
        None => Ok(()),
    }
}

/// The folder that `made` will stand in must be there.
///
/// # Errors
/// [`CliError`] with the folder.
pub(in crate::cli) fn check_folder(target: &Path, made: &Path) -> Result<(), CliError> {
    match plain(made).parent() {
        Some(folder) if !folder.is_dir() => {
            let folder = made.parent().unwrap_or(folder).to_owned();
            Err(WriteError::NoFolder { path: target.to_owned(), folder }.into())
        }
        _ => Ok(()),
    }
}

/// Whether two paths name one place.
pub(in crate::cli) fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => plain(a) == plain(b),
    }
}

/// A path from the root, without `.`; the same for two spellings of one place that is not there yet.
pub(in crate::cli) fn plain(path: &Path) -> PathBuf {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |p| p.components().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_extension_lists_the_known_ones() {
        let e = format(Path::new("a.xyz"), None).unwrap_err().to_string();
        assert!(e.contains(".h5ad") && e.contains("--to"), "{e}");
        assert_eq!(format(Path::new("a.h5ad"), None).unwrap(), Format::H5ad);
        assert_eq!(format(Path::new("a.xyz"), Some(Format::Fcs)).unwrap(), Format::Fcs);
    }

    #[test]
    fn an_input_is_never_a_target() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.h5ad");
        std::fs::write(&file, "x").unwrap();
        let other = dir.path().join(".").join("a.h5ad");
        assert_eq!(check(&other, &[&file], true, false).unwrap_err().code(), 2);
        assert!(check(&dir.path().join("b.h5ad"), &[&file], false, false).is_ok());
    }
}
