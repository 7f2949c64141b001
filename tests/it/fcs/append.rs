//! What is known of cells as channels of an FCS file.

use std::process::Command;

use scx::data::{Annotation, Categorical, Categories};

use super::*;
use crate::support::{Dir, SCX};

/// Four cells of two genes with columns and arrays of every kind.
fn cells() -> Dataset {
    let names = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let category = |codes: &[i32], all: &[&str]| {
        let categories = Categories::Strings(names(all));
        Column::Categorical(Categorical { codes: codes.to_vec(), categories, ordered: false })
    };
    let mut d = table(Values::F32((0..8).map(|i| i as f32).collect()), &["CD3", "CD4"]);
    let index = Index::names(names(&["a", "b", "c", "d"]));
    d.obs = Frame::new(index.clone())
        .with("leiden", category(&[1, 0, -1, 1], &["10", "2"]))
        .with("type", category(&[2, 0, -1, 2], &["T", "unused", "B"]))
        .with(
            "note",
            Column::NullableStrings(
                [Some("x"), None, Some("b|y"), Some("x")].map(|t| t.map(String::from)).to_vec(),
            ),
        )
        .with("total_counts", Column::Numbers(Values::F64(vec![0.1, 2.0, f64::NAN, 4.0])))
        .with("flag", Column::Numbers(Values::Bool(vec![true, false, true, false])))
        .with(
            "n",
            Column::Nullable {
                values: Values::I64(vec![1, 2, 3, 4]),
                missing: vec![false, true, false, false],
            },
        );
    let umap = Dense::new(4, 2, Values::F32(vec![0.5, -1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5])).unwrap();
    d.obsm.insert("X_umap".into(), Annotation::Matrix(Matrix::Dense(umap)));
    let frame = Frame::new(index).with("first", Column::Numbers(Values::F32(vec![9.0, 8.0, 7.0, 6.0])));
    d.obsm.insert("frame".into(), Annotation::Frame(frame));
    d
}

fn column(d: &Dataset, name: &str) -> Vec<f64> {
    let i = d.var.index.iter().position(|n| n == name).unwrap_or_else(|| panic!("no {name}"));
    rows(d).iter().map(|r| r[i]).collect()
}

const ALL: &str = "obs:leiden,obs:type,obs:note,obs:total_counts,obs:flag,obs:n,obsm:X_umap,obsm:frame";

#[test]
fn columns_and_arrays_become_channels_that_are_known_not_to_be_measured() {
    let dir = Dir::new();
    dir.save("in.h5ad", &cells());
    let run = dir.scx(&format!("convert in.h5ad out.fcs --json --append {ALL}")).ok().json();
    let fate = |element: &str| {
        let all = run["elements"].as_array().unwrap();
        all.iter().find(|e| e["element"] == element).unwrap().clone()
    };
    for element in ["obs[\"leiden\"]", "obs[\"flag\"]", "obsm[\"X_umap\"]", "obsm[\"frame\"]", "obs[\"n\"]"] {
        assert_ne!(fate(element)["fate"], "left", "{element}");
        assert_ne!(fate(element)["lossy"], true, "{element}");
    }
    // Names of cells are lost, and nothing else.
    assert_eq!(run["lost"], 1, "{run}");
    let d = dir.open("out.fcs");
    let names: Vec<String> = d.var.index.iter().map(|n| n.into_owned()).collect();
    let new = ["leiden", "type", "note", "total_counts", "flag", "n", "X_umap_1", "X_umap_2", "first"];
    assert_eq!(names, [&["CD3", "CD4"][..], &new].concat());
    assert_eq!(texts(&d, "marker")[2..], new);
    assert_eq!(column(&d, "CD4"), [1.0, 3.0, 5.0, 7.0]);
    let same = |name: &str, want: [f64; 4]| {
        let found = column(&d, name);
        let equal = found.iter().zip(want).all(|(a, b)| *a == b || (a.is_nan() && b.is_nan()));
        assert!(equal, "{name}: {found:?}");
    };
    // Whole numbers are themselves, texts are numbered from 1 in their order, 0 where missing.
    same("leiden", [2.0, 10.0, f64::NAN, 2.0]);
    same("type", [3.0, 1.0, 0.0, 3.0]);
    same("note", [2.0, 0.0, 1.0, 2.0]);
    same("total_counts", [0.1, 2.0, f64::NAN, 4.0]);
    same("flag", [1.0, 0.0, 1.0, 0.0]);
    same("n", [1.0, f64::NAN, 3.0, 4.0]);
    same("X_umap_2", [-1.5, 3.5, 5.5, 7.5]);
    same("first", [9.0, 8.0, 7.0, 6.0]);
    assert_eq!(keyword(&d, "SCX_P4LEVELS"), Some(r#"["T","unused","B"]"#));
    assert_eq!(keyword(&d, "SCX_P5LEVELS"), Some(r#"["b|y","x"]"#));
    assert_eq!((keyword(&d, "SCX_P3ROLE"), keyword(&d, "SCX_P9ROLE")), (Some("obs"), Some("obsm")));
    assert_eq!((keyword(&d, "SCX_P2ROLE"), keyword(&d, "SCX_P3LEVELS")), (None, None));
    let marks = |d: &Dataset| texts(d, "appended");
    let want: Vec<&str> = (0..11).map(|i| if i < 2 { "False" } else { "True" }).collect();
    assert_eq!(marks(&d), want);
    // They stay marked on every way, whatever channels are left.
    dir.scx("convert out.fcs way.h5ad").ok();
    dir.scx("convert way.h5ad back.fcs").ok();
    assert_eq!(marks(&dir.open("back.fcs")), want);
    assert_eq!(keyword(&dir.open("back.fcs"), "SCX_P4LEVELS"), Some(r#"["T","unused","B"]"#));
}

#[test]
fn whole_numbers_beside_whole_numbers_stay_so_and_floats_make_the_file_linear() {
    let dir = Dir::new();
    let mut d = read("log_amplifier.fcs");
    let n = d.n_obs();
    let linear = rows(&scx::data::linear(d.clone()).unwrap());
    d.obs.set("cluster", Column::Numbers(Values::I32((0..n as i32).collect())));
    d.obs.set("score", Column::Numbers(Values::F32((0..n).map(|i| i as f32 / 4.0).collect())));
    dir.save("in.h5ad", &d);
    dir.scx("convert in.h5ad whole.fcs --append obs:cluster").ok();
    let whole = dir.open("whole.fcs");
    assert_eq!((keyword(&whole, "$DATATYPE"), keyword(&whole, "$P4E")), (Some("I"), Some("0,0")));
    assert_eq!(texts(&whole, "pne")[..3], texts(&d, "pne"));
    let first = |d: &Dataset, k: usize| rows(d).iter().map(|r| r[..k].to_vec()).collect::<Vec<_>>();
    assert_eq!(first(&whole, 3), rows(&read("log_amplifier.fcs")));
    assert_eq!(column(&whole, "cluster"), (0..n).map(|i| i as f64).collect::<Vec<_>>());
    dir.scx("convert in.h5ad float.fcs --append obs:cluster,obs:score").ok();
    let float = dir.open("float.fcs");
    assert_eq!((first(&float, 3), texts(&float, "pne")), (linear, vec!["0,0".to_owned(); 5]));
}

#[test]
fn what_is_not_there_or_has_no_place_is_refused_before_anything_is_written() {
    let dir = Dir::new();
    dir.save("in.h5ad", &cells());
    let convert = |what: &str| format!("convert in.h5ad out.fcs --append {what}");
    dir.refuses(2, &convert("obs:leidn"), &["obs:leidn", "did you mean leiden?", "total_counts"]);
    dir.refuses(2, &convert("obsm:umap"), &["obsm:umap", "X_umap"]);
    dir.refuses(2, &convert("leiden"), &["expected obs:COLUMN or obsm:ARRAY"]);
    dir.refuses(2, &convert("obs:leiden,obs:leiden"), &["a channel leiden already"]);
    dir.refuses(2, &(convert("obs:leidn") + " --dry-run"), &["did you mean leiden?"]);
    dir.refuses(2, "convert in.h5ad out.loom --append obs:leiden", &["--append", "loom", "write FCS"]);
    let mut d = cells();
    let id = (0..4).map(|i| i64::MAX - i).collect();
    d.obs.set("id", Column::Numbers(Values::I64(id)));
    dir.save("id.h5ad", &d);
    dir.refuses(
        5,
        "convert id.h5ad out.fcs --append obs:id",
        &["obs:id", "9223372036854775807", "not exact"],
    );
}

#[test]
fn any_verb_that_writes_fcs_appends_and_flowio_reads_it() {
    let dir = Dir::new();
    let mut d = cells();
    d.obs.set("type", Column::Strings(["T", "B", "T", "T"].map(String::from).to_vec()));
    dir.save("a.h5ad", &d);
    dir.save("b.h5ad", &d);
    dir.scx("concat a.h5ad b.h5ad -o both.fcs --on-duplicate suffix --append obs:batch,obs:type,obsm:X_umap")
        .ok();
    let both = dir.open("both.fcs");
    assert_eq!(column(&both, "batch"), [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
    assert_eq!(column(&both, "X_umap_1")[4..], [0.5, 2.5, 4.5, 6.5]);
    let Some(python) = std::env::var_os("SCX_PYTHON") else {
        println!("skipped: SCX_PYTHON is not set ({SCX})");
        return;
    };
    let script = "import sys, flowio\nf = flowio.FlowData(sys.argv[1])\nprint(f.pnn_labels, f.as_array()[:, 2].tolist())";
    let run = Command::new(&python).args(["-c", script]).arg(dir.path("both.fcs")).output().unwrap();
    let stdout = String::from_utf8_lossy(&run.stdout);
    assert_eq!(
        stdout.trim(),
        "['CD3', 'CD4', 'batch', 'type', 'X_umap_1', 'X_umap_2'] [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]",
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
