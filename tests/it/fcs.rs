//! FCS files: read as others read them, bad ones refused, written ones opened by others.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod append;
mod bad;
mod packed;
mod quirks;
mod real;
mod small;
mod spread;
mod whole;
mod write;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use scx::data::{Block, Column, DType, Dataset, Dense, Frame, Index, Matrix, Patch, Values};
use scx::io::{Additions, NewValues, ReadError, ReadOptions, open};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// Paths of all files below `folder`, relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    found
}

/// All events, in memory.
fn events(d: &Dataset) -> Values {
    match d.x.as_ref().unwrap() {
        Matrix::Dense(x) => x.values().clone(),
        Matrix::OnDisk(m) => match m.rows(0..d.n_obs()).unwrap() {
            Block::Dense(x) => x.values().clone(),
            other => panic!("not dense: {other:?}"),
        },
        other => panic!("not dense: {other:?}"),
    }
}

fn rows(d: &Dataset) -> Vec<Vec<f64>> {
    let all: Vec<f64> = events(d).iter().collect();
    all.chunks(d.n_vars()).map(<[f64]>::to_vec).collect()
}

fn texts(d: &Dataset, column: &str) -> Vec<String> {
    let column = d.var.column(column).unwrap();
    (0..column.len()).map(|i| column.text(i).unwrap().into_owned()).collect()
}

fn read(name: &str) -> Dataset {
    open(&fixtures("fcs").join(name), &ReadOptions::default()).unwrap()
}

/// The value of a keyword of a data set.
fn keyword<'a>(d: &'a Dataset, key: &str) -> Option<&'a str> {
    d.source.keywords.iter().rfind(|p| p.0 == key).map(|p| p.1.as_str())
}

fn kind(e: &ReadError) -> &'static str {
    match e {
        ReadError::NotRecognised { .. } => "NotRecognised",
        ReadError::Malformed { .. } => "Malformed",
        ReadError::Unsupported { .. } => "Unsupported",
        ReadError::TooLarge { .. } => "TooLarge",
        _ => "Io",
    }
}

/// What `f` returns and the warnings it gave.
fn warned<T>(f: impl FnOnce() -> T) -> (T, String) {
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let sink = Sink::default();
    let writer = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let out = tracing::subscriber::with_default(subscriber, f);
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    (out, text)
}

/// A stored integer of so many bits in the small files.
fn raw(r: u64, c: u64, bits: u32) -> f64 {
    ((r * 1_000_003 + c * 7919) & (u64::MAX >> (64 - bits))) as f64
}

fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("SCX_REAL_DATA").map(|p| PathBuf::from(p).join("fcs"));
    if folder.is_none() {
        println!("skipped: SCX_REAL_DATA is not set");
    }
    folder
}

/// Differences between a file read and what FlowIO (or the standard) says of it.
fn additions(patch: Patch, record: &str) -> Additions {
    let result = NewValues { layer: "scx".into(), base: None, patch, into_x: false };
    Additions { result: Some(result), record: record.into(), ..Additions::default() }
}

fn floats(rows: usize, columns: usize) -> Vec<Vec<f64>> {
    (0..rows).map(|r| (0..columns).map(|c| (r * 10 + c) as f64 + 0.5).collect()).collect()
}

fn table(values: Values, names: &[&str]) -> Dataset {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let (rows, cols) = (values.len() / names.len(), names.len());
    let mut d = Dataset::new(Frame::new(Index::Range(rows)), Frame::new(Index::names(names)));
    d.x = Some(Matrix::Dense(Dense::new(rows, cols, values).unwrap()));
    d
}
