//! Parquet out: what pandas and pyarrow read from it.

use scx::data::{Dataset, Dense, Frame, Index, Matrix, Values};
use scx::io::{self, Format, Table, WriteOptions};

use super::write::{cells, runs};
use crate::support::{self, Dir};

/// pyarrow must be there and fit its NumPy; otherwise the test says that it was skipped.
fn pyarrow(dir: &Dir) -> Option<String> {
    let python = support::python()?;
    let found = std::process::Command::new(&python)
        .args(["-c", "import pyarrow.parquet"])
        .current_dir(dir.path(""))
        .output()
        .unwrap();
    if !found.status.success() {
        println!("skipped: {python} has no pyarrow that works");
        return None;
    }
    Some(python)
}

fn save(dir: &Dir, d: &Dataset, name: &str, table: Table, memory: u64) {
    let options = WriteOptions { table: Some(table), memory, ..WriteOptions::default() };
    io::save(d, Format::Parquet, &dir.path(name), true, &options).unwrap();
}

const OBS: &str = r##"
import numpy as np, pandas as pd, pyarrow.parquet as pq
d = pd.read_parquet("o.parquet")
assert list(d.index) == ['c"1', "#c2", "c3", "c,4"] and d.index.name == "barcode", d.index
t = d["type"]
assert t.dtype == pd.CategoricalDtype(["z", "unused", "b, c"], ordered=True), t.dtype
assert t.tolist()[:2] == ["b, c", "z"] and pd.isna(t.iloc[2])
assert d["level"].tolist()[:2] == [20, 10] and pd.isna(d["level"].iloc[2])
assert d["n"].dtype == "uint8" and d["n"].tolist() == [0, 7, 200, 255]
assert d["big"].dtype == "int64" and d["big"].tolist() == [-2**63, -1, 0, 2**63 - 1]
assert d["single"].dtype == "float32" and d["single"].iloc[0] == np.float32(0.1) and np.isnan(d["single"].iloc[1])
assert d["double"].dtype == "float64" and d["double"].tolist() == [0.1, 1 / 3, 5e-324, np.inf]
assert d["flag"].dtype == bool and d["flag"].tolist() == [True, False, True, True]
assert d["masked"].dtype == "Int32" and d["masked"].isna().tolist() == [False, True, False, False]
assert d["masked"].dropna().tolist() == [1, 3, 4]
assert d["maybe"].dtype == "boolean" and d["maybe"].dropna().tolist() == [True, False, True]
assert d["text"].tolist() == ["a", "two\nlines", "", "NA"]
assert d["gaps"].iloc[0] == "x" and d["gaps"].isna().tolist() == [False, True, False, True]
assert pq.ParquetFile("o.parquet").metadata.row_group(0).column(0).compression == "SNAPPY"
e = pd.read_parquet("empty.parquet")
assert len(e) == 0 and e.columns.tolist() == ["k"], e
"##;

#[test]
fn pandas_gets_types_categories_and_the_index_back() {
    let dir = Dir::new();
    let d = Dataset::new(cells(), Frame::new(Index::Range(0)));
    save(&dir, &d, "o.parquet", Table::Obs, 1 << 30);
    let empty =
        Frame::new(Index::names(Vec::new())).with("k", scx::data::Column::Numbers(Values::I32(Vec::new())));
    save(&dir, &Dataset::new(empty, Frame::new(Index::Range(0))), "empty.parquet", Table::Obs, 1 << 30);
    if let Some(python) = pyarrow(&dir) {
        runs(&dir, &python, &["-c", OBS]);
    }
}

const X: &str = r##"
import numpy as np, pandas as pd, pyarrow.parquet as pq
for t in ("int8", "uint16", "int32", "uint64", "float16", "float32", "float64", "bool"):
    d = pd.read_parquet(t + ".parquet")
    want = ((np.arange(1000 * 7) * 37) % 100).reshape(1000, 7)
    want = want > 50 if t == "bool" else want.astype(t)
    assert str(d["g0"].dtype) == t, (t, d["g0"].dtype)
    assert np.array_equal(d.to_numpy(), want), t
    assert d.index[999] == "c999" and d.columns.tolist() == [f"g{i}" for i in range(7)]
    assert pq.ParquetFile(t + ".parquet").metadata.num_row_groups > 1
"##;

#[test]
fn a_matrix_in_row_groups_reads_as_it_was_in_every_type() {
    let dir = Dir::new();
    let names = |p: &str, n: usize| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let mut d = Dataset::new(names("c", 1000), names("g", 7));
    let v: Vec<u8> = (0..7000usize).map(|i| (i * 37 % 100) as u8).collect();
    let all = [
        ("int8", Values::I8(v.iter().map(|x| *x as i8).collect())),
        ("uint16", Values::U16(v.iter().map(|x| u16::from(*x)).collect())),
        ("int32", Values::I32(v.iter().map(|x| i32::from(*x)).collect())),
        ("uint64", Values::U64(v.iter().map(|x| u64::from(*x)).collect())),
        ("float16", Values::F16(v.iter().map(|x| half::f16::from(*x)).collect())),
        ("float32", Values::F32(v.iter().map(|x| f32::from(*x)).collect())),
        ("float64", Values::F64(v.iter().map(|x| f64::from(*x)).collect())),
        ("bool", Values::Bool(v.iter().map(|x| *x > 50).collect())),
    ];
    for (name, values) in all {
        d.x = Some(Matrix::Dense(Dense::new(1000, 7, values).unwrap()));
        // Room for a few hundred rows at a time.
        save(&dir, &d, &format!("{name}.parquet"), Table::X, 8 * 7 * 300);
    }
    if let Some(python) = pyarrow(&dir) {
        runs(&dir, &python, &["-c", X]);
    }
}

#[test]
fn parquet_is_written_and_not_read_and_names_must_differ() {
    let dir = Dir::new();
    let mut d = Dataset::new(cells(), Frame::new(Index::Range(0)));
    save(&dir, &d, "o.parquet", Table::Obs, 1 << 30);
    dir.refuses(3, "info o.parquet", &["o.parquet", "Parquet is written, not read"]);
    let twice = d.obs.columns[0].clone();
    d.obs.columns.push(twice);
    let e =
        io::save(&d, Format::Parquet, &dir.path("p.parquet"), false, &WriteOptions::default()).unwrap_err();
    assert!(e.to_string().contains("two columns called type"), "{e}");
}
