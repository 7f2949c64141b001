//! What is written, in the eyes of loompy and anndata.

use std::path::Path;
use std::process::Command;

use scx::data::{
    Annotation, Categorical, Categories, Column, Dataset, Dense, Frame, Index, Layout, Matrix, Sparse, Uns,
    Values,
};
use scx::io::{Format, WriteError, WriteOptions, loom};

use super::expected::{read, real};
use crate::h5ad::compare::{differences, summary};
use crate::h5ad::expected::{fixtures, names};

/// Runs a script with Python, when there is one; the script gets `arguments`.
fn python(code: &str, arguments: &[&Path]) {
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set");
        return;
    };
    let run =
        Command::new(python).arg("-W").arg("ignore").arg("-c").arg(code).args(arguments).output().unwrap();
    assert!(
        run.status.success(),
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
}

const VALID: &str = "
import sys, loompy
for path in sys.argv[1:]:
    v = loompy.LoomValidator(version='3.0.0')
    assert v.validate(path), (path, v.errors)
    assert not v.errors
    ds = loompy.connect(path, 'r')
    assert ds.attrs['LOOM_SPEC_VERSION'] == '3.0.0'
    ds.close(suppress_warning=True)
";

#[test]
fn every_fixture_written_again_passes_the_validator_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut folders = vec![fixtures().join("loom")];
    folders.extend(real());
    let mut written = Vec::new();
    let mut wrong = Vec::new();
    for folder in folders {
        for name in names(&folder) {
            let d = read(&folder.join(&name));
            let path = dir.path().join(&name);
            if ["no_cells.loom", "no_genes.loom"].contains(&name.as_str()) {
                continue;
            }
            loom::write(&d, &path, &WriteOptions::default()).unwrap();
            let mut meant = summary(&d);
            // What loom has no place for: the columns of records are attributes of their own, booleans are bytes.
            if ["records.loom", "arrays.loom", "scopeR_example_compound_attrs.loom"].contains(&name.as_str())
            {
                for at in ["obs", "var", "obsm", "varm"] {
                    meant[at] = summary(&read(&path))[at].clone();
                }
            }
            // Cells and genes without names are called by their numbers.
            let mut found = summary(&read(&path));
            for (at, index) in [("obs", "CellID"), ("var", "Gene")] {
                assert_eq!(found[at]["index"], index, "{name}");
                found[at]["index"] = meant[at]["index"].clone();
            }
            differences(&name, &found, &meant, &mut wrong);
            written.push(path);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(written.len() > 7);
    python(VALID, &written.iter().map(|p| p.as_path()).collect::<Vec<_>>());
}

/// Something of everything.
fn everything() -> Dataset {
    let (n, g) = (70, 5);
    let obs = Frame::new(Index::names((0..n).map(|i| format!("cell{i}")).collect()))
        .with("n", Column::Numbers(Values::I32((0..n as i32).collect())))
        .with("share", Column::Numbers(Values::F64((0..n).map(|i| i as f64 / 4.0).collect())))
        .with("ok", Column::Numbers(Values::Bool((0..n).map(|i| i % 3 == 0).collect())))
        .with(
            "text",
            Column::Strings((0..n).map(|i| if i == 1 { "β & γ".into() } else { format!("t&{i}") }).collect()),
        )
        .with("CellID", Column::Strings(vec!["other".into(); n]))
        .with("a/b", Column::Numbers(Values::U8(vec![1; n])))
        .with("maybe", Column::NullableStrings((0..n).map(|i| (i != 2).then(|| "x".into())).collect()))
        .with(
            "some",
            Column::Nullable { values: Values::I64(vec![4; n]), missing: (0..n).map(|i| i == 3).collect() },
        )
        .with(
            "kind",
            Column::Categorical(Categorical {
                codes: (0..n).map(|i| i as i32 % 3 - 1).collect(),
                categories: Categories::Strings(vec!["B".into(), "A".into(), "never".into()]),
                ordered: true,
            }),
        );
    let var = Frame::new(Index::names((0..g).map(|i| format!("gene{i}")).collect()))
        .with("Gene", Column::Strings((0..g).map(|i| format!("gene{i}")).collect()));
    let mut d = Dataset::new(obs, var);
    let indptr = (0..=n as u64).collect();
    let x = |v| {
        Matrix::Sparse(
            Sparse::new(Layout::Csr, (n, g), Vec::clone(&indptr), (0..n as u32).map(|i| i % 5).collect(), v)
                .unwrap(),
        )
    };
    d.x = Some(x(Values::U16((1..=n as u16).collect())));
    d.layers.insert("log".into(), x(Values::F32((0..n).map(|i| i as f32 / 8.0).collect())));
    d.layers.insert("there".into(), x(Values::Bool(vec![true; n])));
    d.obsm.insert(
        "X_pca".into(),
        Annotation::Matrix(Matrix::Dense(
            Dense::new(n, 2, Values::F32((0..2 * n).map(|i| i as f32).collect())).unwrap(),
        )),
    );
    d.obsm.insert("part".into(), Annotation::Matrix(x(Values::F64((0..n).map(|i| i as f64).collect()))));
    let near = Sparse::new(
        Layout::Csc,
        (n, n),
        (0..=n as u64).collect(),
        (0..n as u32).rev().collect(),
        Values::I32((0..n as i32).collect()),
    );
    d.obsp.insert("near".into(), Annotation::Matrix(Matrix::Sparse(near.unwrap())));
    d.varp.insert(
        "links".into(),
        Annotation::Matrix(Matrix::Dense(
            Dense::new(g, g, Values::F64((0..g * g).map(|i| (i % 6 == 0) as u8 as f64).collect())).unwrap(),
        )),
    );
    d.uns.insert("note".into(), Uns::String("grüße".into()));
    d.uns.insert("list".into(), Uns::Strings(vec!["a".into(), "b".into()]));
    d.uns.insert("n".into(), Uns::Number(Values::I64(vec![3])));
    d.uns.insert("grid".into(), Uns::Array { shape: vec![2, 2], values: Values::F64(vec![1., 2., 3., 4.]) });
    let log = [("000".to_owned(), Uns::String("{\"verb\":\"correct\"}".into()))];
    d.uns.insert(
        "scx".into(),
        Uns::Map(
            [("log".to_owned(), Uns::Map(log.into())), ("version".to_owned(), Uns::String("0.1.0".into()))]
                .into(),
        ),
    );
    d.source.keywords = vec![("$P1N".into(), "CD4\"β".into()), ("k".into(), String::new())];
    d
}

#[test]
fn loompy_and_anndata_find_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.loom");
    loom::write(&everything(), &path, &WriteOptions::default()).unwrap();
    python(VALID, &[&path]);
    let code = "
import sys, loompy, anndata, h5py, numpy as np
n = 70
i = np.arange(n)
x = np.zeros((n, 5)); x[i, i % 5] = i + 1
with loompy.connect(sys.argv[1], 'r') as ds:
    assert ds.shape == (5, n) and ds[:, :].dtype == 'uint16' and (ds[:, :].T == x).all()
    assert ds.layers['there'][:, :].dtype == 'uint8' and (ds.layers['there'][:, :].T == (x > 0)).all()
    assert ds.layers['log'][:, :].dtype == 'float32' and ds.layers['log'][0, 5] == 0.625
    assert list(ds.ca.CellID[:2]) == ['cell0', 'cell1'] and set(ds.ca.CellID_1) == {'other'}
    assert list(ds.ra.keys()) == ['Gene'] and ds.ra.Gene[4] == 'gene4'
    assert ds.ca.n.dtype == 'int32' and (ds.ca.n == i).all() and (ds.ca.share == i / 4).all()
    assert ds.ca.ok.dtype == 'uint8' and (ds.ca.ok == (i % 3 == 0)).all()
    assert list(ds.ca.text[:3]) == ['t&0', 'β & γ', 't&2'], ds.ca.text[:3]
    assert list(ds.ca.maybe[:4]) == ['x', 'x', '', 'x'] and list(ds.ca.kind[:4]) == ['', 'B', 'A', '']
    assert np.isnan(ds.ca.some[3]) and ds.ca.some[4] == 4 and (ds.ca.a_b == 1).all()
    assert ds.ca.X_pca.shape == (n, 2) and ds.ca.X_pca[3, 1] == 7 and ds.ca.part.shape == (n, 5)
    assert ds.ca.part[7, 2] == 7
    near = ds.col_graphs.near.toarray()
    assert near[n - 1 - 3, 3] == 3 and near.sum() == i.sum()
    assert ds.row_graphs.links.nnz == 5
    a = ds.attrs
    assert a.note == 'grüße' and list(a.list) == ['a', 'b'] and a.n == 3 and (a.grid == [[1, 2], [3, 4]]).all()
    assert a.scx_log_000 == '{\"verb\":\"correct\"}' and a.scx_version == '0.1.0'
a = anndata.io.read_loom(sys.argv[1], sparse=True)
assert a.shape == (n, 5) and (a.X.toarray() == x).all() and a.obs_names[1] == 'cell1' and a.var_names[4] == 'gene4'
assert a.obsm['X_pca'][3, 1] == 7 and set(a.layers) == {'log', 'there'}
with h5py.File(sys.argv[1]) as f:
    assert f['matrix'].chunks[1] == 64 and f['matrix'].compression == 'gzip'
    def times(name, o):
        assert h5py.h5g.get_objinfo(o.id).mtime == 0 or isinstance(o, h5py.Dataset), name
    f.visititems(times)
";
    python(code, &[&path]);
    let found = read(&path);
    let meant = everything();
    assert_eq!(found.uns["scx"], meant.uns["scx"]);
    assert_eq!(found.source.keywords, meant.source.keywords);
    assert_eq!(found.source.dialect, "loom 3.0.0");
    assert_eq!(found.uns["note"], meant.uns["note"]);
}

#[test]
fn without_a_matrix_nothing_is_written() {
    let mut d = everything();
    d.x = None;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.loom");
    let e = scx::io::save(&d, Format::Loom, &path, false, &WriteOptions::default()).unwrap_err();
    assert!(matches!(e, WriteError::CannotHold { .. }) && e.to_string().contains("there is no X"), "{e}");
    assert!(!path.exists());
}

#[test]
fn what_loompy_cannot_open_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.loom");
    for (name, what) in [("no_cells.loom", "there are no cells"), ("no_genes.loom", "there are no genes")] {
        let d = read(&fixtures().join("loom").join(name));
        let e = scx::io::save(&d, Format::Loom, &path, false, &WriteOptions::default()).unwrap_err();
        let text = e.to_string();
        assert!(matches!(e, WriteError::CannotHold { .. }) && text.contains(what), "{text}");
        assert!(text.contains("write h5ad instead") && !path.exists(), "{text}");
    }
}
