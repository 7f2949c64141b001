//! Damaged files: the right kind of error with its place, never a crash of ours.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scx::data::{Change, Dataset};
use scx::io::{ReadError, ReadOptions, loom};

use crate::h5ad::expected::{fixtures, kind, names};
use crate::support::{Dir, SCX};

/// File, kind of error, words its message must hold.
const BAD: &[(&str, &str, &str)] = &[
    ("chunk_damaged.loom", "Malformed", "/matrix: the HDF5 library cannot read it"),
    ("claims_cells.loom", "Malformed", "/matrix: claims 61572651155456 bytes but only 0 are stored"),
    ("claims_genes.loom", "Malformed", "/matrix: claims 12884901888 bytes but only 0 are stored"),
    ("col_attrs_dataset.loom", "Malformed", "/col_attrs: is a dataset, expected a group"),
    (
        "col_attrs_missing.loom",
        "Malformed",
        "/col_attrs: is missing: every loom file has this group for its cells",
    ),
    ("cut_in_half.loom", "Malformed", "cut short"),
    ("cut_in_signature.loom", "NotRecognised", "not an HDF5 file"),
    ("empty.loom", "NotRecognised", "not an HDF5 file"),
    ("matrix_group.loom", "Malformed", "/matrix: is a group, expected a dataset of genes × cells"),
    ("matrix_missing.loom", "Malformed", "/matrix: is missing: not a complete loom"),
    ("matrix_one_axis.loom", "Malformed", "/matrix: has 1 axes, expected two (genes × cells)"),
    (
        "matrix_other_shape.loom",
        "Malformed",
        "/col_attrs/CellID: 6 values, expected 7: one for each of the cells",
    ),
    ("matrix_records.loom", "Malformed", "/matrix: holds records, expected numbers"),
    ("matrix_text.loom", "Malformed", "/matrix: holds text, expected numbers"),
    ("matrix_three_axes.loom", "Malformed", "/matrix: has 3 axes, expected two (genes × cells)"),
    ("other_hdf5.loom", "NotRecognised", "HDF5, but no /matrix, /row_attrs and /col_attrs: not a loom"),
    (
        "row_attrs_missing.loom",
        "Malformed",
        "/row_attrs: is missing: every loom file has this group for its genes",
    ),
    ("text.loom", "NotRecognised", "not an HDF5 file"),
];

/// Files with one damaged part: the part that is left out, and words of the reason.
const LEFT: &[(&str, &str, &str)] = &[
    (
        "array_short.loom",
        "obsm[\"X_pca\"]",
        "/col_attrs/X_pca: 5 values, expected 6: one for each of the cells",
    ),
    (
        "attr_one_value.loom",
        "obs[\"nUMI\"]",
        "/col_attrs/nUMI: a single value, expected 6: one for each of the cells",
    ),
    (
        "attr_other_axis.loom",
        "var[\"score\"]",
        "/row_attrs/score: 6 values, expected 7: one for each of the genes",
    ),
    ("attr_short.loom", "obs[\"nUMI\"]", "/col_attrs/nUMI: 5 values, expected 6: one for each of the cells"),
    (
        "filter_zstd.loom",
        "layers[\"spliced\"]",
        "/layers/spliced is compressed with HDF5 filter 32015 (zstd)",
    ),
    (
        "graph_lengths.loom",
        "obsp[\"knn\"]",
        "/col_graphs/knn: a, b and w have 3, 3 and 2 entries, expected the same",
    ),
    ("graph_text.loom", "obsp[\"knn\"]", "/col_graphs/knn/w: text along 1 axes, expected numbers along one"),
    (
        "graph_vertex_fraction.loom",
        "obsp[\"knn\"]",
        "/col_graphs/knn/a: vertex 1.5 at entry 1 is outside 0..6",
    ),
    (
        "graph_vertex_negative.loom",
        "obsp[\"knn\"]",
        "/col_graphs/knn/a: vertex -1 at entry 2 is outside 0..6",
    ),
    (
        "graph_vertex_out_of_range.loom",
        "obsp[\"knn\"]",
        "/col_graphs/knn/b: vertex 6 at entry 1 is outside 0..6",
    ),
    ("graph_weights_missing.loom", "obsp[\"knn\"]", "/col_graphs/knn: the dataset w is missing"),
    (
        "layer_one_axis.loom",
        "layers[\"spliced\"]",
        "/layers/spliced: has 1 axes, expected two (genes × cells)",
    ),
    (
        "layer_other_shape.loom",
        "layers[\"spliced\"]",
        "/layers/spliced: 6 genes × 7 cells, but /matrix has 7 × 6",
    ),
    ("layer_text.loom", "layers[\"spliced\"]", "/layers/spliced: holds text, expected numbers"),
];

/// The error with all its causes.
fn all(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(e) = next {
        text = format!("{text}: {e}");
        next = e.source();
    }
    text
}

/// Reads a file and every value of every matrix in it; the error as kind and message.
fn read_all(path: &Path) -> Result<Dataset, (String, String)> {
    let d = loom::read(path, &ReadOptions::default()).map_err(|e| (kind(&e).to_owned(), all(&e)))?;
    for m in d.x.iter().chain(d.layers.values()) {
        if let Err(e) = m.stream(64 << 20, &mut |_, _| Ok(())) {
            let inner = std::error::Error::source(&e).and_then(|s| s.downcast_ref::<ReadError>());
            return Err((inner.map_or("data", kind).to_owned(), all(&e)));
        }
    }
    Ok(d)
}

#[test]
fn every_damaged_file_gives_its_kind_of_error_with_the_place() {
    let folder = fixtures().join("bad/loom");
    let listed: BTreeSet<String> = BAD.iter().chain(LEFT).map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed, names(&folder), "list and folder differ");
    let mut wrong = Vec::new();
    for (name, expected, words) in BAD {
        match read_all(&folder.join(name)) {
            Err((kind, text)) if kind == *expected && text.contains(words) && text.contains(name) => {}
            other => wrong.push(format!("{name}: {other:?}, expected {expected} with {words:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_damaged_file_ends_the_program_with_code_3_and_one_error() {
    // Text is a table to the program, whatever its name: it says so.
    for (name, ..) in BAD.iter().filter(|(name, ..)| *name != "text.loom") {
        let dir = tempfile::tempdir().unwrap();
        let mut scx = Command::new(SCX);
        scx.arg("convert").arg(fixtures().join("bad/loom").join(name)).arg(dir.path().join("o.h5ad"));
        let out = scx.output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(3), "{name}: {stderr}");
        assert_eq!(stderr.matches("error: ").count(), 1, "{name}: {stderr}");
        assert!(stderr.contains(name), "{name}: {stderr}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn one_damaged_part_is_left_out_with_a_line_and_the_rest_is_read() {
    let dir = Dir::new();
    for (name, element, words) in LEFT {
        let path = fixtures().join("bad/loom").join(name);
        let d = read_all(&path).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let line = |c: &Change| c.left && c.element == *element && c.what.contains(words);
        assert!(d.changes.len() == 1 && line(&d.changes[0]), "{name}: {:?}", d.changes);
        assert_eq!((d.n_obs(), d.n_vars(), d.obs.index.get(0).is_some()), (6, 7, true), "{name}");
        std::fs::copy(&path, dir.path("in.loom")).unwrap();
        // A table of what is sound is written, and `--strict` and `check` do not let the fault pass.
        let run = dir.scx("convert in.loom x.csv --table x --force").ok();
        run.says(&[element, "left behind", words]);
        dir.scx("convert in.loom o.h5ad --force --strict").fails(1, &[element]);
        dir.scx("info in.loom").ok();
        let run = dir.scx("check in.loom");
        assert!(run.code == Some(1) && run.stdout.contains("fault"), "{name}: {run:?}");
    }
}

#[test]
fn a_damaged_layer_that_was_asked_for_is_refused_with_the_reason() {
    let dir = Dir::new();
    std::fs::copy(fixtures().join("bad/loom/layer_other_shape.loom"), dir.path("in.loom")).unwrap();
    let run = dir.scx("convert in.loom o.h5ad --x spliced");
    assert!(run.code.is_some_and(|c| c > 1), "{run:?}");
    run.says(&["spliced", "6 genes × 7 cells, but /matrix has 7 × 6"]);
    assert!(!dir.path("o.h5ad").exists());
}

#[test]
fn damaged_names_are_refused_unless_others_can_take_their_place() {
    let dir = Dir::new();
    for (other, fine) in [("Accession", true), ("score", false)] {
        let path = dir.path("in.loom");
        std::fs::copy(fixtures().join("loom/spec3.loom"), &path).unwrap();
        let file = hdf5_metno::File::open_rw(&path).unwrap();
        let rows = file.group("row_attrs").unwrap();
        let n = file.dataset("matrix").unwrap().shape()[0];
        for name in rows.member_names().unwrap() {
            rows.unlink(&name).unwrap();
        }
        let text = |s: String| s.parse::<hdf5_metno::types::VarLenUnicode>().unwrap();
        let names = |n: usize| (0..n).map(|i| text(format!("g{i}"))).collect::<Vec<_>>();
        rows.new_dataset_builder().with_data(&names(n - 1)).create("Gene").unwrap();
        rows.new_dataset_builder().with_data(&names(n)).create(other).unwrap();
        file.close().unwrap();
        let found = loom::read(&path, &ReadOptions::default());
        assert_eq!(found.is_ok(), fine, "{other}: {found:?}");
        match found {
            Ok(d) => assert_eq!((d.changes[0].element.as_str(), d.changes.len()), ("var[\"Gene\"]", 1)),
            Err(e) => assert!(e.to_string().contains("/row_attrs/Gene: "), "{e}"),
        }
    }
}

#[test]
fn a_file_cut_at_any_length_gives_an_error_or_a_value_but_no_crash() {
    let dir = tempfile::tempdir().unwrap();
    let folder = fixtures().join("loom");
    let mut seen = 0;
    for name in names(&folder) {
        let whole = std::fs::read(folder.join(&name)).unwrap();
        for length in (0..200).step_by(7).chain((200..whole.len()).step_by(397)) {
            let path = dir.path().join("cut.loom");
            std::fs::write(&path, &whole[..length]).unwrap();
            if let Err((_, text)) = read_all(&path) {
                assert!(text.contains("cut.loom"), "{text}");
            }
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
}

/// How a run of the program ended: its exit code, or why there is none.
fn ended(path: &Path, most: Duration) -> Result<i32, String> {
    let mut scx = Command::new(SCX);
    scx.arg("convert").arg(path).arg(path.with_extension("h5ad")).arg("--force");
    scx.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = scx.spawn().unwrap();
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().ok_or_else(|| format!("{status}"));
        }
        if start.elapsed() > most {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err("no end".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Crashes and endless loops inside the HDF5 library: file, byte, mask, what happens.
const LIBRARY: &[(&str, usize, u8, &str)] = &[];

#[test]
fn a_file_with_a_byte_flipped_gives_an_error_or_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for name in ["spec2.loom", "records.loom", "graphs.loom"] {
        let whole = std::fs::read(fixtures().join("loom").join(name)).unwrap();
        for (at, mask) in (0..whole.len()).step_by(131).zip([0xff, 0x01, 0x80].into_iter().cycle()) {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            let path = dir.path().join(format!("{at}.loom"));
            std::fs::write(&path, &bytes).unwrap();
            let known = LIBRARY.iter().any(|(n, a, m, _)| (*n, *a, *m) == (name, at, mask));
            match ended(&path, Duration::from_secs(20)) {
                Ok(0 | 3) => {}
                other if known => println!("{name}, byte {at}: {other:?}, as listed"),
                other => wrong.push(format!("{name}, byte {at}, mask {mask:#04x}: {other:?}")),
            }
            std::fs::remove_file(&path).unwrap();
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
