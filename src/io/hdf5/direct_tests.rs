use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hdf5_metno as hdf5;

use hdf5::filters::{Blosc, BloscShuffle};

use super::super::array::{Array, Cursor};
use super::super::{Kind, Node, Source};
use super::*;

fn fixture(name: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hdf5").join(name);
    Source::plain(&path)
}

fn array(source: &Source, d: &Dataset) -> Option<Array> {
    match source.kind(d) {
        Kind::Number(dtype) if matches!(d.ndim(), 1 | 2) => Some(Array::new(source, d.clone(), dtype)),
        _ => None,
    }
}

/// Compares both ways of reading on some runs of rows; NaN is compared by its bits.
fn same_both_ways(a: &Array) {
    let n = a.len();
    for rows in [0..n, 0..n.min(1), n / 3..n / 2, n.saturating_sub(5)..n, n / 2..n / 2] {
        let (fast, plain) = (a.rows(rows.clone()).unwrap(), a.plain(rows.clone()).unwrap());
        assert_eq!(fast.dtype(), plain.dtype());
        assert!(fast.bytes() == plain.bytes(), "{} rows {rows:?}", a.dataset.name());
    }
}

#[test]
fn every_layout_and_filter_reads_as_the_library_reads_it() {
    for name in ["layouts.h5", "layouts_user_block.h5"] {
        let source = fixture(name);
        let file = source.open().unwrap();
        for member in source.members(&file).unwrap() {
            let a = array(&source, &file.dataset(&member).unwrap()).unwrap();
            let by_library = member.starts_with("library_");
            assert_eq!(a.direct().is_none(), by_library, "{name}/{member}");
            same_both_ways(&a);
            let expected = |i: usize| match (a.dtype, (i * 37 % 251) as f64) {
                (DType::Bool, x) => f64::from(x != 0.0),
                (DType::I8, x) if x > 127.0 => x - 256.0,
                (_, x) => x,
            };
            if !member.starts_with("missing") {
                let all: Vec<f64> = a.rows(0..a.len()).unwrap().iter().collect();
                let first = all.iter().enumerate().position(|(i, &x)| x != expected(i));
                assert_eq!(first, None, "{name}/{member}");
            }
        }
    }
}

#[test]
fn chunks_that_were_never_written_hold_the_fill_value() {
    let source = fixture("layouts.h5");
    let file = source.open().unwrap();
    let a = array(&source, &file.dataset("missing_chunks").unwrap()).unwrap();
    let Values::I32(v) = a.rows(250..350).unwrap() else { panic!("type") };
    assert_eq!(v[..50], [-5; 50]);
    assert_eq!(v[50], (300 * 37 % 251));
    assert!(!a.direct().unwrap().fills_with_zero());
    assert!(
        array(&source, &file.dataset("missing_chunks_2d").unwrap())
            .unwrap()
            .direct()
            .unwrap()
            .fills_with_zero()
    );
}

#[test]
fn a_cursor_gives_the_runs_asked_for_whatever_the_chunks() {
    let source = fixture("layouts.h5");
    let file = source.open().unwrap();
    for name in ["gzip", "one_chunk", "contiguous", "library_lzf"] {
        let a = array(&source, &file.dataset(name).unwrap()).unwrap();
        for step in [1, 7, 100, 333, 2000] {
            let mut cursor = Cursor::new(&a);
            let mut found = Values::empty(a.dtype);
            for start in (0..a.len()).step_by(step) {
                // Nothing in between is harmless.
                assert!(cursor.take(start..start).unwrap().is_empty());
                crate::data::append(&mut found, &cursor.take(start..(start + step).min(a.len())).unwrap());
            }
            assert_eq!(found, a.plain(0..a.len()).unwrap(), "{name} by {step}");
        }
    }
}

fn numeric(source: &Source, group: &hdf5::Group, found: &mut Vec<Array>) {
    for name in source.members(group).unwrap() {
        match source.node(group, &name) {
            Ok(Some(Node::Group(g))) => numeric(source, &g, found),
            Ok(Some(Node::Dataset(d))) => found.extend(array(source, &d)),
            _ => {}
        }
    }
}

/// All numbers of all files of a folder; returns how many arrays took the fast way.
fn compare_folder(folder: &Path) -> usize {
    let mut fast = 0;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for path in files {
        let source = Source::plain(&path);
        let Ok(file) = source.open() else { continue };
        let mut arrays = Vec::new();
        numeric(&source, &file, &mut arrays);
        for a in arrays.iter().filter(|a| source.check_filters(&a.dataset).is_ok()) {
            same_both_ways(a);
            fast += usize::from(a.direct().is_some());
        }
    }
    fast
}

#[test]
fn every_array_of_every_file_reads_as_the_library_reads_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(compare_folder(&root.join("fixtures/h5ad")) > 50);
    let Some(data) = std::env::var_os("SCX_REAL_DATA").map(PathBuf::from) else {
        println!("skipped: SCX_REAL_DATA is not set");
        return;
    };
    for folder in ["h5ad", "tenx", "loom"] {
        assert!(compare_folder(&data.join(folder)) > 10, "{folder}");
    }
}

#[test]
fn other_compressors_are_left_to_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::plain(&dir.path().join("a.h5"));
    {
        let f = hdf5::File::create(&source.path).unwrap();
        f.new_dataset_builder()
            .chunk(100)
            .blosc(Blosc::ZStd, 5, BloscShuffle::Byte)
            .with_data(&ndarray::Array1::from_iter(0..1000i32))
            .create("x")
            .unwrap();
    }
    let file = source.open().unwrap();
    let a = array(&source, &file.dataset("x").unwrap()).unwrap();
    assert!(a.direct().is_none());
    same_both_ways(&a);
}

#[test]
fn a_file_open_for_writing_is_read_through_the_library() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::plain(&dir.path().join("a.h5"));
    let f = hdf5::File::create(&source.path).unwrap();
    let x = ndarray::Array1::from_iter(0..1000i32);
    f.new_dataset_builder().chunk(100).deflate(1).with_data(&x).create("x").unwrap();
    let a = array(&source, &f.dataset("x").unwrap()).unwrap();
    assert!(a.direct().is_none());
    assert_eq!(a.rows(3..5).unwrap(), Values::I32(vec![3, 4]));
}

/// Copies the fixture and changes bytes of the chunk of `name` that holds `element`.
fn damaged(name: &str, element: usize, change: impl Fn(&mut [u8])) -> (tempfile::TempDir, Source) {
    let original = fixture("layouts.h5");
    let dir = tempfile::tempdir().unwrap();
    let source = Source::plain(&dir.path().join("a.h5"));
    std::fs::copy(&original.path, &source.path).unwrap();
    let file = original.open().unwrap();
    let a = array(&original, &file.dataset(name).unwrap()).unwrap();
    let direct = a.direct().unwrap();
    let cell = (element / direct.chunk[0]) as u64;
    let chunk = direct.chunks().unwrap().iter().find(|c| c.cell == cell).unwrap();
    let mut bytes = direct.stored(chunk).unwrap();
    change(&mut bytes);
    let mut out = std::fs::OpenOptions::new().write(true).open(&source.path).unwrap();
    out.seek(SeekFrom::Start(chunk.at)).unwrap();
    out.write_all(&bytes).unwrap();
    (dir, source)
}

#[test]
fn a_damaged_chunk_is_named_and_the_others_are_read() {
    for (name, change) in [
        ("gzip", (|b: &mut [u8]| b[20..30].fill(0)) as fn(&mut [u8])),
        ("gzip_shuffle_i4", |b| b[0] = 0),
        ("gzip_shuffle_fletcher", |b| b[10] ^= 1),
        ("fletcher", |b| b[399] ^= 1),
    ] {
        let (_dir, source) = damaged(name, 250, change);
        let file = source.open().unwrap();
        let a = array(&source, &file.dataset(name).unwrap()).unwrap();
        let e = a.rows(0..1003).unwrap_err();
        assert!(matches!(e, ReadError::Malformed { .. }), "{name}: {e}");
        let text = e.to_string();
        assert!(text.contains(&format!("/{name}: the chunk at [200] is damaged")), "{text}");
        assert_eq!(a.rows(300..1003).unwrap(), a.plain(300..1003).unwrap());
    }
}

#[test]
fn a_claim_that_no_chunk_can_hold_takes_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::plain(&dir.path().join("a.h5"));
    {
        let f = hdf5::File::create(&source.path).unwrap();
        let n = 1usize << 28;
        let d = f.new_dataset::<f64>().shape([n]).chunk([n]).deflate(4).create("x").unwrap();
        super::super::raw::write_chunk(&d, &[0], 0, &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]).unwrap();
    }
    let file = source.open().unwrap();
    let a = array(&source, &file.dataset("x").unwrap()).unwrap();
    let text = a.rows(0..10).unwrap_err().to_string();
    assert!(text.contains("the chunk at [0] is damaged: 8 bytes cannot hold 268435456 elements"), "{text}");
}
