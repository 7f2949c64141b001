//! Recipes against scanpy's own numbers, and their replay.

use std::path::{Path, PathBuf};
use std::process::Command;

use ndarray::Array2;
use scx::data::{Column, Dataset, Matrix, Values};
use scx::io::{Format, ReadOptions, WriteOptions, open, save};
use scx::recipe::{FittedRecipe, Flavor, Options, Recipe, Step, TargetSum};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn real(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return None;
    };
    Some(PathBuf::from(folder).join(name))
}

fn expected(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/expected/recipe/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn log_norm(steps: &mut Vec<Step>, min_cells: u64) {
    steps.push(Step::FilterGenes { min_cells });
    steps.push(Step::NormalizeTotal { target_sum: TargetSum::Sum(1e4) });
    steps.push(Step::Log1p);
}

/// The recipes of `fixtures/make/scanpy_recipes.py`, by its names.
fn recipe(name: &str) -> Recipe {
    let mut steps = Vec::new();
    let variable = |n_top, flavor, subset| Step::HighlyVariableGenes { n_top, flavor, subset };
    match name {
        "scgan_genes_first" => return Recipe::scgan(true),
        "seurat" | "cell_ranger" => {
            log_norm(&mut steps, 1);
            let flavor = if name == "seurat" { Flavor::Seurat } else { Flavor::CellRanger };
            steps.push(variable(2000, flavor, false));
        }
        "seurat_v3" => {
            steps.push(Step::FilterGenes { min_cells: 1 });
            steps.push(variable(2000, Flavor::SeuratV3, false));
        }
        "scale" => {
            log_norm(&mut steps, 3);
            steps.push(variable(500, Flavor::Seurat, true));
            steps.push(Step::Scale { max_value: Some(10.0) });
        }
        named => return Recipe::named(named).unwrap(),
    }
    Recipe { steps }
}

const RECIPES: [&str; 8] =
    ["scgan", "scgan_genes_first", "trvae", "zheng17", "seurat", "cell_ranger", "seurat_v3", "scale"];

fn score(recipe: &str) -> Option<&'static str> {
    match recipe {
        "seurat_v3" => Some("variances_norm"),
        "seurat" | "cell_ranger" | "trvae" | "scale" => Some("dispersions_norm"),
        _ => None,
    }
}

fn numbers(column: &Column) -> Vec<f64> {
    match column {
        Column::Numbers(v) => v.iter().collect(),
        other => panic!("{other:?}"),
    }
}

fn names(d: &Dataset) -> Vec<String> {
    d.var.index.iter().map(|n| n.into_owned()).collect()
}

/// Names of the chosen genes, the most variable first.
fn order(d: &Dataset, score: &str) -> Vec<String> {
    let Some(Column::Numbers(Values::Bool(chosen))) = d.var.column("highly_variable") else { panic!() };
    let score = numbers(d.var.column(score).unwrap());
    let mut genes: Vec<usize> = (0..chosen.len()).filter(|&g| chosen[g]).collect();
    genes.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
    let names = names(d);
    genes.into_iter().map(|g| names[g].clone()).collect()
}

fn whole(m: &Matrix) -> Array2<f64> {
    let (n, g) = m.shape();
    let mut out = Array2::zeros((n, g));
    m.stream(64 << 20, &mut |start, block| {
        out.slice_mut(ndarray::s![start..start + block.len(), ..]).assign(&block.to_f64());
        Ok(())
    })
    .unwrap();
    out
}

fn x(d: &Dataset) -> &Matrix {
    d.x.as_ref().unwrap()
}

fn run(name: &str, file: &Path) -> (Dataset, FittedRecipe) {
    let mut d = open(file, &ReadOptions::default()).unwrap();
    let fitted = recipe(name).fit_apply(&mut d, &Options::default()).unwrap();
    d.check().unwrap();
    (d, fitted)
}

fn list(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

fn close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64, unit: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let same = (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(unit);
        assert!(same, "{what} {i}: {a}, scanpy has {b}");
    }
}

#[test]
fn recipes_give_scanpys_cells_genes_values_and_scores_on_two_real_files() {
    for data in ["pbmc3k", "kang"] {
        let want = expected(data);
        let Some(file) = real(want["file"].as_str().unwrap()) else { return };
        for name in RECIPES {
            let (d, _) = run(name, &file);
            let want = &want[name];
            let what = |part: &str| format!("{data} {name} {part}");
            let shape: Vec<f64> = vec![d.n_obs() as f64, d.n_vars() as f64];
            assert_eq!(shape, list(&want["shape"]), "{}", what("shape"));
            let genes: Vec<String> = names(&d).into_iter().step_by(211).collect();
            assert_eq!(serde_json::json!(genes), want["genes"], "{}", what("genes"));
            let values = whole(x(&d));
            let rows: Vec<f64> = values.rows().into_iter().map(|r| r.sum()).step_by(97).collect();
            let columns: Vec<f64> =
                values.columns().into_iter().map(|c| c.iter().map(|x| x.abs()).sum()).step_by(97).collect();
            // Sums of many z-scores of both signs cancel.
            let rows_to = if matches!(name, "scale" | "zheng17") { 1e-3 } else { 1e-6 };
            close(&what("sums of cells"), &rows, &list(&want["row_sums"]), rows_to, 1e-6);
            close(&what("sums of genes"), &columns, &list(&want["column_sums"]), 1e-6, 1e-6);
            for (column, theirs) in want["scores"].as_object().unwrap() {
                let ours: Vec<f64> =
                    numbers(d.var.column(column).unwrap()).into_iter().step_by(211).collect();
                close(
                    &what(column),
                    &ours,
                    &list(theirs),
                    1e-6,
                    if column.starts_with("disp") { 1.0 } else { 1e-6 },
                );
            }
            if let Some(score) = score(name) {
                let ours = order(&d, score);
                assert_eq!(serde_json::json!(ours[..100]), want["order"]["first"], "{}", what("order"));
                let sha = Sha256::digest(ours.join("\n").as_bytes());
                let sha: String = sha.iter().map(|b| format!("{b:02x}")).collect();
                assert_eq!(sha, want["order"]["sha256"], "{}", what("order of all"));
            }
        }
    }
}

#[test]
fn scanpy_itself_agrees_with_every_number_written() {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/make/scanpy_recipes.py");
    let dir = tempfile::tempdir().unwrap();
    for data in ["pbmc3k", "kang"] {
        let want = expected(data);
        let Some(file) = real(want["file"].as_str().unwrap()) else { return };
        for name in RECIPES {
            let (d, _) = run(name, &file);
            let ours = dir.path().join("ours.h5ad");
            save(&d, Format::H5ad, &ours, true, &WriteOptions::default()).unwrap();
            let out =
                Command::new(&python).arg(&script).args(["compare", name]).arg(&file).arg(&ours).output();
            let out = out.unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            println!("{data} {name}: {text}");
            let found: Value = serde_json::from_str(&text).unwrap();
            for part in ["cells", "genes", "order"] {
                assert_eq!(found[part], true, "{data} {name} {part}: {text}");
            }
            assert!(found["x"].as_f64().unwrap() < 1e-6, "{data} {name}: {text}");
            for (column, same) in found["columns"].as_object().unwrap() {
                let ok = same == &Value::Bool(true) || same.as_f64().is_some_and(|d| d < 1e-6);
                assert!(ok, "{data} {name} {column}: {text}");
            }
        }
    }
}
