//! Tables of text out: what pandas, R and scx itself read from them.

use std::process::Command;

use proptest::prelude::*;
use scx::data::{
    Categorical, Categories, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Sparse, Values,
};
use scx::io::{self, Format, ReadOptions, Table, WriteOptions};

use crate::support::{self, Dir};

/// A table with a column of every kind.
pub(super) fn cells() -> Frame {
    let text = |v: &[&str]| v.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let category = Categorical {
        codes: vec![2, 0, -1, 2],
        categories: Categories::Strings(text(&["z", "unused", "b, c"])),
        ordered: true,
    };
    let levels = Categorical {
        codes: vec![1, 0, -1, 1],
        categories: Categories::Numbers(Values::I64(vec![10, 20])),
        ordered: false,
    };
    let missing = vec![false, true, false, false];
    Frame::new(Index::Names { name: "barcode".into(), values: text(&["c\"1", "#c2", "c3", "c,4"]).into() })
        .with("type", Column::Categorical(category))
        .with("level", Column::Categorical(levels))
        .with("n", Column::Numbers(Values::U8(vec![0, 7, 200, 255])))
        .with("big", Column::Numbers(Values::I64(vec![i64::MIN, -1, 0, i64::MAX])))
        .with("single", Column::Numbers(Values::F32(vec![0.1, f32::NAN, -0.0, 3.4e38])))
        .with("double", Column::Numbers(Values::F64(vec![0.1, 1.0 / 3.0, 5e-324, f64::INFINITY])))
        .with("flag", Column::Numbers(Values::Bool(vec![true, false, true, true])))
        .with("masked", Column::Nullable { values: Values::I32(vec![1, 2, 3, 4]), missing: missing.clone() })
        .with("maybe", Column::Nullable { values: Values::Bool(vec![true, true, false, true]), missing })
        .with("text", Column::Strings(text(&["a", "two\nlines", "", "NA"])))
        .with("gaps", Column::NullableStrings(vec![Some("x".into()), None, Some("é".into()), None]))
}

fn save(dir: &Dir, d: &Dataset, name: &str, table: Table) {
    let options = WriteOptions { table: Some(table), ..WriteOptions::default() };
    io::save(d, Format::for_target(&dir.path(name)).unwrap(), &dir.path(name), false, &options).unwrap();
}

/// Runs a script in the folder; it must succeed.
pub(super) fn runs(dir: &Dir, program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).current_dir(dir.path("")).output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
    text(&out.stdout)
}

const PANDAS: &str = r##"
import numpy as np, pandas as pd
for name, sep in (("o.csv", ","), ("o.tsv", "\t")):
    d = pd.read_csv(name, index_col=0, sep=sep)
    assert list(d.index) == ['c"1', "#c2", "c3", "c,4"] and d.index.name == "barcode", d.index
    assert d["type"].tolist()[:2] == ["b, c", "z"] and pd.isna(d["type"].iloc[2])
    assert d["n"].tolist() == [0, 7, 200, 255]
    assert d["big"].tolist() == [-2**63, -1, 0, 2**63 - 1]
    assert d["single"].astype("float32").tolist()[0] == np.float32(0.1) and pd.isna(d["single"].iloc[1])
    d2 = pd.read_csv(name, index_col=0, sep=sep, float_precision="round_trip")
    assert d2["double"].tolist() == [0.1, 1 / 3, 5e-324, np.inf], d2["double"].tolist()
    assert d["flag"].dtype == bool and d["flag"].tolist() == [True, False, True, True]
    assert d["masked"].astype("Int32").tolist()[0] == 1 and pd.isna(d["masked"].iloc[1])
    assert d["text"].iloc[1] == "two\nlines"
    assert d["gaps"].iloc[2] == "é" and pd.isna(d["gaps"].iloc[1])
x = pd.read_csv("x.csv", index_col=0)
assert x.columns.tolist() == ["g1", "g2", "g3"] and x.index.name is None
assert x.to_numpy().tolist() == [[0, 0, 5], [0, 0, 0], [3, 0, 0], [0, -2, 0]], x
"##;

const R: &str = r##"
d <- read.csv("o.csv", row.names = 1)
stopifnot(rownames(d) == c('c"1', "#c2", "c3", "c,4"), d$n == c(0, 7, 200, 255), as.logical(d$flag) == c(TRUE, FALSE, TRUE, TRUE))
stopifnot(is.na(d$masked[2]), d$text[2] == "two\nlines", d$type[1] == "b, c")
x <- read.csv("x.csv", row.names = 1)
stopifnot(dim(x) == c(4, 3), x[3, 1] == 3, colnames(x) == c("g1", "g2", "g3"))
"##;

fn dataset() -> Dataset {
    let genes = ["g1", "g2", "g3"].map(String::from).to_vec();
    let mut d = Dataset::new(cells(), Frame::new(Index::names(genes)));
    // CSC, with an entry stored twice that adds up to 5.
    let x =
        Sparse::new(Layout::Csc, (4, 3), vec![0, 1, 2, 4], vec![2, 3, 0, 0], Values::I16(vec![3, -2, 2, 3]));
    d.x = Some(Matrix::Sparse(x.unwrap()));
    d
}

#[test]
fn pandas_and_r_open_tables_of_text() {
    let (dir, mut d) = (Dir::new(), dataset());
    save(&dir, &d, "o.csv", Table::Obs);
    save(&dir, &d, "o.tsv", Table::Obs);
    d.obs.index = Index::names(["a", "b", "c", "d"].map(String::from).to_vec());
    save(&dir, &d, "x.csv", Table::X);
    if let Some(python) = support::python() {
        runs(&dir, &python, &["-c", PANDAS]);
    }
    if Command::new("Rscript").arg("--version").output().is_ok() {
        runs(&dir, "Rscript", &["-e", R]);
    } else {
        println!("skipped: there is no Rscript");
    }
}

#[test]
fn a_table_of_cells_reads_back_with_its_text_and_names() {
    let (dir, d) = (Dir::new(), dataset());
    save(&dir, &d, "o.csv", Table::Obs);
    let back = dir.open("o.csv");
    assert_eq!(back.obs.index, d.obs.index);
    for name in ["text", "gaps", "flag", "maybe"] {
        let all = |f: &Frame| {
            let c = f.column(name).unwrap();
            (0..4).map(|i| c.text(i).map(|t| t.into_owned())).collect::<Vec<_>>()
        };
        assert_eq!(all(&back.obs), all(&d.obs), "{name}");
    }
    let numbers: Vec<String> = back.var.index.iter().map(|n| n.into_owned()).collect();
    assert_eq!(numbers, ["level", "n", "big", "single", "double", "masked"]);
}

#[test]
fn the_same_data_give_the_same_bytes_and_an_absent_x_is_told() {
    let (dir, mut d) = (Dir::new(), dataset());
    for name in ["1.csv", "2.csv", "1.parquet", "2.parquet"] {
        save(&dir, &d, name, Table::Obs);
    }
    assert!(dir.bytes("1.csv") == dir.bytes("2.csv") && dir.bytes("1.parquet") == dir.bytes("2.parquet"));
    d.x = None;
    let options = WriteOptions { table: Some(Table::X), ..WriteOptions::default() };
    for (format, name) in [(Format::Csv, "x.csv"), (Format::Parquet, "x.parquet")] {
        let e = io::save(&d, format, &dir.path(name), false, &options).unwrap_err().to_string();
        assert!(e.contains("there is no X") && e.contains("h5ad holds"), "{e}");
        assert!(!dir.path(name).exists());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Values, element type and layout of X come back from text.
    #[test]
    fn any_matrix_comes_back_from_text(
        rows in 1usize..12, columns in 1usize..6, kind in 0usize..4, seed in proptest::collection::vec(any::<i64>(), 72),
    ) {
        let pick = |i: usize| seed[i % seed.len()];
        let n = rows * columns;
        let values = match kind {
            0 => Values::I32((0..n).map(|i| pick(i) as i32).collect()),
            1 => Values::I64((0..n).map(pick).collect()),
            2 => Values::F64((0..n).map(|i| f64::from_bits(pick(i) as u64)).collect()),
            _ => Values::F32((0..n).map(|i| f32::from_bits(pick(i) as u32)).collect()),
        };
        let index = |p: &str, n: usize| Index::names((0..n).map(|i| format!("{p}{i}")).collect());
        let mut d = Dataset::new(Frame::new(index("c", rows)), Frame::new(index("g", columns)));
        d.x = Some(Matrix::Dense(Dense::new(rows, columns, values.clone()).unwrap()));
        let dir = Dir::new();
        save(&dir, &d, "x.csv", Table::X);
        let back = io::open(&dir.path("x.csv"), &ReadOptions::default()).unwrap();
        prop_assert_eq!(&back.obs, &d.obs);
        prop_assert_eq!(&back.var, &d.var);
        let (found, want) = (support::values(back.x.as_ref().unwrap()), support::values(d.x.as_ref().unwrap()));
        for (a, b) in found.iter().zip(&want) {
            // Shortest text of a single reads back as that single.
            let same = if kind == 3 { (*a as f32).to_bits() == (*b as f32).to_bits() } else { a.to_bits() == b.to_bits() };
            prop_assert!(same || (a.is_nan() && b.is_nan()), "{} {}", a, b);
        }
    }
}
