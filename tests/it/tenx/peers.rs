//! What scx writes in the hands of scanpy and of Seurat.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use scx::io::{Format, ReadOptions, WriteOptions, open, save};
use serde_json::Value;

use super::expected::differences;
use super::{entries, fixtures, real};

/// Writes some data sets in both formats below `folder`; their names.
fn written(folder: &Path) -> Vec<String> {
    let mut sources: Vec<_> = ["v3.h5", "mtx_real_fine", "mtx_v3"].map(|n| fixtures("tenx").join(n)).into();
    if let Some(real) = real() {
        sources.push(real.join("scanpy_3.0.0_filtered_feature_bc_matrix.h5"));
        sources.push(real.join("scvi_pbmc_10k_protein_v3"));
    }
    let mut out = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        let d = open(source, &ReadOptions::default()).unwrap();
        for (format, name) in [(Format::TenxH5, format!("{i}.h5")), (Format::TenxMtx, format!("{i}"))] {
            save(&d, format, &folder.join(&name), false, &WriteOptions::default()).unwrap();
            out.push(name);
        }
    }
    out
}

#[test]
fn scanpy_opens_what_is_written_and_finds_the_same() {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let names = written(&data);
    let out = dir.path().join("found.json");
    let script = fixtures("make/tenx_expected.py");
    let run = Command::new(python).arg(script).arg(&data).arg(&out).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for name in &names {
        let d = open(&data.join(name), &ReadOptions::default()).unwrap();
        differences(name, &super::expected::summary(&d), &found[name], &mut wrong);
        // Of the two formats one is as the other.
        let other = &found[name.strip_suffix(".h5").unwrap_or(name)];
        if found[name]["indices"] != other["indices"] || found[name]["var"] != other["var"] {
            wrong.push(format!("{name}: other entries than in the folder"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// R with Seurat, where there is one.
fn seurat() -> Option<OsString> {
    let rscript = std::env::var_os("SCX_RSCRIPT").unwrap_or_else(|| "Rscript".into());
    let works = Command::new(&rscript)
        .args(["-e", "library(Seurat); library(hdf5r)"])
        .output()
        .is_ok_and(|o| o.status.success());
    if !works {
        println!("skipped: Rscript with Seurat and hdf5r is not there (SCX_RSCRIPT names another Rscript)");
        return None;
    }
    Some(rscript)
}

const SCRIPT: &str = r#"
suppressMessages(library(Seurat))
for (path in commandArgs(trailingOnly = TRUE)) {
    m <- suppressMessages(if (dir.exists(path)) Read10X(path) else Read10X_h5(path))
    parts <- if (is.list(m)) m else list(m)
    # Of a kind with one feature alone Seurat makes a plain vector.
    features <- sum(sapply(parts, function(p) if (is.null(dim(p))) 1 else nrow(p)))
    cat(basename(path), ncol(parts[[1]]), features, format(sum(sapply(parts, sum)), digits = 15),
        colnames(parts[[1]])[1], sum(sapply(parts, function(p) sum(p != 0))), sep = "\t")
    cat("\n")
}
"#;

#[test]
fn seurat_opens_what_is_written_and_finds_the_same() {
    let Some(rscript) = seurat() else { return };
    let dir = tempfile::tempdir().unwrap();
    let names = written(dir.path());
    let paths: Vec<_> = names.iter().map(|n| dir.path().join(n)).collect();
    let run = Command::new(rscript).arg("-e").arg(SCRIPT).args(&paths).output().unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{text}{}", String::from_utf8_lossy(&run.stderr));
    let lines: Vec<Vec<&str>> = text.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(lines.len(), names.len(), "{text}");
    for (line, path) in lines.iter().zip(&paths) {
        let d = open(path, &ReadOptions::default()).unwrap();
        let all = entries(&d);
        let sum: f64 = all.iter().map(|e| e.2).sum();
        assert_eq!(line[1].parse::<usize>().unwrap(), d.n_obs(), "{line:?}");
        assert_eq!(line[2].parse::<usize>().unwrap(), d.n_vars(), "{line:?}");
        assert!((line[3].parse::<f64>().unwrap() - sum).abs() < 1e-6 * sum, "{line:?}: {sum}");
        assert_eq!(line[4], d.obs.index.get(0).unwrap(), "{line:?}");
        assert_eq!(line[5].parse::<usize>().unwrap(), all.len(), "{line:?}");
    }
}
