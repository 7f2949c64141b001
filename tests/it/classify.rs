//! `scx classify`: labels from stored models.

use scx::data::{Categorical, Categories, Column, Dataset, Take, Values};
use scx::generate::{self, Matching, Material, Sought, Stops, TrainPlan};
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::Preset;

use crate::cluster::{Kinds, kinds};
use crate::support::{Dir, real};

/// Cells of three kinds with their names in obs, models trained on them in `actinn/` and `activa/`, and the truth.
fn trained() -> (Dir, Vec<usize>) {
    let dir = Dir::new();
    let Kinds { mut dataset, truth } = kinds();
    let codes = truth.iter().map(|&k| k as i32).collect();
    let names = ["A cells", "B cells", "T cells"].map(String::from).to_vec();
    let column = Categorical { codes, categories: Categories::Strings(names), ordered: false };
    dir.save("cells.h5ad", &dataset);
    dataset.obs.set("cell_type", Column::Categorical(column));
    dir.save("labelled.h5ad", &dataset);
    dir.scx("train actinn labelled.h5ad -o actinn --steps 150 --minibatch 50 --threads 2").ok();
    (dir, truth)
}

/// Codes and scores that a file has under that name.
fn found(d: &Dataset, key: &str) -> (Vec<usize>, Vec<f32>) {
    let Some(Column::Categorical(c)) = d.obs.column(key) else { panic!("no obs[{key}]") };
    let Some(Column::Numbers(Values::F32(scores))) = d.obs.column(&format!("{key}_score")) else {
        panic!("no scores of {key}")
    };
    (c.codes.iter().map(|&c| usize::try_from(c).unwrap()).collect(), scores.clone())
}

/// The data set with these genes in that order.
fn genes(d: &Dataset, genes: impl Iterator<Item = usize>) -> Dataset {
    let take = Take::new(d.n_vars(), genes.map(Some).collect()).unwrap();
    d.select(&Take::all(d.n_obs()), &take).unwrap()
}

fn right(codes: &[usize], truth: &[usize]) -> f64 {
    codes.iter().zip(truth).filter(|(a, b)| a == b).count() as f64 / truth.len() as f64
}

#[test]
fn cells_get_their_labels_and_everything_else_stays() {
    let (dir, truth) = trained();
    let json = dir.scx("classify cells.h5ad --model-dir actinn -o out.h5ad --json").ok().json();
    dir.scx("classify cells.h5ad --model-dir actinn -o out.loom").ok();
    let texts = |d: &Dataset| -> Vec<String> {
        let column = d.obs.column("actinn").unwrap();
        (0..d.n_obs()).map(|i| column.text(i).unwrap().into_owned()).collect()
    };
    assert_eq!(texts(&dir.open("out.loom")), texts(&dir.open("out.h5ad")));
    assert_eq!(json["result"]["missing_genes"], 0);
    assert_eq!(json["result"]["cells"], 300);
    let (before, after) = (dir.open("cells.h5ad"), dir.open("out.h5ad"));
    assert_eq!(after.obs.columns[..before.obs.columns.len()], before.obs.columns);
    assert_eq!(after.obs.columns.len(), before.obs.columns.len() + 2);
    let (codes, scores) = found(&after, "actinn");
    assert!(right(&codes, &truth) > 0.98, "{}", right(&codes, &truth));
    assert!(scores.iter().all(|p| (1.0 / 3.0..=1.0).contains(p)));
    let Some(Column::Categorical(c)) = after.obs.column("actinn") else { panic!() };
    assert_eq!(
        (0..3).filter_map(|i| c.categories.text(i)).collect::<Vec<_>>(),
        ["A cells", "B cells", "T cells"]
    );
    let labels = json["result"]["labels"].as_object().unwrap();
    let b = codes.iter().filter(|&&c| c == 1).count();
    assert_eq!(labels["B cells"].as_u64().unwrap() as usize, b);
    // Nothing is replaced unasked.
    dir.refuses(2, "classify out.h5ad --model-dir actinn -o again.h5ad", &["obs[\"actinn\"]", "--key-added"]);
    dir.scx("classify out.h5ad --model-dir actinn -o again.h5ad --key-added type").ok();
    assert_eq!(found(&dir.open("again.h5ad"), "type").0, codes);
}

#[test]
fn the_same_bytes_come_out_on_any_number_of_threads() {
    let (dir, _) = trained();
    for threads in [1, 2] {
        dir.scx(&format!("train actinn labelled.h5ad -o m{threads} --steps 60 --threads {threads} --seed 3"))
            .ok();
        dir.scx(&format!("classify cells.h5ad --model-dir m{threads} -o {threads}.h5ad --threads {threads}"))
            .ok();
    }
    assert!(dir.bytes("1.h5ad") == dir.bytes("2.h5ad"));
}

#[test]
fn genes_are_matched_by_name_and_missing_ones_are_named() {
    let (dir, truth) = trained();
    dir.scx("classify cells.h5ad --model-dir actinn -o out.h5ad").ok();
    let whole = found(&dir.open("out.h5ad"), "actinn");
    // The same genes in another order, and one the model does not know.
    let mut d = dir.open("cells.h5ad");
    d = genes(&d, (0..90).rev());
    dir.save("turned.h5ad", &d);
    dir.scx("classify turned.h5ad --model-dir actinn -o turned_out.h5ad").ok();
    let turned = found(&dir.open("turned_out.h5ad"), "actinn");
    assert_eq!(whole, turned);
    // A few genes fewer are said aloud; too many are refused.
    dir.save("few.h5ad", &genes(&d, 0..86));
    let run = dir.scx("classify few.h5ad --model-dir actinn -o few_out.h5ad").ok();
    run.says(&["4 of the", "gene0"]);
    assert!(right(&found(&dir.open("few_out.h5ad"), "actinn").0, &truth) > 0.95);
    dir.refuses(
        3,
        "classify few.h5ad --model-dir actinn -o x.h5ad --max-missing 0.01",
        &["4 of the", "gene0", "--max-missing"],
    );
    let mut other = dir.open("cells.h5ad");
    other.var.index = scx::data::Index::names((0..90).map(|i| format!("ENSG{i}")).collect());
    dir.save("other.h5ad", &other);
    dir.refuses(
        3,
        "classify other.h5ad --model-dir actinn -o x.h5ad --max-missing 1",
        &["90 of the 90", "gene0"],
    );
}

#[test]
fn a_stored_activa_labels_cells_and_a_sampler_does_not() {
    let (dir, truth) = trained();
    dir.scx("train activa labelled.h5ad -o activa --steps 200 --minibatch 50").ok();
    dir.scx("classify cells.h5ad --model-dir activa -o out.h5ad").ok();
    let (codes, _) = found(&dir.open("out.h5ad"), "activa");
    assert!(right(&codes, &truth) > 0.9, "{}", right(&codes, &truth));
    dir.scx("train nb labelled.h5ad -o nb").ok();
    dir.refuses(2, "classify cells.h5ad --model-dir nb -o x.h5ad", &["labels no cells", "actinn"]);
}

#[test]
fn usage_is_checked_before_any_work() {
    let (dir, _) = trained();
    dir.refuses(2, "classify cells.h5ad --model-dir actinn -o x.fcs", &["no place for the labels", "loom"]);
    dir.refuses(2, "classify cells.h5ad --model-dir actinn -o x.h5ad --max-missing 2", &["share"]);
    dir.refuses(2, "classify cells.h5ad --model-dir actinn -o x.h5ad --key-added a/b", &["column"]);
    dir.refuses(3, "classify cells.h5ad --model-dir nowhere -o x.h5ad", &["nowhere"]);
    let run = dir.scx("classify cells.h5ad --model-dir actinn -o x.h5ad --dry-run").ok();
    assert!(run.stdout.contains("label 300 cells"), "{}", run.stdout);
    assert!(!dir.names().contains(&"x.h5ad".to_owned()));
}

/// Every fifth cell of pbmc3k is held out; the forest of numbers beside it is a logistic regression's
/// (`fixtures/make/logistic_labels.py`).
#[test]
fn held_out_cells_of_pbmc3k_are_labelled_as_well_as_by_a_logistic_regression() {
    let Some(path) = real("h5ad/derived_pbmc3k_counts_labelled.h5ad") else { return };
    let dataset = scx::io::open(&path, &scx::io::ReadOptions::default()).unwrap();
    let sought = Sought {
        wanted: Default::default(),
        cluster_key: None,
        unlabeled: None,
        min_cells: 3,
        min_genes: 10,
        seed: Seed(0),
        memory: 1 << 30,
        scratch: std::env::temp_dir(),
    };
    let mut material = Material::read(&dataset, &sought, &Silent).unwrap();
    material.cells.retain(|c| c % 5 != 0);
    let truth: Vec<usize> = material.labels.codes.iter().map(|&c| c as usize).collect();
    let fixture =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected/logistic_labels.json");
    let expected: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    let logistic = expected["accuracy"].as_f64().unwrap();
    for preset in [Preset::Default, Preset::Code] {
        let plan = TrainPlan {
            kind: "actinn".into(),
            preset,
            settings: serde_json::Value::Null,
            minibatch: None,
            length: None,
            learning_rate: None,
            seed: Seed(0),
        };
        let trained = generate::train(&material, &plan, &Stops::default(), &Silent).unwrap();
        let mut taken = material.taken.clone();
        let matching = Matching {
            most_missing: 0.0,
            gene_column: None,
            memory: 1 << 30,
            scratch: &std::env::temp_dir(),
        };
        let found = generate::classify(&trained, &dataset, &mut taken, matching, &Silent).unwrap();
        let held: Vec<usize> = (0..truth.len()).filter(|c| c % 5 == 0).collect();
        let of = |all: &[usize]| held.iter().map(|&c| all[c]).collect::<Vec<_>>();
        let codes: Vec<usize> = found.codes.iter().map(|&c| c as usize).collect();
        let accuracy = right(&of(&codes), &of(&truth));
        println!(
            "{} held-out cells: ACTINN ({}) {accuracy:.4}, logistic regression {logistic:.4}",
            held.len(),
            preset.name()
        );
        if preset == Preset::Default {
            assert!(accuracy >= 0.9 && accuracy >= logistic - 0.03, "{accuracy} {logistic}");
        }
    }
}
