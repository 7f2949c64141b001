//! Tables of text against what anndata and pandas read; damaged ones against the message they deserve.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use scx::data::{Column, Dataset, Layout, Matrix};
use scx::io::{self, Format, ReadError, ReadLimits, ReadOptions};
use serde_json::Value;

use crate::support::{self, Dir};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let all = std::fs::read_dir(folder).unwrap();
    all.map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

fn open(path: &Path) -> Dataset {
    io::open(path, &ReadOptions::default()).unwrap()
}

fn texts(column: &Column) -> Vec<Option<String>> {
    (0..column.len()).map(|i| column.text(i).map(|t| t.into_owned())).collect()
}

/// What differs from what the field's reader found, in words.
fn difference(d: &Dataset, want: &Value) -> Option<String> {
    let list =
        |v: &Value| v.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let obs: Vec<String> = d.obs.index.iter().map(|n| n.into_owned()).collect();
    let var: Vec<String> = d.var.index.iter().map(|n| n.into_owned()).collect();
    if obs != list(&want["obs_names"]) || var != list(&want["var_names"]) {
        return Some(format!("names {obs:?} × {var:?}"));
    }
    let x = d.x.as_ref()?;
    if x.dtype().name() != want["dtype"] || (x.layout() == Layout::Csr) != want["sparse"] {
        return Some(format!("{} {:?}", x.dtype().name(), x.layout()));
    }
    let found = support::values(x);
    for (i, row) in want["x"].as_array().unwrap().iter().enumerate() {
        for (j, v) in row.as_array().unwrap().iter().enumerate() {
            // JSON has no infinity: it is there as text.
            let (a, b) = (found[(i, j)], v.as_f64().or_else(|| v.as_str().and_then(|s| s.parse().ok())));
            if b.map_or(!a.is_nan(), |b| a != b) {
                return Some(format!("row {i}, column {j}: {a}, expected {v}"));
            }
        }
    }
    let wanted = want["obs"].as_object().unwrap();
    if d.obs.columns.len() != wanted.len() {
        return Some(format!("columns of obs: {:?}", d.obs.columns));
    }
    d.obs.columns.iter().find_map(|(name, column)| {
        let want: Vec<Option<String>> =
            wanted.get(name)?.as_array().unwrap().iter().map(|v| v.as_str().map(str::to_owned)).collect();
        (texts(column) != want).then(|| format!("{name}: {:?}", texts(column)))
    })
}

#[test]
fn tables_are_read_as_anndata_and_pandas_read_them() {
    let (folder, expected) = (fixtures().join("table"), fixtures().join("expected/table"));
    let all = names(&folder);
    let listed: BTreeSet<String> =
        names(&expected).iter().map(|n| n.trim_end_matches(".json").to_owned()).collect();
    assert_eq!(all, listed, "files and expectations differ");
    let mut wrong = Vec::new();
    for name in &all {
        let text = std::fs::read_to_string(expected.join(format!("{name}.json"))).unwrap();
        let want: Value = serde_json::from_str(&text).unwrap();
        if let Some(what) = difference(&open(&folder.join(name)), &want) {
            wrong.push(format!("{name}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// File, kind of error, words its message must hold.
const BAD: &[(&str, &str, &str)] = &[
    ("cut.csv.gz", "Malformed", "gzip: truncated"),
    ("damaged.csv.gz", "Malformed", "gzip: the compressed data are damaged"),
    ("long_row.csv", "Malformed", "line 4: 4 fields, expected 3 as in line 1"),
    ("old_mac.csv", "Unsupported", "carriage return"),
    ("only_remarks.csv", "Malformed", "there is no table"),
    ("open_quote.csv", "Malformed", "line 3: a quote (\") is opened and never closed"),
    ("short_row.csv", "Malformed", "line 3: 2 fields, expected 3 as in line 1"),
    ("utf16.csv", "Unsupported", "UTF-16; save it as UTF-8"),
    ("zero_byte.csv", "Malformed", "are no text"),
];

#[test]
fn every_damaged_table_gives_its_kind_of_error_with_the_place() {
    let folder = fixtures().join("bad/csv");
    let listed: BTreeSet<String> = BAD.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed, names(&folder), "list and folder differ");
    let read = io::codec(Format::Csv).read;
    for (name, kind, words) in BAD {
        let e = read(&folder.join(name), &ReadOptions::default()).unwrap_err();
        let found = match &e {
            ReadError::Malformed { .. } => "Malformed",
            ReadError::Unsupported { .. } => "Unsupported",
            _ => "another",
        };
        let text = e.to_string();
        assert!(found == *kind && text.contains(words) && text.contains(name), "{name}: {found} {text}");
    }
}

#[test]
fn a_table_cut_at_any_length_gives_an_error_or_a_value_but_no_crash() {
    let dir = Dir::new();
    let mut seen = 0;
    for name in names(&fixtures().join("table")) {
        let whole = std::fs::read(fixtures().join("table").join(&name)).unwrap();
        for length in 0..whole.len() {
            dir.write("cut.csv", &whole[..length]);
            if let Err(e) = (io::codec(Format::Csv).read)(&dir.path("cut.csv"), &ReadOptions::default()) {
                assert!(e.to_string().contains("cut.csv"), "{e}");
            }
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen}");
}

/// A table of `n` cells × `genes`, with text that shows only in the last row.
fn large(n: usize, genes: usize) -> String {
    let mut text = (0..genes).map(|g| format!(",g{g}")).collect::<String>() + ",note\n";
    for i in 0..n {
        text.push_str(&format!("c{i}"));
        for g in 0..genes {
            text.push_str(&format!(",{}", (i * 31 + g * 7) % 11));
        }
        text.push_str(if i + 1 == n { ",late\n" } else { ",3\n" });
    }
    text
}

#[test]
fn a_table_larger_than_memory_stays_in_its_file_and_reads_the_same() {
    let dir = Dir::new();
    let text = large(3000, 12);
    dir.write("t.csv", &text);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
    dir.write("t.csv.gz", packed.finish().unwrap());
    let whole = dir.open("t.csv");
    assert!(matches!(whole.x, Some(Matrix::Dense(_))));
    for name in ["t.csv", "t.csv.gz"] {
        let options = ReadOptions { memory: 1 << 19, ..ReadOptions::default() };
        let d = io::open(&dir.path(name), &options).unwrap();
        assert_eq!(d.obs, whole.obs);
        assert_eq!(d.obs.column("note").unwrap().text(2999).as_deref(), Some("late"));
        let Some(Matrix::OnDisk(x)) = &d.x else { panic!("{name} is in memory") };
        assert_eq!(support::values(d.x.as_ref().unwrap()), support::values(whole.x.as_ref().unwrap()));
        // Rows from the middle, around the places that are remembered.
        for range in [0..1, 1023..1025, 2047..2050, 2999..3000, 5..5] {
            let block = x.rows(range.clone()).unwrap().to_f64();
            let want = support::values(whole.x.as_ref().unwrap());
            assert_eq!(block, want.slice(ndarray::s![range, ..]), "{name}");
        }
        assert!(x.rows(2999..3001).is_err());
    }
}

#[test]
fn a_table_that_changes_while_it_is_read_is_an_error_not_other_numbers() {
    let dir = Dir::new();
    dir.write("t.csv", large(3000, 12));
    let options = ReadOptions { memory: 1 << 19, ..ReadOptions::default() };
    let d = io::open(&dir.path("t.csv"), &options).unwrap();
    let walk = || d.x.as_ref().unwrap().stream(1 << 20, &mut |_, _| Ok(())).map_err(|e| format!("{e:?}"));
    assert!(walk().is_ok());
    for changed in [large(2000, 12), large(3000, 11), large(3000, 12).replace(",5", ",x")] {
        dir.write("t.csv", changed);
        let e = walk().unwrap_err();
        assert!(e.contains("changed while it was read"), "{e}");
    }
}

#[test]
fn text_over_the_limit_is_refused() {
    let dir = Dir::new();
    dir.write("t.csv", large(3000, 2));
    let e = io::open(&dir.path("t.csv"), &ReadLimits { max_bytes: 10_000 }.into()).unwrap_err();
    assert!(matches!(e, ReadError::TooLarge { .. }), "{e}");
}

#[test]
fn a_table_under_another_name_is_found_by_its_content() {
    let dir = Dir::new();
    dir.write("cells.h5ad", ",CD4\nc0,1\nc1,2\n");
    let run = dir.scx("info cells.h5ad").ok();
    assert!(run.stdout.contains("csv (separated by commas), 2 cells × 1 variables"), "{}", run.stdout);
    run.says(&["warning", "ends in .h5ad but the content is csv"]);
    dir.refuses(3, "info nothing.csv", &["nothing.csv"]);
}

#[test]
fn numbers_too_large_for_a_float_are_refused_and_rounded_ones_told() {
    let dir = Dir::new();
    dir.write("over.csv", "id,a,b\nx,1,2\ny,3,1e400\n");
    dir.refuses(
        3,
        "info over.csv",
        &["over.csv: line 3, column 3 (b): 1e400 is larger than any 64-bit float"],
    );
    // As names, or beside text, it is no number.
    dir.write("names.csv", ",a,b\n1e400,1,text\n2e400,3,1e400\n");
    let d = dir.open("names.csv");
    assert_eq!((d.n_obs(), d.n_vars(), d.obs.columns.len()), (2, 1, 1));
    dir.write("inf.csv", "id,a\nx,inf\ny,-Infinity\n");
    assert_eq!(support::values(dir.open("inf.csv").x.as_ref().unwrap())[(1, 0)], f64::NEG_INFINITY);

    dir.write("wide.csv", "id,a,b\nx,1,2\ny,99999999999999999999999,-99999999999999999999999\n");
    let run = dir.scx("info wide.csv").ok();
    run.says(&[
        "wide.csv: line 3, column 2 (a): 99999999999999999999999 becomes the nearest 64-bit float",
        "1 more",
    ]);
    dir.write("mixed.csv", "id,a,b\nx,9007199254740993,0.5\n");
    dir.scx("info mixed.csv").ok().says(&["column 2 (a): 9007199254740993 becomes the nearest", "0 more"]);
    dir.write("whole.csv", "id,a\nx,9007199254740993\n");
    assert!(!dir.scx("info whole.csv").ok().stderr.contains("nearest"));
}

#[test]
fn a_header_alone_has_names_first_and_a_file_without_a_variable_is_refused() {
    let dir = Dir::new();
    dir.write("head.csv", "id,a\n");
    let d = dir.open("head.csv");
    assert_eq!((d.n_obs(), d.n_vars()), (0, 1));
    assert_eq!(d.var.index.get(0).unwrap(), "a");
    dir.write("blanks.csv", "a b c\nx 1 2\n");
    dir.refuses(
        3,
        "info blanks.csv",
        &["one column of text (\"a b c\") and no variable", "`,`, tabs and `;`"],
    );
}
