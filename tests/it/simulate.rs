//! `scx simulate`: cells from parameters and from a file, the truth beside them, and what is refused.

use scx::data::counts;
use scx::data::{Column, Dataset, Matrix, Uns, Values};
use scx::progress::Silent;
use scx::rng::Seed;
use scx::simulate::splat::{LibraryLaw, SplatParams, estimate, simulate};

use crate::support::{Dir, files, real, values};

/// Parameters of a small experiment in two groups.
const PARAMS: &str = "\
n_cells: 150
n_genes: 300
library: {law: log-normal, location: 8.0, scale: 0.3}
groups:
- {name: A, proportion: 2.0}
- {name: B, proportion: 1.0, de: {probability: 0.4, scale: 0.8}}
";

fn params() -> Dir {
    let dir = Dir::new();
    dir.write("p.yaml", PARAMS);
    dir
}

fn numbers(column: Option<&Column>) -> Vec<f64> {
    let Some(Column::Numbers(Values::F64(v))) = column else { panic!("{column:?}") };
    v.clone()
}

fn record(d: &Dataset) -> serde_json::Value {
    let Some(Uns::Map(scx)) = d.uns.get("scx") else { panic!() };
    let Some(Uns::Map(log)) = scx.get("log") else { panic!() };
    let Some(Uns::String(text)) = log.values().next() else { panic!() };
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_parameter_file_becomes_cells_with_their_truth() {
    let dir = params();
    let run = dir.scx("simulate --params p.yaml -o out.h5ad --seed 3 --json").ok();
    let json = run.json();
    assert_eq!(json["result"]["n_obs"], 150);
    assert_eq!(json["params"]["groups"][1]["de"]["down"], 0.5);
    let d = dir.open("out.h5ad");
    assert_eq!((d.n_obs(), d.n_vars()), (150, 300));
    assert!(
        d.obs.index.get(149).as_deref() == Some("Cell150") && d.var.index.get(0).as_deref() == Some("Gene1")
    );
    let x = values(d.x.as_ref().unwrap());
    assert!(x.iter().all(|v| v.fract() == 0.0 && *v >= 0.0));
    // Libraries are those expected, but for counting and the variation of genes.
    let expected: f64 = numbers(d.obs.column("expected_library_size")).iter().sum();
    assert!((x.sum() / expected - 1.0).abs() < 0.1);
    let (_, names) = d.obs.column("group").unwrap().groups().unwrap();
    assert_eq!(names, ["A", "B"]);
    let different = |name: &str| numbers(d.var.column(name)).iter().filter(|f| **f != 1.0).count();
    assert!((10..60).contains(&different("de_factor_A")), "{}", different("de_factor_A"));
    assert!((90..150).contains(&different("de_factor_B")), "{}", different("de_factor_B"));
    let record = record(&d);
    assert_eq!((&record["verb"], &record["settings"]["seed"]), (&"simulate".into(), &3.into()));
    assert_eq!(record["inputs"][0]["name"], "p.yaml");
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let dir = params();
    for threads in [1, 2] {
        dir.scx(&format!("simulate splat --params p.yaml -o {threads}.h5ad --threads {threads} --seed 4"))
            .ok();
        dir.scx(&format!("simulate --like {threads}.h5ad -o l{threads}.h5ad --threads {threads} --groups 2"))
            .ok();
    }
    assert!(dir.bytes("1.h5ad") == dir.bytes("2.h5ad"));
    // The name of the input is part of the record; the numbers are the same.
    assert_eq!(
        values(dir.open("l1.h5ad").x.as_ref().unwrap()),
        values(dir.open("l2.h5ad").x.as_ref().unwrap())
    );
    dir.scx("simulate --params p.yaml -o other.h5ad --seed 5").ok();
    assert!(
        values(dir.open("other.h5ad").x.as_ref().unwrap()) != values(dir.open("1.h5ad").x.as_ref().unwrap())
    );
}

#[test]
fn parameters_come_from_counts_wherever_they_are_and_can_be_kept() {
    let dir = params();
    dir.scx("simulate --params p.yaml -o real.h5ad").ok();
    // Logarithms in X, counts in a layer.
    let mut d = dir.open("real.h5ad");
    let x = values(d.x.as_ref().unwrap());
    d.layers.insert("counts".into(), d.x.take().unwrap());
    let logs = Values::F32(x.iter().map(|v| v.ln_1p() as f32).collect());
    let dense = scx::data::Dense::new(150, 300, logs).unwrap();
    d.x = Some(Matrix::Dense(dense));
    dir.save("logged.h5ad", &d);
    let run = dir
        .scx("simulate --like logged.h5ad -o a.h5ad --n-cells 90 --groups 0.5,0.3,0.2 --save-params a.yaml")
        .ok();
    run.says(&["counts taken from layers[\"counts\"]"]);
    assert!(run.stdout.contains("90 cells × 300 genes") && run.stdout.contains("Group3"), "{}", run.stdout);
    let found: SplatParams = serde_yaml::from_str(&String::from_utf8(dir.bytes("a.yaml")).unwrap()).unwrap();
    assert_eq!((found.n_cells, found.n_genes, found.groups.len()), (90, 300, 3));
    let LibraryLaw::LogNormal { location, .. } = found.library else { panic!("{found:?}") };
    assert!((location - 8.0).abs() < 0.1, "{location}");
    // What was kept makes the same cells again.
    dir.scx("simulate --params a.yaml -o b.h5ad").ok();
    assert_eq!(
        values(dir.open("a.h5ad").x.as_ref().unwrap()),
        values(dir.open("b.h5ad").x.as_ref().unwrap())
    );
    dir.scx("simulate --like logged.h5ad --layer counts -o mtx --n-cells 20").ok();
    assert_eq!(dir.open("mtx").n_obs(), 20);
}

#[test]
fn options_come_from_a_file_too_and_a_dry_run_writes_nothing() {
    let dir = params();
    let printed = dir.scx("simulate --params p.yaml -o out.h5ad --n-cells 40 --seed 9 --print-config").ok();
    dir.write("job.yaml", &printed.stdout);
    let before = dir.contents();
    let dry = dir.scx("simulate --config job.yaml --n-genes 77 --dry-run").ok();
    assert!(dry.stdout.contains("40 cells × 77 genes"), "{}", dry.stdout);
    dir.is_as(&before);
    dir.scx("simulate --config job.yaml --dropout experiment").ok();
    let d = dir.open("out.h5ad");
    assert_eq!(
        (d.n_obs(), record(&d)["settings"]["params"]["dropout"]["kind"].as_str()),
        (40, Some("experiment"))
    );
}

#[test]
fn what_cannot_be_done_is_refused() {
    let dir = params();
    dir.refuses(3, "simulate --like none.h5ad -o o.h5ad", &["none.h5ad"]);
    dir.refuses(3, "simulate --params none.yaml -o o.h5ad", &["none.yaml", "cannot read"]);
    dir.refuses(2, "simulate --like p.yaml --params p.yaml -o o.h5ad", &["--like", "--params"]);
    dir.refuses(2, "simulate -o o.h5ad", &["--like IN", "--params FILE"]);
    dir.refuses(2, "simulate --params p.yaml", &["-o OUT"]);
    dir.refuses(2, "simulate --params p.yaml -o o.h5ad --groups 0", &["--groups 0"]);
    dir.refuses(2, "simulate --params p.yaml -o o.h5ad --n-cells 0", &["n_cells: 0"]);
    dir.refuses(2, "simulate --params p.yaml -o o.h5ad --layer counts", &["--layer"]);
    dir.refuses(2, "simulate --params p.yaml -o p.yaml --to h5ad", &["is an input"]);
    dir.write("bad.yaml", "n_cells: 5\nbcv: {common: -1, df: 60}\n");
    dir.refuses(2, "simulate --params bad.yaml -o o.h5ad", &["bad.yaml", "bcv.common: -1"]);
    dir.write("odd.yaml", "cells: 5\n");
    dir.refuses(2, "simulate --params odd.yaml -o o.h5ad", &["odd.yaml", "cells"]);
}

#[test]
fn cells_without_counts_are_refused() {
    let dir = files();
    dir.refuses(3, "simulate --like s.fcs -o o.h5ad", &["raw counts are needed"]);
}

#[test]
fn more_counts_than_memory_allows_are_refused() {
    let dir = params();
    dir.refuses(
        5,
        "simulate --params p.yaml -o o.h5ad --n-cells 200000 --n-genes 2000 --memory 64M",
        &["--memory"],
    );
}

/// On real cells: as many zeros, and libraries as large, as those the parameters were estimated from.
#[test]
fn cells_like_real_ones_have_their_zeros_and_libraries() {
    let Some(path) = real("h5ad/pbmc68k_700cells_counts_layer.h5ad") else { return };
    let d = scx::io::open(&path, &scx::io::ReadOptions::default()).unwrap();
    let mut taken = counts::find(&d, &counts::Wanted::default()).unwrap();
    let counts = counts::read(&d, &mut taken, 1 << 30, &std::env::temp_dir()).unwrap();
    let params = estimate(&counts, Seed(0)).unwrap();
    let made = simulate(&params, Seed(1), 1 << 30, &Silent).unwrap().counts;
    let zeros = |c: &scx::data::Counts| 1.0 - c.nnz() as f64 / (c.n_cells() * c.n_genes()) as f64;
    // A log-normal law is fitted to libraries: their geometric mean is its own, their mean need not be.
    let mean = |c: &scx::data::Counts| {
        (c.totals().iter().map(|&t| (t as f64).ln()).sum::<f64>() / c.n_cells() as f64).exp()
    };
    // The genes of this file were chosen for their variance, which no gamma law of means knows of.
    assert!((zeros(&made) - zeros(&counts)).abs() < 0.1, "{} {}", zeros(&made), zeros(&counts));
    assert!((mean(&made) / mean(&counts) - 1.0).abs() < 0.1, "{} {}", mean(&made), mean(&counts));
}

/// Splat label by label, SUGAR as a whole population; stored ones need no data.
#[test]
fn splat_and_sugar_generate_cells_like_those_of_a_file() {
    let dir = params();
    dir.scx("simulate --params p.yaml -o real.h5ad").ok();
    for model in ["splat", "sugar"] {
        dir.scx(&format!(
            "generate real.h5ad --model {model} --cluster-key group --n 60 -o {model}.h5ad --save-model {model}"
        ))
        .ok();
        let d = dir.open(&format!("{model}.h5ad"));
        assert_eq!((d.n_obs(), d.n_vars()), (60, 300), "{model}");
        let (codes, names) = d.obs.column("group").unwrap().groups().unwrap();
        let a = codes.iter().filter(|c| c.is_some_and(|c| names[c] == "A")).count();
        assert!((25..55).contains(&a), "{model}: {a}");
        dir.scx(&format!("generate --model-dir {model} --n 10 -o {model}10.h5ad")).ok();
        let x = values(dir.open(&format!("{model}10.h5ad")).x.as_ref().unwrap());
        assert!(x.nrows() == 10 && x.iter().all(|v| v.fract() == 0.0) && x.sum() > 10_000.0, "{model}");
    }
    dir.refuses(
        2,
        "augment real.h5ad --model sugar --cluster-key group --cluster A --n 5 -o o.h5ad",
        &["cannot be asked for a label"],
    );
}
