//! `scx evaluate generation` from files to verdict.

use scx::data::{Dataset, Dense, Frame, Index, Matrix, Values};
use serde_json::Value;

use super::{dataset, marked, simulate};
use crate::support::Dir;

const JUDGE: &str =
    "evaluate generation --real test.h5ad --synthetic made.h5ad --train train.h5ad --trees 40 --quiet";

/// A folder with `test.h5ad`, `train.h5ad` and `made.h5ad`, the last as real as the others.
fn files() -> Dir {
    let dir = Dir::new();
    for (name, n, seed) in [("test.h5ad", 120, 1), ("train.h5ad", 260, 2), ("made.h5ad", 150, 3)] {
        dir.save(name, &dataset(&simulate(n, true, seed)));
    }
    dir
}

fn auc(set: &Value) -> f64 {
    set["detection"][0]["auc"].as_f64().unwrap()
}

#[test]
fn cells_as_real_as_others_are_usable_and_loose_ones_are_told_apart() {
    let dir = files();
    dir.save("loose.h5ad", &dataset(&simulate(150, false, 4)));
    let result = |made: &str| {
        let run = dir.scx(&format!("{JUDGE} --json").replace("made.h5ad", made)).ok();
        assert_eq!(run.stderr, "");
        run.json()["result"].clone()
    };
    let (good, poor) = (result("made.h5ad"), result("loose.h5ad"));
    assert_eq!(good["verdict"]["usable"], true, "{:#}", good["verdict"]);
    assert!(auc(&good["generated"]) < 0.65 && auc(&good["ceiling"]) < 0.65);
    let (loose, real) = (auc(&poor["generated"]), auc(&good["generated"]));
    assert!(loose > real + 0.05, "{loose} {real}");
    assert_eq!(good["schema_version"], 1);
    assert_eq!((&good["generated"]["compared"], &good["ceiling"]["compared"]), (&120.into(), &120.into()));
    assert_eq!(good["genes"]["common"], 60);
    assert_eq!(good["generated"]["memorisation"]["copies"], 0);
    // Four forests: components and genes, scaled and as they are.
    assert_eq!(good["generated"]["detection"].as_array().unwrap().len(), 4);
    let kinds: Vec<&Value> = good["baselines"].as_array().unwrap().iter().map(|b| &b["kind"]).collect();
    assert!(kinds.contains(&&Value::from("copies")), "{kinds:?}");
    let again = good["baselines"].as_array().unwrap().iter().find(|b| b["kind"] == "copies").unwrap();
    assert_eq!(again["memorisation"]["copies"], again["memorisation"]["of"]);
}

#[test]
fn people_get_a_table_a_verdict_and_a_page() {
    let dir = files();
    let run = dir.scx(&JUDGE.replace("--quiet", "--report page.html")).ok();
    for text in ["150 generated cells against 120 real test cells", "AUC, components", "Verdict: ", "MMD²"] {
        assert!(run.stdout.contains(text), "no {text} in {}", run.stdout);
    }
    run.says(&["counts from X of test.h5ad", "60 genes in common", "obs[\"cell_type\"]", "wrote page.html"]);
    let page = String::from_utf8(dir.bytes("page.html")).unwrap();
    for id in ["id=\"cloud-t\"", "id=\"roc-t\"", "id=\"triangle-t\"", "id=\"violin-1-t\"", "id=\"zeros-t\""] {
        assert!(page.contains(id), "{id}");
    }
    assert!(!page.contains("NaN") && !page.contains("<script"));
    dir.refuses(2, &JUDGE.replace("--quiet", "--report page.html"), &["page.html", "--force"]);
    dir.refuses(2, &JUDGE.replace("--quiet", "--report test.h5ad --force"), &["is an input"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let dir = files();
    let on = |threads: usize| {
        let run = format!("{JUDGE} --json --trees 10 --threads {threads} --seed 3 --report {threads}.html");
        dir.scx(&run.replace("--trees 40 ", "")).ok().stdout
    };
    assert_eq!(on(1), on(2));
    assert!(dir.bytes("1.html") == dir.bytes("2.html"));
}

#[test]
fn one_file_may_hold_real_and_generated_cells_and_genes_any_order() {
    let dir = files();
    // Generated cells at even places of the same file; its genes are turned round.
    let mut both = simulate(150, true, 5);
    both.append(&simulate(150, true, 6));
    let mut turned = scx::data::Counts::empty(60);
    for c in 0..300 {
        let (genes, values) = both.cell(c);
        turned.push(genes.iter().zip(values).rev().map(|(g, v)| (59 - g, *v)));
    }
    let mut d = marked(dataset(&turned), |i| i < 150);
    d.var = Frame::new(Index::names((0..60).rev().map(|g| format!("gene{g}")).collect()));
    dir.save("both.h5ad", &d);
    let run =
        dir.scx(&format!("{JUDGE} --json").replace("made.h5ad", "both.h5ad").replace("--quiet", "")).ok();
    run.says(&["150 of 300 cells are generated", "60 genes in common"]);
    let result = &run.json()["result"];
    assert_eq!(result["generated"]["cells"], 150);
    assert!(auc(&result["generated"]) < 0.65, "{}", auc(&result["generated"]));
    // As the real side, the others are taken.
    let run = dir.scx(&format!("{JUDGE} --json").replace("test.h5ad", "both.h5ad")).ok();
    assert_eq!(run.json()["result"]["test_cells"], 150);
}

#[test]
fn one_cluster_alone_and_files_without_types() {
    let dir = files();
    let run = dir.scx(&format!("{JUDGE} --json --cluster b --no-gene-forests --no-baselines")).ok();
    let result = &run.json()["result"];
    assert_eq!((&result["cluster"], &result["test_cells"]), (&"b".into(), &40.into()));
    assert_eq!(result["generated"]["detection"].as_array().unwrap().len(), 2);
    assert_eq!(result["baselines"].as_array().unwrap().len(), 0);
    let plain = |n, seed| {
        let mut d = dataset(&simulate(n, true, seed));
        d.obs.columns.clear();
        d
    };
    dir.save("a.h5ad", &plain(60, 7));
    dir.save("b.h5ad", &plain(60, 8));
    let run = dir.scx("evaluate generation --real a.h5ad --synthetic b.h5ad --trees 20 --json").ok();
    run.says(&["no types of cells"]);
    let result = &run.json()["result"];
    assert!(result["ceiling"].is_null() && result["generated"]["types"].is_null());
    assert_eq!(result["fitted_on"], "test cells");
}

fn with_x(values: Values, n: usize) -> Dataset {
    let mut d = dataset(&simulate(n, true, 9));
    d.x = Some(Matrix::Dense(Dense::new(n, 60, values).unwrap()));
    d
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let dir = files();
    let base = JUDGE.replace("--quiet", "");
    let with = |made: &str| base.replace("made.h5ad", made);
    let mut other = dataset(&simulate(60, true, 9));
    other.var = Frame::new(Index::names((0..60).map(|g| format!("ENSG{g}")).collect()));
    dir.save("other.h5ad", &other);
    dir.refuses(3, &with("other.h5ad"), &["no genes in common", "ENSG0", "gene0"]);
    dir.save("logs.h5ad", &with_x(Values::F32((0..3600).map(|i| (i % 7) as f32 * 0.37).collect()), 60));
    dir.refuses(3, &with("logs.h5ad"), &["logs.h5ad", "raw counts are needed"]);
    let mut bad = vec![1.0f32; 3600];
    bad[61] = -2.0;
    dir.save("bad.h5ad", &with_x(Values::F32(bad), 60));
    dir.refuses(3, &with("bad.h5ad"), &["bad.h5ad"]);
    dir.refuses(2, &format!("{base} --cluster z"), &["no cluster z", "a (40), b (40), c (40)"]);
    dir.refuses(2, &format!("{base} --cluster-key kind"), &["no column kind", "cell_type"]);
    for trees in ["0", "1000000000000000"] {
        let line = format!("{base} --trees {trees}").replace("--trees 40", "");
        dir.refuses(2, &line, &["--trees", "1 to 100000", trees]);
    }
    dir.refuses(2, &format!("{base} --layer counts"), &["layers[\"counts\"]"]);
    dir.refuses(3, &with("nothing.h5ad"), &["nothing.h5ad"]);
    dir.save("few.h5ad", &dataset(&simulate(4, true, 10)));
    dir.refuses(3, &with("few.h5ad"), &["4 cells"]);
    dir.save("none.h5ad", &marked(dataset(&simulate(60, true, 11)), |_| false));
    dir.refuses(3, &with("none.h5ad"), &["no cell is marked", "is_synthetic"]);
}

/// `layers["counts"]` comes before X, and the choice is said.
#[test]
fn counts_are_found_where_they_are() {
    let dir = files();
    let mut d = dataset(&simulate(150, true, 3));
    d.layers.insert("counts".into(), d.x.clone().unwrap());
    d.x = Some(Matrix::Dense(Dense::new(150, 60, Values::F32(vec![0.5; 9000])).unwrap()));
    dir.save("layered.h5ad", &d);
    let json = |made: &str| dir.scx(&format!("{JUDGE} --json").replace("made.h5ad", made)).ok().json();
    let (a, b) = (json("layered.h5ad"), json("made.h5ad"));
    assert_eq!(a["inputs"][1]["counts_from"], "layers[\"counts\"]");
    assert_eq!(a["result"], b["result"]);
}
