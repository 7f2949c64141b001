//! Every file against what Python's anndata finds in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use scx::io::{ReadError, ReadOptions};
use serde_json::Value;

use super::compare::{differences, summary};

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The folder of real files, when there is one here.
pub(crate) fn real() -> Option<PathBuf> {
    let Some(root) = std::env::var_os("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return None;
    };
    Some(Path::new(&root).join("h5ad"))
}

pub(crate) fn names(folder: &Path) -> BTreeSet<String> {
    let all = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    all.map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

pub(crate) fn kind(e: &ReadError) -> &'static str {
    match e {
        ReadError::NotRecognised { .. } => "NotRecognised",
        ReadError::Malformed { .. } => "Malformed",
        ReadError::Unsupported { .. } => "Unsupported",
        ReadError::TooLarge { .. } => "TooLarge",
        ReadError::Io { .. } => "Io",
        _ => "other",
    }
}

fn compare_folder(folder: &Path, expected: &str) {
    let text = std::fs::read_to_string(fixtures().join("expected/h5ad").join(expected)).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let expected = expected.as_object().unwrap();
    let listed: BTreeSet<String> = expected.keys().cloned().collect();
    assert_eq!(listed, names(folder), "list and folder differ");
    assert!(!listed.is_empty());
    let mut wrong = Vec::new();
    for (name, expected) in expected {
        match (scx::io::h5ad::read(&folder.join(name), &ReadOptions::default()), expected.get("error")) {
            (Ok(d), None) => differences(name, &summary(&d), expected, &mut wrong),
            (Err(e), Some(k)) if *k == kind(&e) => {}
            (result, _) => wrong.push(format!("{name}: {:?}", result.map(|_| ()))),
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_real_file_reads_as_python_anndata_reads_it() {
    if let Some(folder) = real() {
        compare_folder(&folder, "real.json");
    }
}

#[test]
fn every_small_file_reads_as_python_anndata_reads_it() {
    compare_folder(&fixtures().join("h5ad"), "small.json");
}
