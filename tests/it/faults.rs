//! A fault at every call that writes: the target is the old file or the new one, whole, and a failure says so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use scx::io::{CODECS, Format, Table, WriteOptions};

use crate::support::{Dir, Run, SCX, runs};

/// The library that strikes, compiled once; nothing without a C compiler, and then the tests say that they were skipped.
fn shim() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/shim.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shim.so");
        let done = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
            .args([&library, &source])
            .status();
        done.is_ok_and(|s| s.success()).then_some(library)
    });
    if built.is_none() {
        println!("skipped: no C compiler for tests/it/faults/shim.c");
    }
    built.as_deref()
}

/// Runs scx with a fault at the given call; whether it struck is told by the log.
fn struck(dir: &Dir, shim: &Path, args: &str, how: &str, at: usize) -> Option<Run> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let out = Command::new(SCX)
        .args(args.split_whitespace())
        .current_dir(dir.path(""))
        .env("LD_PRELOAD", shim)
        .env("SCX_FAULT_AT", at.to_string())
        .env("SCX_FAULT_HOW", how)
        .env("SCX_FAULT_LOG", log.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (log.path().metadata().unwrap().len() > 0).then(|| Run::new(&out))
}

/// The files of a target, whether it is one or a folder, without names that come and go.
fn target(dir: &Dir, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    dir.contents().into_iter().filter(|(path, _)| path.starts_with(name)).collect()
}

/// Lets `args`, which write `name`, fail at every call in turn.
fn at_every_call(dir: &Dir, args: &str, name: &str) {
    let Some(shim) = shim() else { return };
    let old = target(dir, name);
    assert!(!old.is_empty(), "{name} must be there before");
    let inputs: BTreeSet<PathBuf> = dir.contents().into_keys().collect();
    for how in ["enospc", "eio", "kill"] {
        let mut calls = 0;
        while let Some(run) = struck(dir, shim, args, how, calls + 1) {
            calls += 1;
            let now = target(dir, name);
            let at = format!("{args}: {how} at call {calls}");
            if how == "kill" {
                assert_eq!(run.code, None, "{at}");
                assert!(now == old || run_is_new(dir, name), "{at}: half a target");
                // What a killed process leaves is hidden and beside the target, never in its place.
                for left in dir.contents().into_keys().filter(|p| !inputs.contains(p)) {
                    assert!(left.to_string_lossy().starts_with(".scx-"), "{at}: {}", left.display());
                    let left = dir.path(&left.to_string_lossy());
                    let _ = if left.is_dir() {
                        std::fs::remove_dir_all(left)
                    } else {
                        std::fs::remove_file(left)
                    };
                }
            } else if run.code == Some(0) {
                // Some faults cost nothing: a copy falls back to plain writes, a folder cannot be synced.
                assert!(run_is_new(dir, name), "{at}: it said all was well");
            } else {
                assert!(matches!(run.code, Some(3 | 5)), "{at}: {run:?}");
                assert!(run.stderr.contains("error:"), "{at}: {run:?}");
                assert!(now == old, "{at}: the target has changed");
                let names: BTreeSet<PathBuf> = dir.contents().into_keys().collect();
                assert_eq!(names, inputs, "{at}: something was left behind");
            }
            put_back(dir, name, &old);
            assert!(calls < 5000, "{args}: no end of calls");
        }
        // The last run was not struck and has written.
        put_back(dir, name, &old);
        assert!(calls >= 2, "{args}: only {calls} calls were struck");
        println!("{args}: {how} at each of {calls} calls");
    }
}

/// Whether the target is what an undisturbed run writes.
fn run_is_new(dir: &Dir, name: &str) -> bool {
    let fresh = target(dir, "fresh");
    let rename = |files: Vec<(PathBuf, Vec<u8>)>, from: &str| -> Vec<(String, Vec<u8>)> {
        files.into_iter().map(|(p, b)| (p.to_string_lossy().replacen(from, "", 1), b)).collect()
    };
    rename(fresh, &fresh_name(name)) == rename(target(dir, name), name)
}

/// The name an undisturbed run writes to: `fresh` with the ending of `name`.
fn fresh_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, ending)) => format!("fresh.{ending}"),
        None => "fresh".into(),
    }
}

fn put_back(dir: &Dir, name: &str, old: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in old {
        if !dir.path(&path.to_string_lossy()).is_dir() && dir.path(name).exists() {
            dir.write(&path.to_string_lossy(), bytes);
        }
    }
}

#[test]
fn a_fault_at_any_write_leaves_the_old_target_or_the_new_one() {
    let runs = runs();
    for codec in CODECS.iter() {
        let dir = Dir::new();
        let mut small = runs.dataset(Some(runs.integers()));
        small.obs.columns.truncate(1);
        dir.save("in.h5ad", &small);
        let name = match codec.extensions.first() {
            Some(ending) if !codec.folder => format!("out.{ending}"),
            _ => "out".into(),
        };
        let to = match codec.format {
            Format::TenxH5 => "10x-h5",
            Format::TenxMtx => "10x-mtx",
            other => &other.name().to_lowercase(),
        };
        // The old target is of another kind of content, so that old and new can be told apart.
        let options = WriteOptions { table: Some(Table::Var), ..WriteOptions::default() };
        let mut old = small.clone();
        old.obs.columns.clear();
        old.uns.insert("old".into(), scx::data::Uns::String("old".into()));
        scx::io::save(&old, codec.format, &dir.path(&name), false, &options).unwrap();
        let fresh = fresh_name(&name);
        dir.scx(&format!("convert in.h5ad {fresh} --to {to} --quiet")).ok();
        at_every_call(&dir, &format!("convert in.h5ad {name} --to {to} --force --quiet --threads 1"), &name);
    }
}
