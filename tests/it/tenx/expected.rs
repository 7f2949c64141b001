//! Every file and folder against what scanpy finds in it.

use std::collections::BTreeSet;
use std::path::Path;

use scx::data::{Column, DType, Dataset, Frame, Layout, Matrix, Uns};
use scx::io::{Format, ReadError, ReadOptions, detect, open};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{entries, fixtures, names, real};

fn digest<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let all: Vec<String> = texts.into_iter().map(|t| t.as_ref().to_owned()).collect();
    let hash = Sha256::digest(all.join("\n"));
    hash.iter().map(|b| format!("{b:02x}")).collect::<String>()[..16].to_owned()
}

/// A data set in the terms of `fixtures/make/tenx_expected.py`.
pub(super) fn summary(d: &Dataset) -> Value {
    let mut found = entries(d);
    found.sort_by_key(|e| (e.0, e.1));
    let mut indptr = vec![0u64; d.n_obs() + 1];
    for (row, ..) in &found {
        indptr[row + 1] += 1;
    }
    for i in 1..indptr.len() {
        indptr[i] += indptr[i - 1];
    }
    let mut columns = Map::new();
    for (name, table) in [("obs", &d.obs), ("var", &d.var)] {
        for (column, values) in &table.columns {
            let texts = (0..values.len()).map(|i| values.text(i).unwrap().into_owned());
            columns.insert(format!("{name}/{column}"), json!(digest(texts)));
        }
    }
    let index = |f: &Frame| digest(f.index.iter());
    json!({
        "shape": [d.n_obs(), d.n_vars()], "nnz": found.len(),
        "sum": found.iter().map(|e| e.2).sum::<f64>(), "square": found.iter().map(|e| e.2 * e.2).sum::<f64>(),
        "indptr": digest(indptr.iter().map(u64::to_string)),
        "indices": digest(found.iter().map(|e| e.1.to_string())),
        "obs": index(&d.obs), "var": index(&d.var), "columns": columns,
    })
}

/// Everything scanpy finds must be there; scx may know more columns.
pub(super) fn differences(name: &str, found: &Value, wanted: &Value, wrong: &mut Vec<String>) {
    for (key, want) in wanted.as_object().unwrap() {
        match (want, &found[key]) {
            (Value::Object(want), found) => {
                for (column, want) in want {
                    if found[column] != *want {
                        wrong.push(format!("{name}: {column}: {} found", found[column]));
                    }
                }
            }
            (Value::Number(a), Value::Number(b)) => {
                let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                if (a - b).abs() > 1e-12 * a.abs() {
                    wrong.push(format!("{name}: {key}: {b} found, {a} wanted"));
                }
            }
            (want, found) if want == found => {}
            (want, found) => wrong.push(format!("{name}: {key}: {found} found, {want} wanted")),
        }
    }
}

fn compare_folder(folder: &Path, expected: &str) {
    let text = std::fs::read_to_string(fixtures("expected/tenx").join(expected)).unwrap();
    let wanted: Value = serde_json::from_str(&text).unwrap();
    let wanted = wanted.as_object().unwrap();
    let files: BTreeSet<String> = wanted.keys().map(|k| k.split('#').next().unwrap().to_owned()).collect();
    let there: BTreeSet<String> = names(folder).into_iter().filter(|n| !n.ends_with(".csv")).collect();
    assert_eq!(files, there, "list and folder differ");
    assert!(files.len() > 5);
    let mut wrong = Vec::new();
    for (name, want) in wanted {
        let (file, genome) = name.split_once('#').map_or((name.as_str(), None), |(f, g)| (f, Some(g)));
        let path = folder.join(file);
        let format = if file.ends_with(".h5") { Format::TenxH5 } else { Format::TenxMtx };
        assert_eq!(detect(&path).unwrap().format, format, "{file}");
        let options = ReadOptions { genome: genome.map(Into::into), ..ReadOptions::default() };
        match (open(&path, &options), want.get("error")) {
            (Ok(d), None) => differences(name, &summary(&d), want, &mut wrong),
            (Err(ReadError::Unsupported { .. }), Some(_)) => {}
            (result, _) => wrong.push(format!("{name}: {:?}", result.map(|_| ()))),
        }
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_real_file_and_folder_reads_as_scanpy_reads_it() {
    if let Some(folder) = real() {
        compare_folder(&folder, "real.json");
    }
}

#[test]
fn every_small_file_and_folder_reads_as_scanpy_reads_it() {
    compare_folder(&fixtures("tenx"), "small.json");
}

fn read(name: &str) -> Dataset {
    open(&fixtures("tenx").join(name), &ReadOptions::default()).unwrap()
}

fn dtype(name: &str) -> DType {
    read(name).x.unwrap().dtype()
}

#[test]
fn numbers_keep_the_smallest_type_that_holds_them_exactly() {
    assert_eq!(dtype("v3.h5"), DType::I32);
    assert_eq!(dtype("v3_variable_text.h5"), DType::F64);
    assert_eq!(dtype("mtx_v3"), DType::I32);
    assert_eq!(dtype("mtx_int64"), DType::I64);
    assert_eq!(dtype("mtx_pattern"), DType::I32);
    assert_eq!(dtype("mtx_real_small"), DType::F32);
    assert_eq!(dtype("mtx_real_fine"), DType::F64);
    let fine = entries(&read("mtx_real_fine"));
    assert!(fine.iter().any(|e| e.2 == 0.3), "{fine:?}");
}

#[test]
fn a_file_of_columns_is_seen_as_rows_without_being_turned() {
    let d = read("v3.h5");
    let x = d.x.unwrap();
    assert!(matches!(x, Matrix::OnDisk(_)));
    assert_eq!((x.layout(), x.shape(), x.nnz()), (Layout::Csr, (5, 6), Some(9)));
}

#[test]
fn what_a_file_says_of_itself_is_kept() {
    let d = read("v3.h5");
    assert_eq!(d.uns["chemistry_description"], Uns::String("Single Cell 3' v3".into()));
    assert_eq!(d.uns["library_ids"], Uns::Strings(vec!["one".into(), "two".into()]));
    let d = read("v2.h5");
    assert_eq!(d.var.column("genome").and_then(|c| c.text(0)).unwrap(), "hg19");
    let d = read("probes.h5");
    let Uns::Map(sets) = &d.uns["target_sets"] else { panic!("no sets") };
    assert!(matches!(&sets["Panel"], Uns::Array { values, .. } if values.iter().eq([0.0, 1.0, 4.0])));
}

#[test]
fn further_columns_of_the_tables_are_kept_and_more_is_read_than_gene_expression() {
    let d = read("mtx_integer_ids");
    assert_eq!(d.obs.column("column_2").and_then(|c| c.text(3)).unwrap(), "x3");
    assert_eq!(d.var.column("column_6").and_then(|c| c.text(1)).unwrap(), "10");
    let d = read("mtx_v3");
    let Some(Column::Strings(types)) = d.var.column("feature_types") else { panic!("no types") };
    assert_eq!(types[5], "Antibody Capture");
}

#[test]
fn a_matrix_too_large_for_the_memory_allowed_is_read_all_the_same() {
    let small = ReadOptions { memory: 600, ..ReadOptions::default() };
    for name in ["mtx_v3", "mtx_by_feature", "mtx_real_fine", "mtx_twice", "mtx_int64", "mtx_empty"] {
        let path = fixtures("tenx").join(name);
        let d = open(&path, &ReadOptions { memory: 100, ..small.clone() });
        // The names alone are too much for this little.
        assert!(matches!(d, Err(ReadError::TooLarge { .. })), "{name}");
        let d = open(&path, &small).unwrap();
        assert_eq!(entries(&d), entries(&read(name)), "{name}");
    }
    let real = real().map(|f| f.join("scvi_pbmc_10k_protein_v3"));
    // Sorted by feature: entries go through the file of the sorter, rows through that of the store.
    if let Some(path) = real {
        let tight = ReadOptions { memory: 100 << 10, ..small };
        let d = open(&path, &tight).unwrap();
        assert!(matches!(d.x, Some(Matrix::OnDisk(_))));
        assert_eq!(entries(&d), entries(&open(&path, &ReadOptions::default()).unwrap()));
    }
}

#[test]
fn the_matrix_itself_may_be_given_and_any_folder_without_one_is_refused() {
    let by_file = open(&fixtures("tenx/mtx_prefix/GSM1_matrix.mtx.gz"), &ReadOptions::default()).unwrap();
    assert_eq!(summary(&by_file), summary(&read("mtx_prefix")));
    let e = open(&fixtures("fcs"), &ReadOptions::default()).unwrap_err().to_string();
    assert!(e.contains("it is a folder without a 10x matrix"), "{e}");
}
