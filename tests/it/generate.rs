//! Making cells: augment, generate, train, models; what is written, what is repeated, what is refused.

use std::sync::atomic::{AtomicU64, Ordering};

use scx::data::{
    Annotation, Categorical, Categories, Column, Counts, Dataset, Dense, Frame, Index, Matrix, Values,
};
use scx::generate::{self, GenerateError, Material, Sought, Stops, TrainPlan};
use scx::progress::{Progress, Silent};
use scx::rng::Seed;
use scx::zoo::{Length, Preset};
use serde_json::{Value, json};

use crate::support::Dir;

const GENES: usize = 40;

/// Small networks and short runs.
const CONFIG: &str =
    "steps: 60\nminibatch: 32\nsettings:\n  encoder: [16]\n  latent: 4\n  generator: [16]\n  filter: false\n";

/// Three kinds of cells: `big` (90), `small` (60) and `rare` (20); each has genes of its own. Gene 39 is in one cell.
fn counts() -> (Counts, Vec<i32>) {
    let mut s = Seed(11).stream("toy");
    let (mut out, mut kinds) = (Counts::empty(GENES), Vec::new());
    for (kind, n) in [90, 60, 20].into_iter().enumerate() {
        for i in 0..n {
            let size = 0.5 + s.uniform();
            let cell: Vec<(u32, u32)> = (0..GENES as u32)
                .map(|g| {
                    let own = g as usize / 12 == kind;
                    let mean = size * if own { 12.0 } else { 0.6 };
                    let count =
                        if g == 39 { u64::from(kind == 0 && i == 0) } else { s.negative_binomial(mean, 4.0) };
                    (g, count as u32)
                })
                .collect();
            out.push(cell);
            kinds.push(kind as i32);
        }
    }
    (out, kinds)
}

fn names(prefix: &str, n: usize) -> Frame {
    Frame::new(Index::names((0..n).map(|i| format!("{prefix}{i}")).collect()))
}

/// The toy with counts in X, and a column of totals.
pub(crate) fn toy() -> Dataset {
    let (counts, kinds) = counts();
    let labels = Column::Categorical(Categorical {
        codes: kinds,
        categories: Categories::Strings(["big", "small", "rare"].map(String::from).to_vec()),
        ordered: false,
    });
    let totals = counts.totals().iter().map(|&t| t as f64).collect();
    let obs = names("cell", counts.n_cells())
        .with("leiden", labels)
        .with("n_counts", Column::Numbers(Values::F64(totals)))
        .with("donor", Column::Strings(vec!["d".into(); counts.n_cells()]));
    let mut d = Dataset::new(obs, names("gene", GENES));
    d.x = Some(Matrix::Sparse(counts.to_sparse().unwrap()));
    d
}

/// The toy as scanpy users have it: counts in a layer, X normalised and logged.
fn logged() -> Dataset {
    let mut d = toy();
    let (counts, _) = counts();
    let x = counts.log_normalised(10_000.0);
    d.layers.insert("counts".into(), d.x.take().unwrap());
    let n = d.n_obs();
    d.x = Some(Matrix::Dense(Dense::new(n, GENES, Values::F32(x.iter().copied().collect())).unwrap()));
    let places = Dense::new(n, 2, Values::F32(vec![1.0; 2 * n])).unwrap();
    d.obsm.insert("X_pca".into(), Annotation::Matrix(Matrix::Dense(places)));
    d
}

fn folder(dataset: &Dataset) -> Dir {
    let dir = Dir::new();
    dir.save("cells.h5ad", dataset);
    dir.write("small.yaml", CONFIG);
    dir
}

pub(crate) fn dense(m: &Matrix) -> Vec<Vec<f64>> {
    let all: Vec<usize> = (0..m.shape().1).collect();
    let mut out = Vec::new();
    m.columns(&all, &mut |_, block| {
        out.extend(block.rows().into_iter().map(|r| r.to_vec()));
        Ok(())
    })
    .unwrap();
    out
}

pub(crate) fn text(d: &Dataset, column: &str, row: usize) -> Option<String> {
    d.obs.column(column).unwrap().text(row).map(|t| t.into_owned())
}

#[test]
fn new_cells_stand_below_the_real_ones_and_are_marked() {
    let dir = folder(&toy());
    let run = dir
        .scx("augment cells.h5ad --cluster rare --cluster small --n 25 -o more.h5ad --config small.yaml --json --test-fraction 0.3")
        .ok();
    run.says(&["counts from X", "obs[\"leiden\"]", "rare (20)", "39 of 40 genes"]);
    let json = run.json();
    assert_eq!(json["result"]["cells"], 170 + 50);
    assert_eq!(json["result"]["training"]["steps"], 60);
    assert_eq!(json["result"]["made"][0]["label"], "rare");
    let (before, after) = (dir.open("cells.h5ad"), dir.open("more.h5ad"));
    let (a, b) = (dense(before.x.as_ref().unwrap()), dense(after.x.as_ref().unwrap()));
    assert_eq!(a[..], b[..170]);
    assert_eq!(before.x.as_ref().unwrap().dtype(), after.x.as_ref().unwrap().dtype());
    for (i, row) in b.iter().enumerate().skip(170) {
        assert!(row.iter().all(|v| *v >= 0.0 && v.fract() == 0.0) && row.iter().any(|v| *v > 0.0));
        assert_eq!(row[39], 0.0, "a gene that was not modelled");
        assert_eq!(text(&after, "is_synthetic", i).unwrap(), "True");
        assert_eq!(text(&after, "scx_model", i).unwrap(), "activa");
        assert_eq!(text(&after, "leiden", i).unwrap(), if i < 195 { "rare" } else { "small" });
        // A column that is the sum of each cell is one for new cells too; one that is not is missing.
        let total: f64 = row.iter().sum();
        assert_eq!(text(&after, "n_counts", i).unwrap().parse::<f64>().unwrap(), total);
        assert_eq!(text(&after, "donor", i), None);
    }
    assert_eq!(text(&after, "is_synthetic", 0).unwrap(), "False");
    assert_eq!(text(&after, "scx_model", 0), None);
    assert!(!dir.names().iter().any(|n| n.contains("ckpt")), "{:?}", dir.names());
    // The evidence: forests on held-out cells, and what a classifier gains.
    let evidence = &json["result"]["evidence"];
    assert_eq!(evidence["held_out"], 27 + 18 + 6);
    let auc = evidence["generation"]["generated"]["detection"][0]["auc"].as_f64().unwrap();
    assert!((0.4..=1.0).contains(&auc), "{evidence}");
    assert_eq!(evidence["classifier"][0]["label"], "rare");
}

#[test]
fn x_of_new_cells_follows_from_their_counts_or_the_run_is_refused() {
    let dir = folder(&logged());
    let line = "augment cells.h5ad --cluster rare --n 9 --model nb -o";
    let run = dir.scx(&format!("{line} more.h5ad")).ok();
    run.says(&["counts from layers[\"counts\"]"]);
    run.says(&["ln(1 + counts scaled to 10000", "obsm[\"X_pca\"]"]);
    let d = dir.open("more.h5ad");
    let (x, counts) = (dense(d.x.as_ref().unwrap()), dense(&d.layers["counts"]));
    for i in 170..179 {
        let total: f64 = counts[i].iter().sum();
        for (x, c) in x[i].iter().zip(&counts[i]) {
            assert!((x - (c / total * 1e4).ln_1p()).abs() < 1e-4);
        }
    }
    let mut scaled = logged();
    let n = scaled.n_obs();
    let z = (0..n * GENES).map(|i| (i as f32 * 0.7).sin()).collect();
    scaled.x = Some(Matrix::Dense(Dense::new(n, GENES, Values::F32(z)).unwrap()));
    dir.save("scaled.h5ad", &scaled);
    let line = "augment scaled.h5ad --cluster rare --n 9 --model nb -o";
    dir.scx(&format!("{line} no.h5ad")).fails(3, &["scaled.h5ad: X does not follow", "--only-synthetic"]);
    dir.scx(&format!("{line} new.h5ad --only-synthetic")).ok();
    assert_eq!(dir.open("new.h5ad").n_obs(), 9);
    assert!(!dir.names().contains(&"no.h5ad".to_owned()));
}

#[test]
fn every_model_gives_the_same_bytes_on_any_number_of_threads_in_every_format() {
    let dir = folder(&toy());
    let models = ["activa", "cscgan", "nb", "nb-pooled", "nb-copula", "smote", "oversample"];
    for (i, model) in models.iter().enumerate() {
        // The networks of the GANs have settings of their own names: they keep their sizes.
        let config = if *model == "activa" { "--config small.yaml" } else { "--preset default" };
        let length = if *model == "cscgan" { "--steps 6 --minibatch 16" } else { "" };
        let ending = ["h5ad", "loom", "h5"][i % 3];
        // A 10x file has no column for the mark of made cells.
        let mark = if ending == "h5" { "--mark names" } else { "" };
        for threads in [1, 2] {
            let line = format!(
                "augment cells.h5ad --cluster rare --n 300 --only-synthetic --model {model} {config} {length} \
                 --test-fraction 0 -o {model}{threads}.{ending} --threads {threads} --seed 3 {mark}"
            );
            dir.scx(&line).ok();
        }
        let of = |t: u8| dir.bytes(&format!("{model}{t}.{ending}"));
        assert!(of(1) == of(2), "{model}");
        let d = dir.open(&format!("{model}1.{ending}"));
        assert_eq!((d.n_obs(), d.n_vars()), (300, GENES), "{model}");
        assert!(dense(d.x.as_ref().unwrap()).iter().flatten().all(|v| *v >= 0.0 && v.fract() == 0.0));
    }
    dir.scx("augment cells.h5ad --cluster rare --n 5 --model smote -o folder --mark names").ok();
    assert_eq!(dir.open("folder").n_obs(), 175);
}

#[test]
fn a_stored_model_makes_populations_without_the_file() {
    let dir = folder(&toy());
    dir.scx("train activa cells.h5ad -o model --config small.yaml --min-cells 1").ok();
    dir.scx("generate --model-dir model --n 340 -o all.h5ad").ok();
    let d = dir.open("all.h5ad");
    assert_eq!((d.n_obs(), d.n_vars()), (340, GENES));
    let of = |label: &str| (0..340).filter(|&i| text(&d, "leiden", i).as_deref() == Some(label)).count();
    assert!(
        (130..230).contains(&of("big")) && (15..70).contains(&of("rare")),
        "{} {}",
        of("big"),
        of("rare")
    );
    dir.scx("generate --model-dir model --n 9 --proportions rare=2 big=1 -o some.h5ad").ok();
    let d = dir.open("some.h5ad");
    let labels: Vec<String> = (0..9).filter_map(|i| text(&d, "leiden", i)).collect();
    assert_eq!(labels.iter().filter(|l| *l == "rare").count(), 6, "{labels:?}");
    // Genes in another order are matched by name.
    let mut turned = toy();
    let (counts, _) = counts();
    let names: Vec<String> = (0..GENES).rev().map(|i| format!("gene{i}")).collect();
    turned.var = Frame::new(Index::names(names));
    let mut other = Counts::empty(GENES);
    for cell in 0..counts.n_cells() {
        let (genes, values) = counts.cell(cell);
        other.push(genes.iter().zip(values).rev().map(|(&g, &v)| (GENES as u32 - 1 - g, v)));
    }
    turned.x = Some(Matrix::Sparse(other.to_sparse().unwrap()));
    dir.save("turned.h5ad", &turned);
    let line = "--cluster rare --n 40 --model-dir model --only-synthetic --min-cells 1 -o";
    dir.scx(&format!("augment cells.h5ad {line} a.h5ad")).ok();
    dir.scx(&format!("augment turned.h5ad {line} b.h5ad")).ok();
    let (a, b) = (dir.open("a.h5ad"), dir.open("b.h5ad"));
    let (a, b) = (dense(a.x.as_ref().unwrap()), dense(b.x.as_ref().unwrap()));
    for (a, b) in a.iter().zip(&b) {
        assert!(a.iter().zip(b.iter().rev()).all(|(x, y)| x == y));
    }
    let mut fewer = toy();
    fewer.var = Frame::new(Index::names((0..GENES).map(|i| format!("gene{}", i + 3)).collect()));
    dir.save("fewer.h5ad", &fewer);
    dir.scx(&format!("augment fewer.h5ad {line} c.h5ad"))
        .fails(3, &["fewer.h5ad: 3 of the 40 genes", "gene0, gene1, gene2"]);
}

#[test]
fn a_run_that_time_ends_is_repeated_by_its_number_of_steps() {
    let dir = folder(&toy());
    dir.write("long.yaml", CONFIG.replace("steps: 60", "steps: 100000000"));
    let line = "generate cells.h5ad --n 30 --json -o";
    let run = dir.scx(&format!("{line} a.h5ad --config long.yaml --max-minutes 0.01")).ok();
    let steps = run.json()["result"]["training"]["steps"].as_u64().unwrap();
    assert!(steps > 0);
    dir.scx(&format!("{line} b.h5ad --config small.yaml --steps {steps}")).ok();
    let (a, b) = (dir.open("a.h5ad"), dir.open("b.h5ad"));
    assert_eq!(dense(a.x.as_ref().unwrap()), dense(b.x.as_ref().unwrap()));
}

/// Asks to stop after some signs of life.
struct StopsAfter(AtomicU64);

impl Progress for StopsAfter {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64, _: &str) {}
    fn finish(&self) {}
    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

fn material() -> Material {
    material_within(1 << 30)
}

fn material_within(memory: u64) -> Material {
    let sought = Sought {
        wanted: Default::default(),
        cluster_key: None,
        unlabeled: None,
        min_cells: 3,
        min_genes: 1,
        seed: Seed(0),
        memory,
        scratch: std::env::temp_dir(),
    };
    Material::read(&toy(), &sought, &Silent).unwrap()
}

fn plan(kind: &str, settings: Value) -> TrainPlan {
    TrainPlan {
        kind: kind.into(),
        preset: Preset::Default,
        settings,
        minibatch: Some(32),
        length: Some(Length::Steps(80)),
        learning_rate: None,
        seed: Seed(4),
    }
}

#[test]
fn a_stopped_training_goes_on_as_if_it_had_not_been_stopped() {
    let dir = Dir::new();
    let material = material();
    let small = json!({"encoder": [16], "latent": 4, "generator": [16]});
    let adversarial = json!({
        "encoder": [16], "latent": 4, "generator": [16], "warm_up_epochs": 2, "encoder_adversarial": 0.1,
        "generator_adversarial": 0.1, "classification": 0.1, "margin": 5.0, "soft_adapt": true,
    });
    for (i, (kind, settings)) in [("activa", small), ("activa", adversarial)].into_iter().enumerate() {
        let plan = plan(kind, settings);
        let whole = generate::train(&material, &plan, &Stops::default(), &Silent).unwrap();
        whole.save(&dir.path(&format!("whole{i}")), false).unwrap();
        let mut stops = Stops { checkpoint: Some(dir.path(&format!("state{i}"))), ..Stops::default() };
        let e = generate::train(&material, &plan, &stops, &StopsAfter(AtomicU64::new(3))).unwrap_err();
        assert!(matches!(e, GenerateError::Zoo(scx::zoo::ZooError::Cancelled { step: 48 })), "{e}");
        stops.resume = true;
        let other = TrainPlan { seed: Seed(5), ..plan.clone() };
        let e = generate::train(&material, &other, &stops, &Silent).unwrap_err().to_string();
        assert!(e.contains("other data, settings or seed"), "{e}");
        let rest = generate::train(&material, &plan, &stops, &Silent).unwrap();
        rest.save(&dir.path(&format!("rest{i}")), false).unwrap();
        for file in ["weights.safetensors", "model.json"] {
            let of = |name: &str| dir.bytes(&format!("{name}{i}/{file}"));
            assert!(of("whole") == of("rest"), "{kind}: {file}");
        }
    }
}

#[test]
fn counts_that_do_not_fit_into_memory_are_learnt_from_all_the_same() {
    let dir = Dir::new();
    let settings = json!({"encoder": [16], "latent": 4, "generator": [16]});
    for (name, memory) in [("memory", 1 << 30), ("disk", 512)] {
        let material = material_within(memory);
        let text = format!("{:?}", material.counts);
        assert_eq!(text.contains("disk: Some"), name == "disk", "{text}");
        let plan = TrainPlan { length: Some(Length::Steps(8)), ..plan("activa", settings.clone()) };
        let trained = generate::train(&material, &plan, &Stops::default(), &Silent).unwrap();
        trained.save(&dir.path(name), false).unwrap();
    }
    for file in ["weights.safetensors", "model.json"] {
        let of = |name: &str| dir.bytes(&format!("{name}/{file}"));
        assert!(of("memory") == of("disk"), "{file}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_a_way_out() {
    let dir = folder(&toy());
    let line = "augment cells.h5ad --model nb -o out.h5ad";
    dir.scx(&format!("{line} --cluster 2 --n 5"))
        .fails(2, &["cells.h5ad: no cluster 2 in obs[\"leiden\"]", "big (90), small (60), rare (20)"]);
    dir.scx(&format!("{line} --cluster rare --n 0")).fails(2, &["--n 0"]);
    dir.scx(&format!("{line} --cluster rare --n 5 --cluster-key celltype"))
        .fails(2, &["no column celltype", "leiden, n_counts, donor"]);
    dir.scx(&format!("{line} --cluster rare --n 5 --layer spliced"))
        .fails(2, &["layers[\"spliced\"] is not there"]);
    dir.scx("augment cells.h5ad --model scvi -o out.h5ad --cluster rare --n 5")
        .fails(2, &["no model scvi", "activa"]);
    dir.scx("augment cells.h5ad -o out.h5ad --cluster rare --n 5 --epochs 0").fails(2, &["--epochs"]);
    dir.scx("generate --n 5 -o out.h5ad").fails(2, &["--model-dir"]);
    dir.scx("augment cells.h5ad -o out.h5ad --cluster rare --n 5 --max-minutes 1e300")
        .fails(2, &["--max-minutes", "a year"]);
    for model in ["activa", "scgan"] {
        let size = if model == "activa" { "latent" } else { "noise" };
        dir.write("wide.yaml", format!("settings: {{{size}: 100000000000}}\n"));
        dir.scx(&format!("generate cells.h5ad --model {model} -o out.h5ad --n 5 --config wide.yaml"))
            .fails(2, &["100000000000", "1048576"]);
    }
    dir.write("wide.yaml", "settings: {encoder: [1000000, 1000000]}\n");
    dir.scx("generate cells.h5ad -o out.h5ad --n 5 --config wide.yaml")
        .fails(2, &["weights are possible", "smaller layers"]);
    dir.scx("generate cells.h5ad --model nb -o out.h5ad --n 1000000000000000")
        .fails(5, &["1000000000000000 cells", "4294967295"]);
    dir.write("bad.yaml", "settings: {laten: 3}\n");
    dir.scx("augment cells.h5ad -o out.h5ad --cluster rare --n 5 --config bad.yaml")
        .fails(2, &["no setting laten", "latent"]);
    dir.write("filter.yaml", CONFIG.replace("false", "true") + "  latent_law: prior\n  max_rounds: 1\n");
    dir.scx("augment cells.h5ad -o out.h5ad --cluster rare --n 900 --config filter.yaml --steps 1")
        .fails(4, &["rare", "acceptance"]);

    let mut few = toy();
    let Some(Column::Categorical(c)) = few.obs.columns.iter_mut().find(|c| c.0 == "leiden").map(|c| &mut c.1)
    else {
        panic!()
    };
    c.codes.iter_mut().skip(151).for_each(|c| *c = 1);
    dir.save("few.h5ad", &few);
    dir.scx("augment few.h5ad --model nb -o out.h5ad --cluster rare --n 5")
        .fails(3, &["few.h5ad: cluster rare has 1 cell", "at least 2"]);
    let Some(Column::Categorical(c)) = few.obs.columns.iter_mut().find(|c| c.0 == "leiden").map(|c| &mut c.1)
    else {
        panic!()
    };
    c.codes[7] = -1;
    dir.save("none.h5ad", &few);
    let run = dir.scx("augment none.h5ad --model nb -o none_out.h5ad --cluster big --n 5").ok();
    run.says(&[
        "1 cells (cell7 first), not learnt from",
        "--unlabeled-category",
        "= rare",
        "1 cell to learn from",
    ]);
    for (name, value, says) in
        [("negative", -1.0, "found -1"), ("fraction", 0.5, "found 0.5"), ("nan", f64::NAN, "found NaN")]
    {
        let mut d = toy();
        let (counts, _) = counts();
        let mut x: Vec<f64> = counts.to_sparse().map(|s| dense(&Matrix::Sparse(s)).concat()).unwrap();
        // Far down, where a look at the first cells does not see it.
        x[GENES * 169 + 5] = value;
        d.x = Some(Matrix::Dense(Dense::new(170, GENES, Values::F64(x)).unwrap()));
        dir.save("odd.h5ad", &d);
        dir.scx("augment odd.h5ad --layer X --model nb -o out.h5ad --cluster big --n 5")
            .fails(3, &["odd.h5ad: X: cell cell169, gene gene5", says]);
        assert!(!dir.names().contains(&"out.h5ad".to_owned()), "{name}");
    }
    let mut normalised = logged();
    normalised.layers.clear();
    dir.save("normalised.h5ad", &normalised);
    dir.scx("augment normalised.h5ad --model nb -o out.h5ad --cluster big --n 5")
        .fails(3, &["raw counts are needed", "X holds"]);
    let mut stranger = toy();
    stranger.obs.columns.retain(|c| c.0 == "donor");
    dir.save("stranger.h5ad", &stranger);
    let run = dir.scx("generate stranger.h5ad --model nb -o clustered.h5ad --n 5").ok();
    run.says(&["clusters are searched first"]);
}

#[test]
fn settings_are_printed_as_they_are_read() {
    let dir = folder(&toy());
    let first = dir.scx("train activa cells.h5ad -o m --config small.yaml --seed 7 --print-config").ok();
    assert!(first.stdout.contains("seed: 7") && first.stdout.contains("latent: 4"), "{}", first.stdout);
    dir.write("again.yaml", &first.stdout);
    let again = dir.scx("train activa cells.h5ad -o m --config again.yaml --print-config").ok();
    assert_eq!(first.stdout, again.stdout);
    let models = dir.scx("models --json").ok().json();
    let names: Vec<&str> =
        models["models"].as_array().unwrap().iter().filter_map(|m| m["name"].as_str()).collect();
    for name in ["activa", "scgan", "cscgan", "smote", "nb-copula", "neuron_edit"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let plan = dir.scx("augment cells.h5ad --cluster rare --n 5 -o o.h5ad --dry-run").ok();
    assert!(plan.stdout.contains("train activa (default) on 170 cells × 39 genes"), "{}", plan.stdout);
    assert_eq!(dir.names(), ["again.yaml", "cells.h5ad", "small.yaml"]);
}

#[test]
fn training_is_timed_with_repeats() {
    let dir = folder(&toy());
    let run = "evaluate time cells.h5ad --model activa,nb --repeats 3 --n 20 --threads 1";
    let json = dir.scx(&format!("{run} --steps 4 --json")).ok().json();
    let models = json["models"].as_array().unwrap();
    assert_eq!((json["cells"].clone(), json["threads"].clone(), models.len()), (170.into(), 1.into(), 2));
    assert_eq!(models[0]["steps"], json!([4, 4, 4]));
    assert_eq!(models[1]["steps"], json!([null, null, null]));
    for m in models {
        let seconds: Vec<f64> =
            m["training"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
        assert!(seconds.len() == 3 && seconds.iter().all(|s| *s > 0.0), "{m}");
        let mean = m["training_mean"].as_f64().unwrap();
        assert!(
            (mean - seconds.iter().sum::<f64>() / 3.0).abs() < 1e-9 && m["making"].as_f64() > Some(0.0),
            "{m}"
        );
    }
    let text = dir.scx(&format!("{run} --steps 4")).ok().stdout;
    assert!(text.contains("170 cells × 39 genes, 1 threads") && text.contains(" ± "), "{text}");
    let text = dir.scx(&format!("{run} --dry-run")).ok().stdout;
    assert!(text.contains("would train activa, nb 3 times each"), "{text}");
    // A model that only labels cells can be timed as long as no cells are wanted.
    dir.refuses(2, "evaluate time cells.h5ad --model actinn --repeats 1 --steps 2 --n 5", &["labels cells"]);
    dir.scx("evaluate time cells.h5ad --model actinn --repeats 1 --steps 2 --n 0").ok();
    dir.refuses(2, "evaluate time cells.h5ad --model nonsense", &["nonsense"]);
    dir.refuses(2, "evaluate time cells.h5ad --repeats 0", &["--repeats"]);
    assert_eq!(dir.names(), ["cells.h5ad", "small.yaml"]);
}

#[test]
fn the_rare_type_experiment_runs_from_start_to_end_and_repeats() {
    let dir = folder(&toy());
    let line = "evaluate augmentation cells.h5ad --cluster small --fractions 0.2,0.1 --repeats 2 --n 20 --trees 20 --json";
    let json = dir.scx(&format!("{line} --config small.yaml --threads 1")).ok().json();
    let result = &json["results"][0];
    assert_eq!(result["scores"]["test_rare"], 18);
    let summary = result["summary"].as_array().unwrap();
    let methods: Vec<&str> = summary.iter().filter_map(|s| s["method"].as_str()).collect();
    for method in ["nothing", "class weights", "oversampling", "SMOTE", "activa", "all cells"] {
        assert_eq!(methods.iter().filter(|m| **m == method).count(), 2, "{methods:?}");
    }
    assert!(summary.iter().all(|s| (0.0..=1.0).contains(&s["mean"].as_f64().unwrap())));
    assert_eq!(json, dir.scx(&format!("{line} --config small.yaml --threads 2")).ok().json());
    dir.scx("evaluate augmentation cells.h5ad --cluster none --model nb")
        .fails(2, &["no cluster none", "rare (20)"]);
    dir.scx("evaluate augmentation cells.h5ad --cluster rare --model nb --fractions 1.5 --trees 5")
        .fails(3, &["shares"]);
}
