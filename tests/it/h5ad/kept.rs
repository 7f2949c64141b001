//! What scx does not understand survives from h5ad to h5ad; names HDF5 cannot hold; encodings for older anndata.

use std::collections::BTreeMap;
use std::path::Path;

use hdf5_metno as hdf5;
use scx::data::{Annotation, Column, Dataset, Frame, Index, Uns, Values};
use scx::io::{Compat, ReadOptions, WriteOptions, h5ad};
use serde_json::json;

use super::expected::fixtures;

fn read(path: &Path) -> Dataset {
    h5ad::read(path, &ReadOptions::default()).unwrap()
}

fn attribute(at: &hdf5::Location, name: &str) -> String {
    at.attr(name).unwrap().read_scalar::<hdf5::types::VarLenUnicode>().unwrap().to_string()
}

/// The encoding of an object, or nothing when it is not there.
fn encoding(file: &hdf5::File, at: &str) -> Option<String> {
    if !file.link_exists(at) {
        return None;
    }
    Some(match file.group(at) {
        Ok(g) => attribute(&g, "encoding-type"),
        Err(_) => attribute(&file.dataset(at).unwrap(), "encoding-type"),
    })
}

#[test]
fn what_is_not_understood_is_copied_with_its_attributes_wherever_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one.h5ad"), dir.path().join("two.h5ad"));
    h5ad::write(&read(&fixtures().join("h5ad/unknown_encodings.h5ad")), &one, &WriteOptions::default())
        .unwrap();
    // From the copy, to see that it can serve as a source itself.
    h5ad::write(&read(&one), &two, &WriteOptions::default()).unwrap();
    let file = hdf5::File::open(&two).unwrap();
    for (at, kind) in [
        ("obsm/ragged", "awkward-array"),
        ("layers/odd", "cube"),
        ("uns/odd", "dream"),
        ("obs/odd", "interval"),
    ] {
        let g = file.group(at).unwrap();
        assert_eq!(
            (attribute(&g, "encoding-type"), attribute(&g, "encoding-version")),
            (kind.into(), "9.9.9".into())
        );
        assert_eq!(g.dataset("node0-data").unwrap().read_raw::<i64>().unwrap(), [0, 1, 2, 3], "{at}");
    }
    let order = file.group("obs").unwrap().attr("column-order").unwrap();
    let order: Vec<String> =
        order.read_raw::<hdf5::types::VarLenUnicode>().unwrap().iter().map(|s| s.to_string()).collect();
    assert_eq!(order, ["fine", "odd"]);
}

#[test]
fn an_element_without_a_stored_object_is_left_out_and_the_rest_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("o.h5ad");
    let mut d = read(&fixtures().join("h5ad/unknown_encodings.h5ad"));
    // As whoever takes rows out must do.
    d.obsm.insert("ragged".into(), Annotation::Opaque { encoding: "awkward-array".into(), stored: None });
    for (_, c) in &mut d.obs.columns {
        if let Column::Opaque { stored, .. } = c {
            *stored = None;
        }
    }
    h5ad::write(&d, &out, &WriteOptions::default()).unwrap();
    let again = read(&out);
    assert!(!again.obsm.contains_key("ragged"));
    let names: Vec<&str> = again.obs.columns.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["fine"]);
}

#[test]
fn copies_carry_no_time_stamp() {
    let dir = tempfile::tempdir().unwrap();
    let d = read(&fixtures().join("h5ad/anndata_0.12.19.h5ad"));
    let bytes = |name: &str| {
        let path = dir.path().join(name);
        h5ad::write(&d, &path, &WriteOptions::default()).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = bytes("a");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(first == bytes("b"), "two runs differ");
}

/// A table with columns of these names.
fn table(rows: usize, names: &[&str]) -> Frame {
    let index =
        Index::Names { name: "the/index".into(), values: (0..rows).map(|i| format!("r{i}")).collect() };
    names
        .iter()
        .zip(0..)
        .fold(Frame::new(index), |f, (name, i)| f.with(name, Column::Numbers(Values::I32(vec![i; rows]))))
}

#[test]
fn every_name_survives_in_a_form_that_can_be_undone() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("o.h5ad");
    let names = ["CD3/CD4", "CD3|CD4", "", ".", "_index", "fine", "fine"];
    let mut d = Dataset::new(table(3, &names), table(2, &["gene/name"]));
    d.obsm.insert("a/b".into(), Annotation::Frame(table(3, &["x/y"])));
    d.uns.insert(
        "p/q".into(),
        Uns::Map(BTreeMap::from([("r/s".to_owned(), Uns::Number(Values::I64(vec![1])))])),
    );
    h5ad::write(&d, &out, &WriteOptions::default()).unwrap();
    let again = read(&out);
    let stored: Vec<&str> = again.obs.columns.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(stored, ["CD3|CD4_1", "CD3|CD4", "_", "_.", "_index_1", "fine", "fine_1"]);
    for (i, (_, c)) in again.obs.columns.iter().enumerate() {
        assert_eq!(c, &Column::Numbers(Values::I32(vec![i as i32; 3])), "values stay with their names");
    }
    let Some(Uns::Map(scx)) = again.uns.get("scx") else { panic!("no uns/scx") };
    let Some(Uns::String(text)) = scx.get("names") else { panic!("no names") };
    let found: serde_json::Value = serde_json::from_str(text).unwrap();
    let mut meant = json!({
        "obs": {"CD3|CD4_1": "CD3/CD4", "_": "", "_.": ".", "_index_1": "_index", "fine_1": "fine", "the|index": "the/index"},
        "var": {"gene|name": "gene/name", "the|index": "the/index"},
        "obsm": {"a|b": "a/b"},
        "obsm/a|b": {"x|y": "x/y", "the|index": "the/index"},
        "uns": {"p|q": "p/q"},
        "uns/p|q": {"r|s": "r/s"},
    });
    assert_eq!(found, meant);
    // What a second run renames is added; names that are fine now stay.
    let mut more = again;
    more.uns.insert("u/v".into(), Uns::Null);
    h5ad::write(&more, &out, &WriteOptions::default()).unwrap();
    let Some(Uns::Map(scx)) = read(&out).uns.remove("scx") else { panic!("no uns/scx") };
    let Some(Uns::String(text)) = scx.get("names") else { panic!("no names") };
    meant["uns"]["u|v"] = json!("u/v");
    assert_eq!(serde_json::from_str::<serde_json::Value>(text).unwrap(), meant);
    if let Some(python) = crate::support::python() {
        let code = "import sys, anndata\na = anndata.read_h5ad(sys.argv[1])\n\
                    assert list(a.obs) == ['CD3|CD4_1', 'CD3|CD4', '_', '_.', '_index_1', 'fine', 'fine_1'], a.obs";
        let run = std::process::Command::new(python).args(["-c", code]).arg(&out).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

/// Levels of compatibility, and what each makes of text with missing entries, None and a ragged array.
const LEVELS: &[(Compat, &str, bool, bool)] = &[
    (Compat::V0_8, "categorical", false, false),
    (Compat::V0_11, "categorical", false, true),
    (Compat::V0_12, "categorical", true, true),
    (Compat::V0_13, "nullable-string-array", true, true),
];

#[test]
fn an_older_anndata_gets_no_encoding_it_does_not_know() {
    let dir = tempfile::tempdir().unwrap();
    // The files can be kept, for fixtures/make/h5ad_compat.py under each anndata.
    let folder = std::env::var_os("SCX_KEEP").map_or_else(|| dir.path().to_owned(), Into::into);
    let mut d = read(&fixtures().join("h5ad/anndata_0.12.19.h5ad"));
    let n = d.n_obs();
    let text = |i: usize| (i != 2).then(|| format!("t{}", i % 2));
    d.obs.columns.push(("maybe".into(), Column::NullableStrings((0..n).map(text).collect())));
    d.obs.columns.push(("words".into(), Column::NullableStrings(vec![Some("x".into()); n])));
    for (compat, maybe, null, ragged) in LEVELS {
        let out = folder.join(format!("{compat:?}.h5ad"));
        h5ad::write(&d, &out, &WriteOptions { compat: *compat, ..WriteOptions::default() }).unwrap();
        let file = hdf5::File::open(&out).unwrap();
        assert_eq!(encoding(&file, "obs/maybe").as_deref(), Some(*maybe), "{compat:?}");
        let words = if *compat == Compat::V0_13 { "nullable-string-array" } else { "string-array" };
        assert_eq!(encoding(&file, "obs/words").as_deref(), Some(words), "{compat:?}");
        assert_eq!(encoding(&file, "obs/_index").as_deref(), Some("string-array"), "{compat:?}");
        assert_eq!(encoding(&file, "uns/nothing").is_some(), *null, "{compat:?}");
        assert_eq!(encoding(&file, "obsm/ragged").is_some(), *ragged, "{compat:?}");
        assert_eq!(encoding(&file, "uns/rank_genes_groups/names").as_deref(), Some("rec-array"));
        drop(file);
        let maybe = read(&out).obs.column("maybe").cloned().unwrap();
        assert!((0..n).all(|i| maybe.text(i).as_deref() == text(i).as_deref()), "{compat:?}: {maybe:?}");
    }
}
