//! What lies in a folder.

use std::path::{Path, PathBuf};

/// The last part of a path.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = entries(path).into_iter().filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

/// What a folder holds.
pub(super) fn entries(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect()
}

/// The name without `.gz` and `.mtx`, when it is that of a matrix.
pub(super) fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".mtx").map(str::to_owned)
}

/// The matrices of a folder: `matrix.mtx` alone when there is one, else those called so at the end, else any. A matrix
/// that lies there both compressed and not counts once, as the latter.
pub(super) fn matrices(folder: &Path) -> Vec<PathBuf> {
    let all: Vec<PathBuf> =
        entries(folder).into_iter().filter(|p| stem(p).is_some() && p.is_file()).collect();
    let ending = |test: &dyn Fn(&str) -> bool| {
        let mut found: Vec<PathBuf> =
            all.iter().filter(|p| stem(p).is_some_and(|s| test(&s))).cloned().collect();
        // `a.mtx` comes before `a.mtx.gz`.
        found.sort();
        found.dedup_by_key(|p| stem(p));
        found
    };
    let exact = ending(&|s| s == "matrix");
    if !exact.is_empty() {
        return exact;
    }
    let named = ending(&|s| s.ends_with("matrix"));
    if named.is_empty() { ending(&|_| true) } else { named }
}
