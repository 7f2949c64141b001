//! From what a sheet calls a file to the files there are: names, folders, patterns.

use std::path::{Path, PathBuf};

use crate::io;

/// The files a name stands for, in the order of their names. A name is looked for beside the sheet first, then in the
/// working folder.
///
/// # Errors
/// In words, when there is none.
pub(super) fn files(sheet: &Path, name: &str) -> Result<Vec<PathBuf>, String> {
    let beside = sheet.parent().unwrap_or(Path::new(""));
    // Sheets written on Windows have backslashes.
    let names = [name.to_owned(), name.replace('\\', "/")];
    for name in &names {
        for folder in [beside, Path::new("")] {
            let path = folder.join(name);
            if path.exists() {
                return of_path(path);
            }
        }
    }
    if !name.contains(['*', '?', '[']) {
        let places = [beside, Path::new("")].map(|f| f.join(name).display().to_string());
        let places = if places[0] == places[1] { places[0].clone() } else { places.join(", then ") };
        return Err(format!("there is no file {name} (looked for {places})"));
    }
    for folder in [beside, Path::new("")] {
        let pattern = Path::new(&glob::Pattern::escape(&folder.to_string_lossy())).join(name);
        let found =
            glob::glob(&pattern.to_string_lossy()).map_err(|e| format!("{name}: no valid pattern: {e}"))?;
        let mut found: Vec<PathBuf> = found.filter_map(Result::ok).collect();
        found.sort();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(format!("the pattern {name} matches no file; check the folder and the ending"))
}

/// A folder that is a data set is one file; any other stands for the files in it that scx can tell by their names.
fn of_path(path: PathBuf) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() || io::detect(&path).is_ok() {
        return Ok(vec![path]);
    }
    let list = std::fs::read_dir(&path).map_err(|e| format!("{}: cannot read: {e}", path.display()))?;
    let known = |p: &PathBuf| p.is_file() && io::Format::of_name(p).is_some();
    let mut inside: Vec<PathBuf> = list.filter_map(|e| Some(e.ok()?.path())).filter(known).collect();
    inside.sort();
    if inside.is_empty() {
        return Err(format!("the folder {} holds no file that scx knows by its ending", path.display()));
    }
    Ok(inside)
}
