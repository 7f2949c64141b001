//! Every file against what loompy finds in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use scx::data::{Annotation, Block, Column, Dataset, Matrix};
use scx::io::{ReadOptions, loom};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::h5ad::compare::{differences, summary};
use crate::h5ad::expected::{fixtures, kind, names};

pub(super) fn read(path: &Path) -> Dataset {
    loom::read(path, &ReadOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// The folder of real files, when there is one here.
pub(super) fn real() -> Option<PathBuf> {
    let Some(root) = std::env::var_os("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return None;
    };
    Some(Path::new(&root).join("loom"))
}

/// All values of a run of cells, dense.
pub(super) fn cells(m: &Matrix, range: std::ops::Range<usize>) -> Vec<f64> {
    let Matrix::OnDisk(m) = m else { panic!("not on disk") };
    m.rows(range).unwrap().to_f64().into_raw_vec_and_offset().0
}

/// What Python's `repr` makes of the values, digested.
fn digest(values: &[f64]) -> String {
    let all: Vec<String> = values.iter().map(|x| format!("{x:?}")).collect();
    let hash = Sha256::digest(all.join("\n"));
    hash.iter().map(|b| format!("{b:02x}")).collect::<String>()[..16].to_owned()
}

fn described(d: &Dataset) -> Value {
    let mut out = summary(d);
    let x = d.x.as_ref().unwrap();
    let n = d.n_obs();
    out["dialect"] = json!(d.source.dialect);
    out["first_cell"] = json!(digest(&cells(x, 0..n.min(1))));
    out["last_cell"] = json!(digest(&cells(x, n.saturating_sub(1)..n)));
    out
}

fn compare_folder(folder: &Path, expected: &str) {
    let text = std::fs::read_to_string(fixtures().join("expected/loom").join(expected)).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let expected = expected.as_object().unwrap();
    let listed: BTreeSet<String> = expected.keys().cloned().collect();
    assert_eq!(listed, names(folder), "list and folder differ");
    assert!(!listed.is_empty());
    let mut wrong = Vec::new();
    for (name, expected) in expected {
        match loom::read(&folder.join(name), &ReadOptions::default()) {
            Ok(d) => differences(name, &described(&d), expected, &mut wrong),
            Err(e) => wrong.push(format!("{name}: {} {e}", kind(&e))),
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_real_file_reads_as_loompy_reads_it() {
    if let Some(folder) = real() {
        compare_folder(&folder, "real.json");
    }
}

#[test]
fn every_small_file_reads_as_loompy_reads_it() {
    compare_folder(&fixtures().join("loom"), "small.json");
}

fn small(name: &str) -> Dataset {
    read(&fixtures().join("loom").join(name))
}

fn texts(d: &Dataset, column: &str) -> Vec<String> {
    match d.obs.column(column) {
        Some(Column::Strings(v)) => v.clone(),
        other => panic!("{column}: {other:?}"),
    }
}

#[test]
fn text_of_every_encoding_is_what_was_meant() {
    let spec2 = small("spec2.loom");
    assert_eq!(texts(&spec2, "kind"), ["β-cell", "T & B", "Q&A", "a<b", "&amp;", ""]);
    let latin = small("latin.loom");
    assert_eq!(texts(&latin, "utf8"), ["β-cell", "細胞", "", "é", "a", "b"]);
    assert_eq!(texts(&latin, "fixed"), ["café"; 6]);
    assert_eq!(texts(&latin, "variable"), ["naïve", "x", "y", "", "z", "w"]);
}

#[test]
fn edges_in_any_order_become_rows_in_order() {
    let d = small("graphs.loom");
    let Some(Annotation::Matrix(Matrix::Sparse(knn))) = d.obsp.get("knn") else { panic!("{:?}", d.obsp) };
    assert_eq!(knn.indptr(), [0, 1, 2, 2, 2, 5, 5]);
    assert_eq!(knn.indices(), [5, 0, 1, 3, 3]);
    assert_eq!(knn.values(), &scx::data::Values::F64(vec![2.0, 1.0, 4.0, 0.5, 8.0]));
}

#[test]
fn a_file_is_found_to_be_a_loom_whatever_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["x.h5ad", "x.dat", "x"] {
        let path = dir.path().join(name);
        std::fs::copy(fixtures().join("loom/spec3.loom"), &path).unwrap();
        assert_eq!(scx::io::detect(&path).unwrap().format, scx::io::Format::Loom, "{name}");
    }
    // And an h5ad under the name of a loom is none.
    let path = dir.path().join("x.loom");
    std::fs::copy(fixtures().join("h5ad/csc.h5ad"), &path).unwrap();
    assert_eq!(scx::io::detect(&path).unwrap().format, scx::io::Format::H5ad);
}

#[test]
fn runs_of_rows_are_blocks_of_the_layout_told() {
    for name in names(&fixtures().join("loom")) {
        let d = small(&name);
        for m in d.x.iter().chain(d.layers.values()) {
            let sparse = m.layout() == scx::data::Layout::Csr;
            m.stream(1 << 30, &mut |_, block| {
                assert_eq!(matches!(block, Block::Csr(_)), sparse, "{name}");
                Ok(())
            })
            .unwrap();
        }
    }
}
