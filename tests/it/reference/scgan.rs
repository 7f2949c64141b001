//! scGAN and cscGAN against PyTorch with double backward (`fixtures/make/torch_scgan.py`).

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use scx::nn::SparseBatch;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::scgan::{Conditional, ScGan, ScGanConfig, Schedule};
use scx::zoo::{
    Batch, BatchSource, CountBatch, Length, MadeCells, Model, Preset, TrainConfig, Trainer, ZooError,
};
use serde_json::Value;

use super::{close, sines, tensor, values};

const GENES: usize = 13;
const CELLS: usize = 8;
const SEED: Seed = Seed(3);

/// Shares of the labels, which scx takes from the cells and the script is told.
const SHARES: &str = "labels.share";

fn expected() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected/torch_scgan.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn config(variant: &str) -> ScGanConfig {
    ScGanConfig {
        noise: 4,
        generator: vec![6, 5],
        critic: vec![7, 5],
        library: 100.0,
        critic_updates: 2,
        rate: Schedule { end: 0.1, over: 10, decay: true },
        norm_momentum: 0.1,
        conditional: (variant != "scgan")
            .then_some(Conditional { labels: 3, projection: variant == "projection" }),
        ..ScGanConfig::preset(Preset::Paper, GENES, None)
    }
}

/// The model with the weights of the script.
fn model(variant: &str) -> ScGan {
    let model = ScGan::new(config(variant), Seed(9), &Device::Cpu).unwrap();
    let mut weights: BTreeMap<String, Tensor> = model.params().snapshot().unwrap();
    let trained = weights.iter_mut().filter(|(name, _)| !name.contains("running") && *name != SHARES);
    for (number, (name, t)) in trained.enumerate() {
        let offset = if name.ends_with("norm.weight") { 1.0 } else { 0.0 };
        let (rows, cols) = if t.rank() == 2 { t.dims2().unwrap() } else { (1, t.elem_count()) };
        let scale = if t.rank() == 2 && offset == 0.0 { 0.6 } else { 0.2 };
        let filled = sines(rows, cols, 0.7, 1.3, 2.1 * number as f64, scale) + offset as f32;
        *t = tensor(&filled).reshape(t.shape()).unwrap();
    }
    model.params().load(&weights).unwrap();
    model
}

/// The cells of the script, always in its order: noise belongs to rows.
struct InOrder;

impl BatchSource for InOrder {
    fn len(&self) -> usize {
        CELLS
    }
    fn batch(&self, cells: &[usize], _: &Device) -> Result<Batch, ZooError> {
        assert_eq!(cells.len(), CELLS);
        let (mut indptr, mut columns, mut counts) = (vec![0], Vec::new(), Vec::new());
        for i in 0..CELLS {
            for g in 0..GENES {
                let (x, y) = (i as f64, g as f64);
                let count = (7.0 * (0.9 * x + 1.7 * y + 0.23 * x * y + 0.4).sin()).floor().max(0.0);
                if i != 3 && count > 0.0 {
                    columns.push(g as u32);
                    counts.push(count as f32);
                }
            }
            indptr.push(columns.len());
        }
        let counts = SparseBatch::new(GENES, indptr, columns, counts)?;
        let labels = (0..CELLS as u32).map(|i| i % 3).collect();
        Ok(Batch::Counts(CountBatch { library: counts.sums(), counts, labels }))
    }
}

fn check(variant: &str) {
    let expected = &expected()[variant];
    let mut model = model(variant);
    let start = expected["start"].as_object().unwrap();
    assert_eq!(model.params().iter().filter(|(name, _)| *name != SHARES).count(), start.len());
    for (name, var) in model.params().iter().filter(|(name, _)| *name != SHARES) {
        close(values(var), &start[name], 1e-6, &format!("{variant} {name} at the start"));
    }
    assert_eq!(model.params().count() as u64, expected["parameters"].as_u64().unwrap());

    let steps = expected["steps"].as_array().unwrap();
    let train = ScGanConfig::train(Preset::Paper);
    let adam = scx::nn::AdamConfig { lr: 1e-2, ..train.adam };
    let run = TrainConfig { minibatch: CELLS, length: Length::Steps(steps.len() as u64), adam, ..train };
    let mut trainer = Trainer::new(&model, run, SEED);
    for (k, step) in steps.iter().enumerate() {
        trainer.run(&mut model, &InOrder, Some(k as u64 + 1), &Silent).unwrap();
        for part in ["critic", "distance", "penalty", "generator"] {
            let &(at, loss) = trainer.state().parts[part].history.last().unwrap();
            assert_eq!(at, k as u64 + 1);
            let torch = step[part].as_f64().unwrap();
            assert!(
                (loss - torch).abs() < 2e-5 * (1.0 + torch.abs()),
                "{variant} {part} {at}: {loss} for {torch}"
            );
        }
        for (name, var) in model.params().iter().filter(|(name, _)| *name != SHARES) {
            let what = format!("{variant} {name} after step {}", k + 1);
            close(values(var), &step["weights"][name], 2e-5, &what);
        }
    }

    let label = (variant != "scgan").then_some(2);
    let made = model.as_generate().unwrap().cells(label, 5, &mut SEED.stream("made")).unwrap();
    assert_eq!((made.labels, made.tried), (label.map(|l| vec![l; 5]), 5));
    let MadeCells::Scaled { values, log: false } = made.cells else { panic!("cells without logarithm") };
    close(values, &expected["made"], 1e-4, &format!("{variant}: cells made"));
}

#[test]
fn the_streams_of_the_script_are_those_of_scx() {
    let mut stream = SEED.stream("noise/critic/0");
    let noise: Vec<f32> = (0..CELLS * 4).map(|_| stream.normal() as f32).collect();
    close(noise, &expected()["noise"], 1e-6, "noise");
}

#[test]
fn three_updates_of_scgan_and_its_cells_equal_pytorch() {
    check("scgan");
}

#[test]
fn three_updates_of_cscgan_and_its_cells_equal_pytorch() {
    check("cscgan");
}

#[test]
fn three_updates_of_cscgan_with_projection_equal_pytorch() {
    check("projection");
}

#[test]
fn the_published_sizes_have_as_many_parameters_as_in_pytorch() {
    let expected = &expected()["parameters_at_1000_genes"];
    let count = |config| ScGan::new(config, Seed(0), &Device::Cpu).unwrap().params().count() as u64;
    let paper = |labels| ScGanConfig::preset(Preset::Paper, 1000, labels);
    assert_eq!(count(paper(None)), expected["scgan"].as_u64().unwrap());
    assert_eq!(count(paper(Some(8))), expected["cscgan_8_labels"].as_u64().unwrap());
}
