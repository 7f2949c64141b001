//! The command: names of batches and cells, refusals, FCS panels, what is said.

use scx::data::{Column, Dataset, Dense, Frame, Index, Matrix, Values};

use super::anndata::inputs;
use crate::support::Dir;

fn names(d: &Dataset) -> Vec<String> {
    d.obs.index.iter().map(|n| n.into_owned()).collect()
}

#[test]
fn cells_of_one_name_are_refused_unless_told_how_to_rename_them() {
    let dir = inputs();
    let says = ["2 names of cells repeat (c3, c4)", "--on-duplicate suffix", "prefix"];
    dir.refuses(2, "concat a.h5ad b.h5ad -o o.h5ad", &says);
    dir.scx("concat a.h5ad b.h5ad -o o.h5ad --on-duplicate prefix --batch-names x,y").ok();
    assert_eq!(names(&dir.open("o.h5ad"))[4..6], ["x_c4", "y_c3"]);
    // Without a repeated name, names stay as they are.
    dir.scx("concat a.h5ad c.h5ad -o p.h5ad --on-duplicate suffix").ok();
    assert_eq!(names(&dir.open("p.h5ad"))[4..6], ["c4", "c10"]);
}

#[test]
fn batches_are_called_after_their_files_and_made_unique() {
    let dir = inputs();
    std::fs::create_dir(dir.path("other")).unwrap();
    std::fs::copy(dir.path("c.h5ad"), dir.path("other/a.h5ad")).unwrap();
    dir.scx("concat a.h5ad other/a.h5ad -o o.h5ad --batch-key donor").ok();
    let d = dir.open("o.h5ad");
    let (_, labels) = d.obs.column("donor").unwrap().groups().unwrap();
    assert_eq!(labels, ["a", "other_a"]);
    dir.refuses(2, "concat a.h5ad c.h5ad -o p.h5ad --batch-names x", &["1 names for 2 files"]);
    dir.refuses(2, "concat a.h5ad c.h5ad -o p.h5ad --batch-names x,x", &["x comes twice"]);
    dir.refuses(2, "concat a.h5ad c.h5ad -o p.h5ad --batch-key type", &["a.h5ad", "a column type already"]);
    dir.refuses(2, "concat a.h5ad -o p.h5ad", &["at least two files"]);
    dir.refuses(2, "concat a.h5ad c.h5ad -o c.h5ad --force", &["c.h5ad: is an input"]);
    dir.refuses(
        2,
        "concat a.h5ad c.h5ad -o p.h5ad --layer nothing",
        &["no file has a layer nothing", "counts"],
    );
}

#[test]
fn what_is_left_behind_is_said_before_and_after() {
    let dir = inputs();
    let run = dir.scx("concat a.h5ad c.h5ad -o o.h5ad").ok();
    run.says(&[
        "obs[\"only_a\"]: left behind: not in 1 of 2 files",
        "layers[\"counts\"]: left behind: not in c.h5ad",
    ]);
    run.says(&["raw: left behind: not in c.h5ad", "uns[\"group\"][\"other\"]: left behind: files differ"]);
    let before = dir.contents();
    let json = dir.scx("concat a.h5ad c.h5ad -o p.h5ad --dry-run --json").ok().json();
    dir.is_as(&before);
    assert_eq!(
        (json["verb"].as_str(), json["n_obs"].as_u64(), json["n_vars"].as_u64()),
        (Some("concat"), Some(8), Some(3))
    );
    let changes = json["changes"].as_array().unwrap();
    assert!(changes.iter().any(|c| c["element"] == "raw"), "{changes:?}");
    let first = dir.bytes("o.h5ad");
    dir.scx("concat a.h5ad c.h5ad -o o.h5ad --force -q").ok();
    assert!(first == dir.bytes("o.h5ad"), "the bytes do not repeat");
    // A result can be put below another; what happened to its parts stays known.
    let more = "--batch-key again --on-duplicate suffix";
    dir.scx(&format!("concat o.h5ad b.h5ad -o q.h5ad {more}")).ok();
    let Some(scx::data::Uns::Map(scx)) = dir.open("q.h5ad").uns.remove("scx") else { panic!() };
    assert!(scx.contains_key("inputs") && scx.contains_key("log"), "{scx:?}");
}

fn events(channels: &[&str], first: f32) -> Dataset {
    let n = channels.len();
    let var = Frame::new(Index::names(channels.iter().map(|s| (*s).to_owned()).collect()))
        .with("marker", Column::Strings(channels.iter().map(|s| format!("{s} marker")).collect()));
    let mut d = Dataset::new(Frame::new(Index::Range(3)), var);
    d.x = Some(Matrix::Dense(
        Dense::new(3, n, Values::F32((0..3 * n).map(|i| first + i as f32).collect())).unwrap(),
    ));
    d
}

#[test]
fn fcs_files_of_one_panel_join_and_of_different_panels_only_when_told_how() {
    let dir = Dir::new();
    dir.save("1.fcs", &events(&["A", "B", "Time"], 0.0));
    dir.save("2.fcs", &events(&["Time", "A", "B"], 100.0));
    dir.save("3.fcs", &events(&["A", "C", "Time"], 200.0));
    dir.scx("concat 1.fcs 2.fcs -o o.h5ad").ok();
    let d = dir.open("o.h5ad");
    assert_eq!((d.n_obs(), d.n_vars()), (6, 3));
    let x = crate::support::x(&dir, "o.h5ad");
    assert_eq!(x.row(3).to_vec(), [101.0, 102.0, 100.0]);
    assert_eq!(names(&d), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(d.var.column("marker").unwrap().text(1).as_deref(), Some("B marker"));

    let says = ["different panels", "file 3: 3.fcs", "B  x  x  –", "C  –  –  x", "--join inner"];
    dir.refuses(2, "concat 1.fcs 2.fcs 3.fcs -o p.h5ad", &says);
    dir.scx("concat 1.fcs 2.fcs 3.fcs -o p.h5ad --join inner").ok();
    assert_eq!(names(&dir.open("p.h5ad")).len(), 9);
    dir.scx("concat 1.fcs 3.fcs -o q.h5ad --join outer").ok();
    let x = crate::support::x(&dir, "q.h5ad");
    assert_eq!(x.dim(), (6, 4));
    assert!(x[(0, 3)].is_nan() && x[(3, 1)].is_nan() && x[(3, 3)] == 201.0, "{x}");
}

#[test]
fn files_without_a_common_gene_or_with_x_in_some_only_are_refused() {
    let dir = inputs();
    dir.refuses(
        2,
        "concat a.h5ad d1.h5ad -o o.h5ad --on-duplicate suffix",
        &["no variable is in all files", "outer"],
    );
    let mut d = dir.open("c.h5ad");
    d.x = None;
    dir.save("no_x.h5ad", &d);
    dir.refuses(2, "concat a.h5ad no_x.h5ad -o o.h5ad", &["no_x.h5ad: X is absent"]);
    dir.write("t.csv", ",g1,g3\nn1,4,5\nn2,6,7\n");
    dir.scx("concat a.h5ad t.csv -o t.h5ad").ok();
    let x = crate::support::x(&dir, "t.h5ad");
    assert_eq!((x.nrows(), x.row(6).to_vec()), (7, vec![6.0, 7.0]));
}

/// One variable, with these values for cells of this name.
fn column_of(cell: &str, values: Values) -> Dataset {
    let n = values.len();
    let obs = Frame::new(Index::names((0..n).map(|i| format!("{cell}{i}")).collect()));
    let mut d = Dataset::new(obs, Frame::new(Index::names(vec!["g".into()])));
    d.x = Some(Matrix::Dense(Dense::new(n, 1, values).unwrap()));
    d
}

#[test]
fn whole_numbers_of_64_bits_are_never_rounded_and_a_change_of_type_is_told() {
    const BIG: i64 = (1 << 53) + 1;
    let dir = Dir::new();
    dir.save("u.h5ad", &column_of("u", Values::U64(vec![BIG as u64, i64::MAX as u64])));
    dir.save("i.h5ad", &column_of("i", Values::I64(vec![-BIG, i64::MIN])));
    dir.save("small.h5ad", &column_of("s", Values::I64(vec![7, 1 << 53])));
    dir.save("f.h5ad", &column_of("f", Values::F32(vec![0.5])));
    dir.save("top.h5ad", &column_of("t", Values::U64(vec![3, u64::MAX])));

    let told = "int64: uint64 in u.h5ad; int64 in i.h5ad";
    let plan = dir.scx("concat u.h5ad i.h5ad -o o.h5ad --dry-run").ok();
    assert!(plan.stdout.contains(told), "{}", plan.stdout);
    dir.scx("concat u.h5ad i.h5ad -o o.h5ad").ok().says(&[told]);
    let values = |file: &str| {
        let d = dir.open(file);
        let Some(Matrix::OnDisk(m)) = &d.x else { panic!("X of {file} is not on disk") };
        let scx::data::Block::Dense(rows) = m.rows(0..d.n_obs()).unwrap() else { panic!("sparse") };
        rows.values().clone()
    };
    assert_eq!(values("o.h5ad"), Values::I64(vec![BIG, i64::MAX, -BIG, i64::MIN]));

    // What fits may become floats, and is told; what does not is refused before anything is written.
    dir.scx("concat small.h5ad f.h5ad -o f_o.h5ad").ok().says(&["float64: int64 in small.h5ad; float32"]);
    assert_eq!(values("f_o.h5ad"), Values::F64(vec![7.0, (1i64 << 53) as f64, 0.5]));
    let says = ["u.h5ad: X: the value 9007199254740993", "float64", "float32 in f.h5ad", "one type"];
    dir.refuses(5, "concat f.h5ad u.h5ad -o p.h5ad", &says);
    dir.refuses(5, "concat f.h5ad u.h5ad -o p.h5ad --dry-run", &says);
    let says = ["top.h5ad: X: the value 18446744073709551615", "int64"];
    dir.refuses(5, "concat i.h5ad top.h5ad -o p.h5ad", &says);
}
