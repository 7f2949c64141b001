//! What the batch column calls each file when nobody says.

use std::path::Path;

/// A name for each file: its own without endings where these all differ, otherwise the part of its path, as it was given,
/// that differs, as `S1` of `S1/outs/filtered_feature_bc_matrix`. Files that differ in nothing are numbered.
pub fn batch_names(paths: &[impl AsRef<Path>]) -> Vec<String> {
    let parts: Vec<Vec<String>> = paths.iter().map(|p| parts(p.as_ref())).collect();
    let shared = shared_end(&parts);
    let last = |n: usize, without: usize| -> Vec<String> {
        let name = |p: &Vec<String>| {
            let end = p.len() - without.min(p.len().saturating_sub(1));
            p[end.saturating_sub(n)..end].join("_")
        };
        parts.iter().map(name).collect()
    };
    let longest = parts.iter().map(Vec::len).max().unwrap_or(1);
    let plain = std::iter::once(last(1, 0));
    // A path that is the end of another has no part of its own.
    let differing = if parts.iter().all(|p| p.len() > shared) { longest } else { 0 };
    let whole = (2..=longest).map(|n| last(n, 0));
    let mut tried = plain.chain((1..=differing).map(|n| last(n, shared))).chain(whole);
    tried.find(|names| distinct(names)).unwrap_or_else(|| numbered(last(1, 0)))
}

/// Folders and name of a file, its endings left away.
fn parts(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path
        .components()
        .filter(|c| matches!(c, std::path::Component::Normal(_)))
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    if let Some(name) = parts.last_mut() {
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        *name = Path::new(plain).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    }
    parts
}

/// How many parts at the end are the same in all paths.
fn shared_end(all: &[Vec<String>]) -> usize {
    let Some((first, rest)) = all.split_first() else { return 0 };
    let same = |i: usize| rest.iter().all(|p| p.iter().rev().nth(i) == first.iter().rev().nth(i));
    (0..first.len()).take_while(|i| same(*i)).count()
}

fn distinct(names: &[String]) -> bool {
    let mut seen = std::collections::HashSet::new();
    names.iter().all(|n| !n.is_empty() && seen.insert(n))
}

/// `name`, `name_2`, …
fn numbered(names: Vec<String>) -> Vec<String> {
    let mut out = Vec::<String>::new();
    for name in names {
        let made = (1u64..).map(|k| if k == 1 { name.clone() } else { format!("{name}_{k}") });
        out.extend(made.into_iter().find(|name| !out.contains(name)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_files_or_of_the_folders_in_which_paths_differ() {
        let of = |paths: &[&str]| batch_names(paths).join(" ");
        assert_eq!(of(&["d1/a.h5ad", "d1/b.loom", "c.csv.gz"]), "a b c");
        let (f, h) = ("outs/filtered_feature_bc_matrix", "outs/filtered_feature_bc_matrix.h5");
        assert_eq!(of(&[&format!("S1/{f}"), &format!("S2/{f}/")]), "S1 S2");
        assert_eq!(of(&[&format!("/x/S1/{h}"), &format!("S2/{f}"), &format!("../S3/{h}")]), "S1 S2 S3");
        let multi =
            |s: &str| format!("run/outs/per_sample_outs/{s}/count/sample_filtered_feature_bc_matrix.h5");
        assert_eq!(of(&[&multi("A"), &multi("B")]), "A B");
        assert_eq!(of(&["x/S1/m.h5", "y/S1/m.h5", "x/S2/m.h5"]), "x_S1 y_S1 x_S2");
        assert_eq!(of(&["x/a.h5ad", "x/b.h5ad", "y/a.h5ad"]), "x_a x_b y_a");
        assert_eq!(of(&["a.h5ad", "other/a.h5ad"]), "a other_a");
        assert_eq!(of(&["a.h5ad", "a.h5ad", "./a.h5ad"]), "a a_2 a_3");
    }
}
