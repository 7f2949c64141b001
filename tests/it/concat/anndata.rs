//! What `scx concat` writes against what anndata.concat makes of the same files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use scx::data::{Annotation, Column, Dataset, Layout};
use serde_json::Value;

use crate::support::{self, Dir};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A folder with the files to concatenate.
pub(super) fn inputs() -> Dir {
    let dir = Dir::new();
    for name in ["a", "b", "c", "d1", "d2"] {
        let file = format!("{name}.h5ad");
        dir.write(&file, std::fs::read(fixtures().join("concat").join(&file)).unwrap());
    }
    dir
}

fn list(v: &Value) -> Vec<String> {
    v.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
}

fn table(v: &Value) -> Array2<f64> {
    let rows = v.as_array().unwrap();
    let columns = rows.first().map_or(0, |r| r.as_array().unwrap().len());
    let flat = rows.iter().flat_map(|r| r.as_array().unwrap()).map(|v| match v {
        Value::Bool(b) => f64::from(u8::from(*b)),
        v => v.as_f64().unwrap_or(f64::NAN),
    });
    Array2::from_shape_vec((rows.len(), columns), flat.collect()).unwrap()
}

fn same(a: &Array2<f64>, b: &Array2<f64>) -> bool {
    a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}

/// Columns of `m`, which are called `own`, in the order of `wanted`.
fn ordered(m: &Array2<f64>, own: &[String], wanted: &[String]) -> Array2<f64> {
    let at: Vec<usize> =
        wanted.iter().map(|n| own.iter().position(|o| o == n).unwrap_or_else(|| panic!("no {n}"))).collect();
    m.select(ndarray::Axis(1), &at)
}

/// An entry as a word that is the same for 1, 1.0 and a masked 1, and for every kind of missing.
fn word(text: Option<&str>) -> String {
    match text {
        None => "-".into(),
        Some("True") => "1".into(),
        Some("False") => "0".into(),
        Some(t) => match t.parse::<f64>() {
            Ok(x) if x.is_nan() => "-".into(),
            Ok(x) => format!("{x}"),
            Err(_) => t.into(),
        },
    }
}

fn wanted(v: &Value) -> String {
    match v {
        Value::Null => word(None),
        Value::Bool(b) => word(Some(if *b { "1" } else { "0" })),
        Value::String(s) => word(Some(s)),
        v => word(Some(&v.to_string())),
    }
}

fn columns(d: &Dataset, want: &Value, what: &str) {
    let all = want["obs"].as_object().unwrap();
    let found: Vec<&String> = d.obs.columns.iter().map(|(n, _)| n).collect();
    let mut names: Vec<&String> = all.keys().collect();
    names.sort();
    assert_eq!(
        {
            let mut f = found.clone();
            f.sort();
            f
        },
        names,
        "{what}: columns of obs"
    );
    assert_eq!(found.last().map(|s| s.as_str()), Some("batch"), "{what}");
    for (name, column) in &d.obs.columns {
        let own: Vec<String> = (0..column.len()).map(|i| word(column.text(i).as_deref())).collect();
        let want_all: Vec<String> = all[name].as_array().unwrap().iter().map(wanted).collect();
        assert_eq!(own, want_all, "{what}: obs[{name}]");
        if let Some(categories) = want["categories"].get(name) {
            let Column::Categorical(c) = column else {
                panic!("{what}: {name} is no category: {}", column.kind())
            };
            let mut own: Vec<String> = (0..c.categories.len()).filter_map(|i| c.categories.text(i)).collect();
            own.sort();
            assert_eq!(own, list(categories), "{what}: categories of {name}");
            assert_eq!(c.ordered, want["ordered"][name], "{what}: {name}");
        }
    }
}

fn check(d: &Dataset, want: &Value, what: &str) {
    let cells: Vec<String> = d.obs.index.iter().map(|n| n.into_owned()).collect();
    assert_eq!(cells, list(&want["obs_names"]), "{what}");
    let (own, genes): (Vec<String>, _) =
        (d.var.index.iter().map(|n| n.into_owned()).collect(), list(&want["var_names"]));
    assert_eq!(own.len(), genes.len(), "{what}: {own:?}");
    let x = d.x.as_ref().unwrap();
    // Whole numbers of 16 bits beside singles stay exact in singles; anndata takes doubles for the missing ones.
    let dtype = if what == "dense_outer" { "float32" } else { want["dtype"].as_str().unwrap() };
    assert_eq!((x.dtype().name(), x.layout() == Layout::Csr), (dtype, want["sparse"] == true), "{what}");
    assert!(same(&ordered(&support::values(x), &own, &genes), &table(&want["x"])), "{what}: X");
    columns(d, want, what);
    // Columns of var that anndata keeps are kept; more may be.
    for (name, values) in want["var"].as_object().unwrap() {
        let column = d.var.column(name).unwrap_or_else(|| panic!("{what}: var[{name}] is missing"));
        for (gene, value) in genes.iter().zip(list(values)) {
            let at = own.iter().position(|o| o == gene).unwrap();
            assert_eq!(column.text(at).as_deref(), Some(value.as_str()), "{what}: var[{name}] of {gene}");
        }
    }
    for (name, layer) in &d.layers {
        assert!(
            same(&ordered(&support::values(layer), &own, &genes), &table(&want["layers"][name])),
            "{what}: {name}"
        );
    }
    let arrays: BTreeMap<_, _> = d.obsm.iter().collect();
    assert_eq!(arrays.len(), want["obsm"].as_object().unwrap().len(), "{what}: obsm");
    for (name, a) in arrays {
        let Annotation::Matrix(m) = a else { panic!("{name}") };
        assert!(same(&support::values(m), &table(&want["obsm"][name])), "{what}: {name}");
    }
    assert_eq!(d.raw.is_some(), !want["raw"].is_null(), "{what}: raw");
    if let Some(raw) = &d.raw {
        let own: Vec<String> = raw.var.index.iter().map(|n| n.into_owned()).collect();
        let found = ordered(&support::values(&raw.x), &own, &list(&want["raw"]["names"]));
        assert!(same(&found, &table(&want["raw"]["x"])), "{what}: raw");
    }
    for key in want["uns"].as_object().unwrap().keys() {
        assert!(d.uns.contains_key(key), "{what}: uns[{key}]");
    }
    assert_eq!(d.uns.len(), want["uns"].as_object().unwrap().len() + 1, "{what}: {:?}", d.uns.keys());
}

#[test]
fn files_come_together_as_anndata_puts_them() {
    let dir = inputs();
    for (what, files) in
        [("abc", "a.h5ad b.h5ad c.h5ad"), ("ab", "a.h5ad b.h5ad"), ("dense", "d1.h5ad d2.h5ad")]
    {
        for join in ["inner", "outer"] {
            let out = format!("{what}_{join}");
            dir.scx(&format!("concat {files} -o {out}.h5ad --join {join} --on-duplicate suffix")).ok();
            let text =
                std::fs::read_to_string(fixtures().join(format!("expected/concat/{out}.json"))).unwrap();
            check(&dir.open(&format!("{out}.h5ad")), &serde_json::from_str(&text).unwrap(), &out);
        }
    }
}

const LIVE: &str = r#"
import sys, warnings
import anndata, numpy as np, pandas as pd
from scipy import sparse
warnings.simplefilter("ignore")
def dense(m): return m.toarray() if sparse.issparse(m) else np.asarray(m)
for what, names in (("abc", "abc"), ("ab", "ab"), ("dense", ["d1", "d2"])):
    for join in ("inner", "outer"):
        of = [anndata.read_h5ad(n + ".h5ad") for n in names]
        want = anndata.concat(of, join=join, label="batch", keys=list(names), merge="same")
        got = anndata.read_h5ad(f"{what}_{join}.h5ad")
        got = got[:, want.var_names]
        assert got.shape == want.shape
        assert sparse.issparse(got.X) == sparse.issparse(want.X)
        assert got.X.dtype == want.X.dtype or (what, join) == ("dense", "outer"), (what, join)
        assert np.array_equal(dense(got.X), dense(want.X), equal_nan=True), (what, join)
        assert list(got.obs["batch"]) == list(want.obs["batch"])
        assert set(got.obs.columns) == set(want.obs.columns)
        for k in want.obsm: assert np.array_equal(got.obsm[k], want.obsm[k], equal_nan=True), k
        log = got.uns["scx"]["log"]["000"]
        assert '"verb":"concat"' in log and '"sha256"' in log
"#;

#[test]
fn anndata_opens_the_result_and_agrees() {
    let Some(python) = support::python() else { return };
    let dir = inputs();
    for (what, files) in
        [("abc", "a.h5ad b.h5ad c.h5ad"), ("ab", "a.h5ad b.h5ad"), ("dense", "d1.h5ad d2.h5ad")]
    {
        let names = files.replace(".h5ad", "").replace(' ', ",");
        for join in ["inner", "outer"] {
            let more = format!("--join {join} --on-duplicate suffix --batch-names {names}");
            dir.scx(&format!("concat {files} -o {what}_{join}.h5ad {more}")).ok();
        }
    }
    let out =
        std::process::Command::new(python).args(["-c", LIVE]).current_dir(dir.path("")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
