//! `scx check`: every fault by name, good files pass, exit codes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::h5ad::expected::{fixtures, names};
use crate::support::{self, Dir, Run, SCX};

fn scx(args: &[&str], files: &[&Path]) -> Run {
    let mut command = std::process::Command::new(SCX);
    Run::new(&command.args(args).args(files).output().unwrap())
}

/// Each damaged h5ad file: exit code of `check`, the element it names, words of what it says.
const BAD: &[(&str, i32, &str, &str)] = &[
    ("claims_terabytes.h5ad", 1, "/obs/n", "asks for 8796093022208 bytes"),
    ("code_below_minus_one.h5ad", 1, "/obs/batch", "code -2 but only 2 categories (row 4)"),
    ("code_out_of_range.h5ad", 1, "/obs/batch", "code 7 but only 2 categories (row 4)"),
    ("codes_short.h5ad", 1, "/obs/batch", "8 entries but the table has 9 rows"),
    ("column_missing.h5ad", 1, "/obs", "the column n is listed in column-order but missing"),
    ("cut_in_half.h5ad", 3, "", "it may be cut short or damaged"),
    ("cut_in_signature.h5ad", 3, "", "neither like FCS"),
    ("empty.h5ad", 3, "", "it is empty"),
    ("filter_zstd.h5ad", 1, "/layers/counts", "compressed with HDF5 filter 32015 (zstd)"),
    ("index_missing.h5ad", 1, "/obs", "the index _index is missing"),
    ("index_negative.h5ad", 1, "/X/indices", "index -1 at position 5 is outside 0..5"),
    ("index_out_of_range.h5ad", 1, "/X/indices", "index 5 at position 5 is outside 0..5"),
    ("indices_missing.h5ad", 1, "/X", "the dataset indices is missing"),
    ("indices_short.h5ad", 1, "/X", "17 indices but 18 values in data"),
    ("indptr_decreasing.h5ad", 1, "/X/indptr", "decreases from 4 to 1 at entry 3"),
    ("indptr_ends_wrong.h5ad", 1, "/X/indptr", "ends at 17 but 18 values are stored (entry 9)"),
    ("indptr_negative.h5ad", 1, "/X/indptr", "-2 at entry 1 is negative"),
    ("indptr_short.h5ad", 1, "/X/indptr", "9 entries, expected 10"),
    ("indptr_starts_wrong.h5ad", 1, "/X/indptr", "starts at 1 instead of 0 (entry 0)"),
    ("layer_other_shape.h5ad", 1, "/layers/counts", "shape 8 × 5, expected 9 × 5"),
    ("mask_short.h5ad", 1, "/obs/n", "a mask of 8 entries for 9 values"),
    ("no_obs_no_var.h5ad", 3, "", "no /obs and /var as an h5ad has"),
    ("obs_missing.h5ad", 1, "/", "the table obs is missing"),
    ("obsm_other_rows.h5ad", 1, "/obsm/X_pca", "shape 8 × 2, expected 9 × any"),
    ("raw_other_rows.h5ad", 1, "/raw/X", "shape 10 × 5, expected 9 × 5"),
    ("shape_missing.h5ad", 1, "/X", "the attribute shape does not hold two whole numbers"),
    ("shape_negative.h5ad", 1, "/X", "the attribute shape does not hold two whole numbers"),
    ("text.h5ad", 3, "", "neither like FCS"),
    ("uns_link_to_nowhere.h5ad", 1, "/uns/lost", "is a link to /nowhere"),
    ("uns_loop.h5ad", 1, "/uns/again", "leads back to the group /uns it lies in"),
    ("var_missing.h5ad", 1, "/", "the table var is missing"),
    ("x_other_shape.h5ad", 1, "/X", "shape 9 × 6, expected 9 × 5"),
    ("x_text.h5ad", 1, "/X", "text along 2 axes, expected a matrix of numbers"),
];

#[test]
fn every_damaged_file_is_named_with_its_fault() {
    let folder = fixtures().join("bad/h5ad");
    let listed: BTreeSet<String> = BAD.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed, names(&folder), "list and folder differ");
    let mut wrong = Vec::new();
    for (name, code, element, words) in BAD {
        let run = scx(&["check", "--json"], &[&folder.join(name)]);
        let file = run.json()["files"][0].clone();
        let told = if *code == 3 {
            file["error"].as_str().is_some_and(|e| e.contains(words) && e.contains(name))
        } else {
            let all = file["findings"].as_array().unwrap();
            let is = |f: &&Value| f["level"] == "fault" && f["element"] == *element;
            all.iter().filter(is).any(|f| f["what"].as_str().unwrap().contains(words))
                && all.iter().all(|f| !f["advice"].as_str().unwrap().is_empty())
        };
        if !told || run.code != Some(*code) {
            wrong.push(format!("{name}: {:?} {file}", run.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_files_pass_quick_and_deep() {
    let folder = fixtures().join("h5ad");
    let paths: Vec<_> = names(&folder).iter().map(|n| folder.join(n)).collect();
    let paths: Vec<&Path> = paths.iter().map(|p| p.as_path()).collect();
    assert!(paths.len() > 15);
    for args in [&["check", "--json"][..], &["check", "--deep", "--json"]] {
        let run = scx(args, &paths).ok();
        let files = run.json()["files"].clone();
        assert_eq!(files.as_array().unwrap().len(), paths.len());
        assert!(files.as_array().unwrap().iter().all(|f| f["ok"] == true), "{}", run.stdout);
    }
    let run = scx(&["check", "--deep", "--json"], &[&folder.join("categorical.h5ad")]).ok();
    // One share is NaN, and only a deep check reads it.
    let notes = run.json()["files"][0]["findings"].clone();
    assert_eq!(notes[0]["element"], "/obs/share");
    assert_eq!((&notes[0]["level"], &notes[0]["position"]), (&"note".into(), &"position 4".into()));
}

#[test]
fn all_faults_of_a_file_are_told_not_only_the_first() {
    let dir = Dir::new();
    std::fs::copy(fixtures().join("bad/h5ad/code_out_of_range.h5ad"), dir.path("two.h5ad")).unwrap();
    let file = hdf5_metno::File::open_rw(dir.path("two.h5ad")).unwrap();
    let indices = file.dataset("X/indices").unwrap();
    let mut values = indices.read_raw::<i32>().unwrap();
    values[5] = 77;
    indices.write(&values).unwrap();
    // A file closes, and gives its lock back, when nothing in it is open.
    drop(indices);
    file.close().unwrap();
    let run = dir.scx("check two.h5ad");
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("/obs/batch: code 7 but only 2 categories (row 4)"), "{}", run.stdout);
    assert!(run.stdout.contains("/X/indices: index 77 at position 5 is outside 0..5"), "{}", run.stdout);
    run.says(&["error: 1 of 1 files have faults"]);
}

#[test]
fn names_that_come_twice_are_a_warning_and_no_fault() {
    let dir = Dir::new();
    let mut d = support::runs().dataset(None);
    if let scx::data::Index::Names { values, .. } = &mut d.obs.index {
        *values =
            values.iter().enumerate().map(|(i, n)| if i == 3 { values.get(1).unwrap() } else { n }).collect();
    }
    dir.save("twice.h5ad", &d);
    let run = dir.scx("check twice.h5ad").ok();
    assert!(run.stdout.contains("warning: /obs: 1 names come again"), "{}", run.stdout);
    assert!(run.stdout.contains("names row 1 and row 3"), "{}", run.stdout);
}

#[test]
fn a_file_that_cannot_be_opened_is_no_fault_found_but_bad_input() {
    let dir = support::files();
    dir.write("text.h5ad", "no HDF5 at all");
    dir.refuses(3, "check missing.fcs", &["missing.fcs", "No such file"]);
    dir.refuses(3, "check text.h5ad", &["text.h5ad"]);
    let run = dir.scx("check s.fcs text.h5ad t.fcs");
    assert_eq!(run.code, Some(3));
    assert_eq!(run.stdout.matches(" ok ").count(), 2, "{}", run.stdout);
    run.says(&["text.h5ad", "some files could not be opened"]);
}

#[test]
fn a_cut_fcs_file_is_a_fault_with_its_bytes() {
    let dir = support::files();
    let whole = dir.bytes("s.fcs");
    dir.write("cut.fcs", &whole[..whole.len() - 100]);
    let run = dir.scx("check cut.fcs");
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("fault: DATA: truncated"), "{}", run.stdout);
}

/// Real files with faults of their own; every other one must pass.
const FAULTY: &[&str] = &["scp_bad_10bytes.h5"];

#[test]
fn every_real_file_passes_but_those_known_to_be_damaged() {
    let Ok(root) = std::env::var("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return;
    };
    let folder = Path::new(&root).join("h5ad");
    let paths: Vec<_> = names(&folder).iter().map(|n| folder.join(n)).collect();
    assert!(paths.len() > 5);
    let paths: Vec<&Path> = paths.iter().map(|p| p.as_path()).collect();
    let files = scx(&["check", "--json"], &paths).json()["files"].clone();
    let bad: Vec<&str> = files
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["ok"] == false)
        .map(|f| f["path"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(bad, FAULTY);
}

/// Files that cannot be read as what they are called, and are sound all the same: a table of text, and two genomes between
/// which a reader wants a choice.
const SOUND: &[&str] = &["text.loom", "two_genomes.h5"];

fn damaged(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = fixtures().join("bad").join(folder);
    names(&folder).iter().filter(|n| !SOUND.contains(&n.as_str())).map(|n| folder.join(n)).collect()
}

#[test]
fn damaged_files_of_other_formats_are_named_with_their_fault() {
    let mut missed = Vec::new();
    for folder in ["fcs", "loom", "10x-h5", "10x-mtx"] {
        for path in damaged(folder) {
            match scx::io::check(&path, &Default::default(), true) {
                Ok(report) if !report.faulty() => missed.push(format!("{}: {report:?}", path.display())),
                Ok(report) => {
                    assert!(report.findings.iter().all(|f| !f.element.is_empty() && !f.advice.is_empty()))
                }
                Err(e) => assert!(e.to_string().contains(path.file_name().unwrap().to_str().unwrap()), "{e}"),
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn good_files_of_other_formats_pass_quick_and_deep() {
    for folder in ["fcs", "loom", "tenx"] {
        let folder = fixtures().join(folder);
        for name in names(&folder) {
            for deep in [false, true] {
                let report = scx::io::check(&folder.join(&name), &Default::default(), deep);
                let report = report.unwrap_or_else(|e| panic!("{name}: {e}"));
                assert!(!report.faulty() && report.elements > 2, "{name}: {report:?}");
            }
        }
    }
}

/// What is wrong with a file, as `element: what`.
fn faults(path: &Path) -> Vec<String> {
    let report = scx::io::check(path, &Default::default(), false).unwrap();
    let faults = report.findings.iter().filter(|f| f.level == scx::io::Level::Fault);
    faults.map(|f| format!("{}: {}", f.element, f.what)).collect()
}

#[track_caller]
fn tells(path: &Path, wanted: &[&str]) {
    let found = faults(path);
    for want in wanted {
        assert!(found.iter().any(|f| f.starts_with(want)), "no {want:?} in {found:#?}");
    }
}

#[test]
fn every_fault_of_an_fcs_file_is_told() {
    let dir = Dir::new();
    let good = std::fs::read(fixtures().join("fcs/float_be.fcs")).unwrap();
    let text = String::from_utf8_lossy(&good[..600]).into_owned();
    let changed = |pairs: &[(&str, &str)]| {
        let mut new = text.clone();
        for (old, to) in pairs {
            assert!(old.len() == to.len() && new.contains(old), "{old}");
            new = new.replace(old, to);
        }
        let mut bytes = good.clone();
        bytes[..600].copy_from_slice(&new.as_bytes()[..600]);
        dir.write("two.fcs", bytes);
    };
    changed(&[("$P1B|32", "$P1B|16"), ("$P3B|32", "$P3B|xx"), ("$BYTEORD|4,3,2,1", "$BYTEORD|4,3,3,1")]);
    tells(
        &dir.path("two.fcs"),
        &["$P1B: 16 bits found where 32", "$P3B: `xx` found", "$BYTEORD: `4,3,3,1` found"],
    );
    changed(&[("$TOT|7", "$TOT|6")]);
    tells(&dir.path("two.fcs"), &["$TOT: 6 events of 12 bytes take 72 bytes"]);
    // Values are read by a deep check alone.
    let mut bytes = good.clone();
    let end = bytes.len() - 12;
    bytes[end..end + 4].copy_from_slice(&f32::NAN.to_be_bytes());
    dir.write("nan.fcs", bytes);
    let notes = |deep| scx::io::check(&dir.path("nan.fcs"), &Default::default(), deep).unwrap().findings;
    assert!(notes(false).is_empty(), "{:?}", notes(false));
    assert!(notes(true).iter().any(|f| f.element == "DATA" && f.what.contains("1 of 21 values are NaN")));
    let spill = std::fs::read(fixtures().join("fcs/spill_nan_names.fcs")).unwrap();
    dir.write("spill.fcs", spill);
    let run = dir.scx("check spill.fcs").ok();
    assert!(run.stdout.contains("warning: spillover: SPILL: `nan` is no $PnN"), "{}", run.stdout);
}

#[test]
fn every_fault_of_a_loom_file_is_told() {
    let dir = Dir::new();
    std::fs::copy(fixtures().join("bad/loom/attr_short.loom"), dir.path("two.loom")).unwrap();
    let file = hdf5_metno::File::open_rw(dir.path("two.loom")).unwrap();
    let layers = file.group("layers").unwrap_or_else(|_| file.create_group("layers").unwrap());
    layers.new_dataset::<f32>().shape([2, 3]).create("odd").unwrap();
    let graph = file
        .create_group("row_graphs/far")
        .unwrap_or_else(|_| file.group("row_graphs").unwrap().create_group("far").unwrap());
    for (name, v) in [("a", [0i64, 1]), ("b", [1, 99])] {
        graph.new_dataset_builder().with_data(&v).create(name).unwrap();
    }
    graph.new_dataset_builder().with_data(&[1.0f64, 1.0]).create("w").unwrap();
    drop((layers, graph));
    file.close().unwrap();
    tells(
        &dir.path("two.loom"),
        &[
            "/col_attrs/nUMI: 5 values, expected 6",
            "/layers/odd: 2 genes × 3 cells, but /matrix has 7 × 6",
            "/row_graphs/far/b: vertex 99 at entry 1 is outside 0..7",
        ],
    );
}

#[test]
fn every_fault_of_a_10x_file_is_told() {
    let dir = Dir::new();
    std::fs::copy(fixtures().join("bad/10x-h5/ids_short.h5"), dir.path("two.h5")).unwrap();
    let file = hdf5_metno::File::open_rw(dir.path("two.h5")).unwrap();
    for (name, at, to) in [("indices", 3, 77), ("indptr", 1, 8)] {
        let d = file.dataset(&format!("matrix/{name}")).unwrap();
        let mut values = d.read_raw::<i64>().unwrap();
        values[at] = to;
        d.write(&values).unwrap();
    }
    file.close().unwrap();
    tells(
        &dir.path("two.h5"),
        &[
            "/matrix/features/id: 5 entries, but the shape says 6 features",
            "/matrix/indices: index 77 at position 3 is outside 0..6",
            "/matrix/indptr: decreases from 8 to",
        ],
    );
}

#[test]
fn every_fault_of_a_10x_folder_is_told() {
    let dir = Dir::new();
    let matrix = "%%MatrixMarket matrix coordinate integer general\n3 2 2\n1 1 5\n4 2 1\n";
    dir.write("matrix.mtx", matrix);
    dir.write("genes.tsv", "E1\tA\nE2\tB\nE3\tA\n");
    dir.write("barcodes.tsv", "c1\nc2\nc3\n");
    tells(
        &dir.path(""),
        &[
            "barcodes.tsv, lines: 3 barcodes, but the matrix has 2",
            "matrix.mtx, line 4: \"4 2 1\": a feature outside 1..3",
        ],
    );
    let report = scx::io::check(&dir.path(""), &Default::default(), false).unwrap();
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.element == "genes.tsv" && f.what.contains("\"A\" names row 0 and row 2"))
    );
}

#[test]
fn every_data_set_of_an_fcs_file_is_looked_at() {
    let dir = Dir::new();
    let sound = std::fs::read(fixtures().join("fcs/two_data_sets.fcs")).unwrap();
    dir.write("sound.fcs", &sound);
    assert!(dir.scx("check sound.fcs").ok().stdout.contains(" ok "));
    let faulty = |name: &str, says: &str| {
        let run = dir.scx(&format!("check {name}"));
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stdout.contains("fault: data set 2: ") && run.stdout.contains(says), "{}", run.stdout);
        assert!(!run.stdout.contains("data set 1"), "{}", run.stdout);
    };
    // The last four events of the second data set are missing.
    dir.write("cut.fcs", &sound[..sound.len() - 16]);
    faulty("cut.fcs", "file has");
    let at = sound.windows(9).rposition(|w| w == b"$BYTEORD|").unwrap();
    let mut odd = sound;
    odd[at + 9..at + 12].copy_from_slice(b"9,9");
    dir.write("odd.fcs", &odd);
    faulty("odd.fcs", "$BYTEORD");
}
