//! Any data set written and read again is the same data set.

use std::collections::BTreeMap;

use half::f16;
use proptest::prelude::*;
use scx::data::{
    Annotation, Categorical, Categories, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Raw, Sparse,
    Uns, Values,
};
use scx::io::{Compat, ReadOptions, WriteOptions, h5ad};

use serde_json::json;

use super::compare::exact;

/// Numbers of every element type, the extremes among them.
fn values(n: usize) -> impl Strategy<Value = Values> {
    fn some<T: Arbitrary + Clone + 'static>(n: usize) -> impl Strategy<Value = Vec<T>> {
        prop::collection::vec(any::<T>(), n)
    }
    prop_oneof![
        some::<bool>(n).prop_map(Values::Bool),
        some::<i8>(n).prop_map(Values::I8),
        some::<i16>(n).prop_map(Values::I16),
        some::<i32>(n).prop_map(Values::I32),
        some::<i64>(n).prop_map(Values::I64),
        some::<u8>(n).prop_map(Values::U8),
        some::<u16>(n).prop_map(Values::U16),
        some::<u32>(n).prop_map(Values::U32),
        some::<u64>(n).prop_map(Values::U64),
        some::<i16>(n)
            .prop_map(|v| Values::F16(v.into_iter().map(|x| f16::from_f32(f32::from(x))).collect())),
        // NaN is unequal to itself; that it survives is tested with the real files.
        some::<f32>(n)
            .prop_map(|v| Values::F32(v.into_iter().map(|x| if x.is_nan() { 0.5 } else { x }).collect())),
        some::<f64>(n)
            .prop_map(|v| Values::F64(v.into_iter().map(|x| if x.is_nan() { 0.5 } else { x }).collect())),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Zβ細 /.#-]{0,8}"
}

fn key() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_ β]{0,6}"
}

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Matrix> {
    let dense =
        values(rows * columns).prop_map(move |v| Matrix::Dense(Dense::new(rows, columns, v).unwrap()));
    let sparse = (prop::collection::vec(any::<bool>(), rows * columns), any::<bool>()).prop_flat_map(
        move |(on, csc)| {
            let (major, minor) = if csc { (columns, rows) } else { (rows, columns) };
            let (mut indptr, mut indices) = (vec![0u64], Vec::new());
            for m in 0..major {
                indices.extend((0..minor).filter(|i| on[m * minor + i]).map(|i| i as u32));
                indptr.push(indices.len() as u64);
            }
            let layout = if csc { Layout::Csc } else { Layout::Csr };
            values(indices.len()).prop_map(move |v| {
                let shape = (rows, columns);
                Matrix::Sparse(Sparse::new(layout, shape, indptr.clone(), indices.clone(), v).unwrap())
            })
        },
    );
    prop_oneof![dense, sparse]
}

fn column(n: usize) -> impl Strategy<Value = Column> {
    let whole = |v: &Values| !v.dtype().is_float();
    prop_oneof![
        values(n).prop_map(Column::Numbers),
        prop::collection::vec(text(), n).prop_map(Column::Strings),
        prop::collection::vec(prop::option::of(text()), n).prop_map(Column::NullableStrings),
        (values(n).prop_filter("whole", whole), prop::collection::vec(any::<bool>(), n))
            .prop_map(|(values, missing)| Column::Nullable { values, missing }),
        (prop::collection::vec(-1i32..3, n), any::<bool>(), values(4), any::<bool>()).prop_map(
            |(codes, ordered, numbers, text)| {
                let names = ["b", "a", "細胞", "never"].map(String::from).to_vec();
                let categories = if text { Categories::Strings(names) } else { Categories::Numbers(numbers) };
                Column::Categorical(Categorical { codes, categories, ordered })
            }
        ),
    ]
}

fn frame(n: usize) -> impl Strategy<Value = Frame> {
    (prop::collection::vec(text(), n), prop::collection::btree_map(key(), column(n), 0..4), any::<bool>())
        .prop_map(|(names, columns, named)| {
            let name = if named { "the_index" } else { "_index" }.to_owned();
            let mut columns: Vec<_> = columns.into_iter().collect();
            columns.reverse();
            Frame { index: Index::Names { name, values: names.into() }, columns }
        })
}

fn uns() -> impl Strategy<Value = Uns> {
    let leaf = prop_oneof![
        text().prop_map(Uns::String),
        prop::collection::vec(text(), 0..4).prop_map(Uns::Strings),
        values(1).prop_map(Uns::Number),
        values(6).prop_map(|values| Uns::Array { shape: vec![2, 3], values }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| prop::collection::btree_map(key(), inner, 0..3).prop_map(Uns::Map))
}

pub(crate) fn dataset() -> impl Strategy<Value = Dataset> {
    (0usize..6, 0usize..5).prop_flat_map(|(n, g)| {
        let parts = (
            (frame(n), frame(g), prop::option::of(matrix(n, g))),
            prop::collection::btree_map(key(), matrix(n, g), 0..3),
            (matrix(n, 2), frame(n), matrix(n, n), matrix(g, g), matrix(g, 3)),
            prop::option::of((matrix(n, 3), frame(3))),
            prop::collection::btree_map(key(), uns(), 0..3),
        );
        parts.prop_map(|((obs, var, x), layers, (m, f, nn, gg, g3), raw, uns)| {
            let one = |k: &str, a| BTreeMap::from([(k.to_owned(), a)]);
            // Rows of a table in obsm are called as the cells are.
            let f = Frame { index: obs.index.clone(), ..f };
            let mut d = Dataset::new(obs, var);
            d.x = x;
            d.layers = layers;
            d.obsm = one("X_pca", Annotation::Matrix(m));
            d.obsm.insert("table".into(), Annotation::Frame(f));
            d.varm = one("PCs", Annotation::Matrix(g3));
            d.obsp = one("near", Annotation::Matrix(nn));
            d.varp = one("links", Annotation::Matrix(gg));
            d.raw = raw.map(|(x, var)| Raw { x, var, varm: BTreeMap::new() });
            d.uns = uns;
            d
        })
    })
}

/// The matrix in rows, whatever its layout: what is on disk as CSC is read as CSR.
fn in_rows(m: &Matrix) -> impl PartialEq + std::fmt::Debug + use<> {
    let Matrix::Sparse(s) = m else { return exact(m) };
    if s.layout() == Layout::Csr {
        return exact(m);
    }
    let mut entries = Vec::new();
    for (column, w) in s.indptr().windows(2).enumerate() {
        entries.extend((w[0] as usize..w[1] as usize).map(|i| (s.indices()[i], column as u32, i)));
    }
    entries.sort();
    let mut indptr = vec![0u64; s.shape().0 + 1];
    entries.iter().for_each(|(row, ..)| indptr[*row as usize + 1] += 1);
    for i in 1..indptr.len() {
        indptr[i] += indptr[i - 1];
    }
    let order: Vec<usize> = entries.iter().map(|e| e.2).collect();
    fn pick<T: scx::data::Element>(v: &[T], order: &[usize]) -> Values {
        T::wrap(order.iter().map(|&i| v[i]).collect())
    }
    let values = scx::with_values!(s.values(), v => pick(v, &order));
    (Layout::Csc, s.shape(), indptr, entries.iter().map(|e| e.1).collect(), values)
}

fn assert_same(found: &Dataset, meant: &Dataset) {
    assert_eq!(found.obs, meant.obs);
    assert_eq!(found.var, meant.var);
    assert_eq!(found.uns, meant.uns);
    assert_eq!(found.x.as_ref().map(in_rows), meant.x.as_ref().map(in_rows));
    let all =
        |m: &BTreeMap<String, Matrix>| m.iter().map(|(k, m)| (k.clone(), in_rows(m))).collect::<Vec<_>>();
    assert_eq!(all(&found.layers), all(&meant.layers));
    for (f, m) in [
        (&found.obsm, &meant.obsm),
        (&found.varm, &meant.varm),
        (&found.obsp, &meant.obsp),
        (&found.varp, &meant.varp),
    ] {
        assert_eq!(f.len(), m.len());
        for ((k, f), (l, m)) in f.iter().zip(m) {
            assert_eq!(k, l);
            match (f, m) {
                (Annotation::Matrix(f), Annotation::Matrix(m)) => assert_eq!(in_rows(f), in_rows(m), "{k}"),
                (Annotation::Frame(f), Annotation::Frame(m)) => assert_eq!(f, m, "{k}"),
                other => panic!("{k}: {other:?}"),
            }
        }
    }
    let raw = |d: &Dataset| d.raw.as_ref().map(|r| (in_rows(&r.x), r.var.clone()));
    assert_eq!(raw(found), raw(meant));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_data_set_survives_being_written_twice(d in dataset()) {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.h5ad"), dir.path().join("two.h5ad"));
        // The one level at which nothing changes its encoding.
        let options = WriteOptions { compat: Compat::V0_13, ..WriteOptions::default() };
        h5ad::write(&d, &one, &options).unwrap();
        let read = h5ad::read(&one, &ReadOptions::default()).unwrap();
        assert_same(&read, &d);
        // The second time from disk to disk.
        h5ad::write(&read, &two, &options).unwrap();
        assert_same(&h5ad::read(&two, &ReadOptions::default()).unwrap(), &d);
        prop_assert!(std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap(), "the bytes differ");
    }
}

#[test]
fn a_matrix_of_many_chunks_survives_and_reads_by_row_and_column() {
    let (rows, columns) = (20_000, 40);
    let v: Vec<i32> = (0..rows * columns).map(|i| (i * 7919 % 1013) as i32).collect();
    let frame = |n: usize, p: &str| Frame::new(Index::names((0..n).map(|i| format!("{p}{i}")).collect()));
    let mut d = Dataset::new(frame(rows, "c"), frame(columns, "g"));
    d.x = Some(Matrix::Dense(Dense::new(rows, columns, Values::I32(v.clone())).unwrap()));
    let on = |i: usize| v[i] % 5 == 0;
    for (name, layout) in [("csr", Layout::Csr), ("csc", Layout::Csc)] {
        let (major, minor) = if layout == Layout::Csr { (rows, columns) } else { (columns, rows) };
        let at = |m: usize, i: usize| if layout == Layout::Csr { m * columns + i } else { i * columns + m };
        let (mut indptr, mut indices, mut data) = (vec![0], Vec::new(), Vec::new());
        for m in 0..major {
            for i in (0..minor).filter(|&i| on(at(m, i))) {
                indices.push(i as u32);
                data.push(v[at(m, i)] as f32);
            }
            indptr.push(indices.len() as u64);
        }
        let s = Sparse::new(layout, (rows, columns), indptr, indices, Values::F32(data)).unwrap();
        d.layers.insert(name.into(), Matrix::Sparse(s));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("big.h5ad");
    h5ad::write(&d, &path, &WriteOptions::default()).unwrap();
    let read = h5ad::read(&path, &ReadOptions::default()).unwrap();
    assert_same(&read, &d);
    // Out of order, apart and next to each other.
    let chosen = [17, 3, 4, 39, 5, 0];
    for (m, keep) in
        [(&read.layers["csr"], true), (&read.layers["csc"], true), (read.x.as_ref().unwrap(), false)]
    {
        let mut seen = 0;
        m.columns(&chosen, &mut |start, block| {
            for (r, row) in block.rows().into_iter().enumerate() {
                for (&c, &x) in chosen.iter().zip(row) {
                    let i = (start + r) * columns + c;
                    assert_eq!(x, if !keep || on(i) { f64::from(v[i]) } else { 0.0 });
                }
            }
            seen += block.nrows();
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, rows);
    }
    if let Some(python) = std::env::var_os("SCX_PYTHON") {
        let code = "import sys, anndata, numpy as np\na = anndata.read_h5ad(sys.argv[1])\n\
                    x = a.X * (a.X % 5 == 0)\nassert a.shape == (20000, 40) and a.X.dtype == 'int32'\n\
                    assert all((a.layers[k].toarray() == x).all() and a.layers[k].format == k for k in ('csr', 'csc'))";
        let run = std::process::Command::new(python).arg("-c").arg(code).arg(&path).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn python_anndata_opens_what_is_written_and_finds_the_same() {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let folder = super::expected::fixtures().join("h5ad");
    let dir = tempfile::tempdir().unwrap();
    let mut written = 0;
    for name in super::expected::names(&folder).into_iter().filter(|n| n != "unknown_encodings.h5ad") {
        let d = h5ad::read(&folder.join(&name), &ReadOptions::default()).unwrap();
        h5ad::write(&d, &dir.path().join(&name), &WriteOptions::default()).unwrap();
        written += 1;
    }
    assert!(written >= 9);
    let script = super::expected::fixtures().join("make/h5ad_expected.py");
    let out = dir.path().join("found.json");
    let run = std::process::Command::new(python).arg(script).arg(dir.path()).arg(&out).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let load = |p: &std::path::Path| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(p).unwrap()).unwrap()
    };
    let found = load(&out);
    assert_eq!(found.as_object().unwrap().len(), written, "{}", String::from_utf8_lossy(&run.stdout));
    let meant = load(&super::expected::fixtures().join("expected/h5ad/small.json"));
    let (mut wrong, mut changed) = (Vec::new(), 0);
    for (name, found) in found.as_object().unwrap() {
        let mut meant = meant[name].clone();
        // Text with missing entries: categories for anndata before 0.13.
        for (place, categories) in
            [("/obs/columns/note", json!(["", "β-cell"])), ("/uns/maybe", json!(["", "x", "y"]))]
        {
            if meant.pointer(place).is_some_and(|c| c["kind"] == "string" && c["missing"] == 1) {
                let column = found.pointer(place).unwrap();
                assert_eq!((&column["categories"], &column["missing"]), (&categories, &json!(1)), "{name}");
                *meant.pointer_mut(place).unwrap() = column.clone();
                changed += 1;
            }
        }
        super::compare::differences(name, found, &meant, &mut wrong);
    }
    assert_eq!(changed, 4);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
