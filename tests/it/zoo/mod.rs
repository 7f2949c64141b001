//! What every model of the registry must keep to, and what the correction around it stores and restores.
#![allow(clippy::unwrap_used, clippy::panic)]

mod actinn;
mod activa;
mod counts;
mod smoke;
mod stored;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Device, Tensor};
use ndarray::Array2;
use scx::correct::{self, CorrectError, Experiment, FitPlan, Fitted, Marker, Method, Preset, Roles, Zeros};
use scx::data::{Dense, Matrix, Values};
use scx::loader::{self, Group, Union};
use scx::nn::AdamConfig;
use scx::progress::{Progress, Silent};
use scx::recipe::{ScaleGuess, Transform};
use scx::rng::Seed;
use scx::simulate;
use scx::zoo::{
    self, BatchSource, Checkpoint, Dims, FORMAT_VERSION, Length, Model, ModelFile, NEURON_EDIT, NeuronEdit,
    NeuronEditConfig, REGISTRY, TrainConfig, Trainer, ZooError, entry,
};
use serde_json::Value;

const SCALE: Transform = Transform::Arcsinh { cofactor: 5.0 };

/// Source control, target control and sample of a small simulated experiment.
fn simulated() -> (Experiment, Vec<Marker>) {
    let truth = simulate::experiment(simulate::CytometrySettings { control: 130, sample: 170 }, Seed(1));
    let data = [&truth.control[0], &truth.control[1], &truth.sample[0]].map(|cells| cells.dataset());
    let markers = correct::choose(&data[0].var, None).unwrap().markers;
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    let columns: Vec<usize> = markers.iter().map(|m| m.column).collect();
    let tables = data
        .iter()
        .map(|d| {
            let x = d.x.as_ref().unwrap();
            loader::table(x, &columns, &names, &vec![SCALE; columns.len()], &mut ScaleGuess::default())
                .unwrap()
        })
        .collect();
    (from_tables(names, tables), markers)
}

/// An experiment of source control, target control and sample.
fn from_tables(names: Vec<String>, tables: Vec<Array2<f32>>) -> Experiment {
    let files = ["source", "target", "sample"].map(String::from);
    let roles = Roles { source: 0, target: 1, holdout: None, samples: vec![2] };
    correct::from_files(names, tables, &files, &roles).unwrap()
}

fn plan(preset: Preset, hidden: &[usize], steps: u64) -> FitPlan {
    let train = TrainConfig::plain(50, Length::Steps(steps), AdamConfig::default());
    FitPlan {
        preset,
        hidden: hidden.to_vec(),
        train,
        seed: Seed(3),
        method: Method::NeuronEdit,
        zeros: Zeros::Move,
    }
}

fn fitted(preset: Preset, steps: u64) -> Fitted {
    let (experiment, markers) = simulated();
    correct::fit(&experiment, markers, SCALE, plan(preset, &[24, 8], steps), &Silent).unwrap()
}

/// More cells than are encoded at a time, so that threads have something to share.
fn many_cells() -> Array2<f32> {
    let sample = &simulated().0.tables[2];
    Array2::from_shape_fn((1300, sample.ncols()), |(i, j)| {
        sample[(i % sample.nrows(), j)] + 1e-3 * (i / sample.nrows()) as f32
    })
}

fn bits(x: impl IntoIterator<Item = f32>) -> Vec<u32> {
    x.into_iter().map(f32::to_bits).collect()
}

fn tensor_bits(tensors: &BTreeMap<String, Tensor>) -> Vec<(String, Vec<u32>)> {
    tensors
        .iter()
        .filter(|(_, t)| t.dtype() == candle_core::DType::F32)
        .map(|(k, t)| (k.clone(), bits(t.flatten_all().unwrap().to_vec1::<f32>().unwrap())))
        .collect()
}

fn weight_bits(model: &dyn Model) -> Vec<(String, Vec<u32>)> {
    tensor_bits(&model.params().snapshot().unwrap())
}

fn on_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// A small model of every kind for cells of that width.
fn build(kind: &str, width: usize, seed: Seed) -> Box<dyn Model> {
    match kind {
        "neuron_edit" => {
            let config = NeuronEditConfig { width, hidden: vec![24, 8], slope: 0.2 };
            Box::new(NeuronEdit::new(config, seed, &Device::Cpu).unwrap())
        }
        _ => {
            let Some(counted) = entry(kind).and_then(|e| e.counted) else {
                panic!("{kind} is in the registry, but not in its conformance tests")
            };
            let config = (counted.config)(zoo::Preset::Default, dims(width)).unwrap();
            (counted.build)(config, Value::Null, seed, &Device::Cpu).unwrap()
        }
    }
}

fn dims(genes: usize) -> Dims {
    Dims { genes, labels: counts::LABELS, cells: 300 }
}

/// 300 cells: 6 minibatches of 50 an epoch.
fn union(tables: &[Array2<f32>]) -> Union<'_> {
    let whole = |table: usize| Group { table, rows: (0..tables[table].nrows()).collect() };
    Union::new(tables, &[&whole(0), &whole(2)])
}

/// What a model of that kind learns from: 300 cells of the tables, or 300 cells of counts.
fn source<'a>(kind: &str, tables: &'a [Array2<f32>]) -> Box<dyn BatchSource + 'a> {
    if kind == NEURON_EDIT { Box::new(union(tables)) } else { Box::new(counts::Toy::new()) }
}

fn config(kind: &str, length: Length) -> TrainConfig {
    let counted = entry(kind).and_then(|e| e.counted);
    let adam = counted.map_or(AdamConfig::default(), |c| (c.train)(zoo::Preset::Default, dims(35)).adam);
    TrainConfig::plain(50, length, adam)
}

fn train(kind: &str, tables: &[Array2<f32>], seed: Seed, steps: u64) -> (Box<dyn Model>, Trainer) {
    let simulated = if tables.is_empty() { simulated().0.tables } else { Vec::new() };
    let tables = if tables.is_empty() { &simulated } else { tables };
    let mut model = build(kind, 35, seed);
    let mut trainer = Trainer::new(model.as_ref(), config(kind, Length::Steps(steps)), seed);
    trainer.run(model.as_mut(), source(kind, tables).as_ref(), None, &Silent).unwrap();
    (model, trainer)
}

#[test]
fn every_parameter_belongs_to_a_group_of_its_model() {
    for entry in REGISTRY {
        let model = build(entry.kind, 35, Seed(0));
        let trained = |g: &str| model.params().group(g).map(|(_, v)| v.elem_count()).sum::<usize>();
        let grouped: usize = model.groups().iter().map(|g| trained(g)).sum();
        assert_eq!(grouped, model.params().count(), "{}", entry.kind);
        assert!(grouped > 0 && model.groups().iter().all(|g| model.params().group(g).count() > 0));
    }
}

#[test]
fn the_autoencoder_starts_as_pytorch_starts_linear_layers() {
    let model = build("neuron_edit", 35, Seed(0));
    let mut fan_in = 0.0;
    let params: BTreeMap<String, Tensor> = model.params().snapshot().unwrap();
    for (name, t) in &params {
        let weight = params.get(&name.replace(".bias", ".weight")).unwrap();
        fan_in = f64::max(fan_in, weight.dims()[1] as f64);
        let bound = 1.0 / (weight.dims()[1] as f64).sqrt();
        let values = t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(f64::from(v.abs())));
        assert!(largest <= bound * (1.0 + 1e-6), "{name}: {largest} beyond {bound}");
        // A uniform draw comes near its bounds: the largest of n is below 0.5 times them with odds of 1 in 2^n.
        assert!(largest > 0.5 * bound, "{name}: {largest} far inside {bound}");
    }
    assert_eq!(fan_in, 35.0);
}

#[test]
fn the_loss_of_an_autoencoder_falls_and_every_loss_of_the_others_moves() {
    let tables = simulated().0.tables;
    for entry in REGISTRY {
        let (_, trainer) = train(entry.kind, &tables, Seed(0), 200);
        let history = &trainer.state().history;
        let first = trainer.state().first_loss.unwrap();
        let last = history.last().unwrap();
        assert_eq!((last.0, history.len()), (200, 200));
        if entry.kind == NEURON_EDIT {
            assert!(last.1 < 0.5 * first, "{}: {first} → {}", entry.kind, last.1);
        }
        let parts = trainer.state().parts.iter().map(|(name, part)| (name.as_str(), &part.history));
        for (name, history) in parts.chain([("total", history)]) {
            assert!(history.iter().all(|point| point.1.is_finite()), "{} {name}", entry.kind);
            let moved = history.windows(2).any(|w| w[0].1 != w[1].1);
            assert!(moved, "{} {name}: {:?}", entry.kind, history.first());
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_on_one_and_on_two_threads_and_another_seed_does_not() {
    let tables = simulated().0.tables;
    for entry in REGISTRY {
        let weights = |threads, seed| {
            on_threads(threads, || weight_bits(train(entry.kind, &tables, Seed(seed), 40).0.as_ref()))
        };
        let one = weights(1, 7);
        assert_eq!(one, weights(1, 7), "{}", entry.kind);
        assert_eq!(one, weights(2, 7), "{}", entry.kind);
        assert_ne!(one, weights(1, 8), "{}", entry.kind);
    }
}

#[test]
fn a_correction_has_the_same_bits_on_one_and_on_two_threads() {
    let cells = many_cells();
    for preset in [Preset::Paper, Preset::Default] {
        let run = |threads| {
            on_threads(threads, || {
                let fitted = fitted(preset, 30);
                let moved = Method::ALL.map(|method| {
                    let applied = fitted.apply(&fitted.runs[0], method, cells.view()).unwrap();
                    (bits(applied.values), applied.outside.to_bits())
                });
                (fitted.runs.clone(), moved)
            })
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(one.0, two.0, "{preset:?}: what was learnt");
        for (k, method) in Method::ALL.iter().enumerate() {
            assert!(one.1[k] == two.1[k], "{preset:?}: {}", method.name());
        }
    }
}

#[test]
fn the_presets_differ_and_a_method_moves_cells_by_themselves() {
    let (paper, default) = (fitted(Preset::Paper, 30), fitted(Preset::Default, 30));
    let cells = many_cells();
    let apply =
        |f: &Fitted, x: &Array2<f32>| f.apply(&f.runs[0], Method::NeuronEdit, x.view()).unwrap().values;
    assert_ne!(apply(&paper, &cells), apply(&default, &cells));
    // The result for a cell must not depend on which cells come along.
    let some = cells.slice(ndarray::s![700..900, ..]).to_owned();
    for f in [&paper, &default] {
        let alone = apply(f, &some);
        let along = apply(f, &cells).slice(ndarray::s![700..900, ..]).to_owned();
        let off = (&alone - &along).mapv(f32::abs).fold(0.0f32, |m, &v| m.max(v));
        assert!(off < 1e-5, "{off}");
    }
}

#[test]
fn a_run_that_was_stored_and_resumed_equals_one_that_never_stopped() {
    let tables = simulated().0.tables;
    for entry in REGISTRY {
        // A point of the history every third step: the stop comes inside a window of the history and inside an epoch.
        let long = config(entry.kind, Length::Steps(600));
        let data = source(entry.kind, &tables);
        let data = data.as_ref();
        let mut straight = build(entry.kind, 35, Seed(2));
        let mut trainer = Trainer::new(straight.as_ref(), long, Seed(2));
        trainer.run(straight.as_mut(), data, Some(50), &Silent).unwrap();

        let mut first = build(entry.kind, 35, Seed(2));
        let mut half = Trainer::new(first.as_ref(), long, Seed(2));
        half.run(first.as_mut(), data, Some(20), &Silent).unwrap();
        assert!(half.state().window_len > 0 && half.state().position > 0, "{:?}", half.state());
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("model");
        let file = ModelFile {
            format_version: FORMAT_VERSION,
            scx_version: "0".into(),
            kind: entry.kind.into(),
            config: serde_json::json!({}),
            var_names: Vec::new(),
            train: long,
            seed: Seed(2),
            state: half.state().clone(),
            fitted: serde_json::json!({}),
        };
        let weights = first.params().snapshot().unwrap();
        let optimiser = Some(half.optimiser_state().unwrap());
        Checkpoint { file, weights, optimiser }.save(&dir, false).unwrap();

        let stored = Checkpoint::load(&dir).unwrap();
        assert_eq!(&stored.file.state, half.state(), "the state keeps every bit through the file");
        // Another seed: the weights must come from the file.
        let mut again = build(entry.kind, 35, Seed(99));
        again.params().load(&stored.weights).unwrap();
        let mut resumed = Trainer::new(again.as_ref(), stored.file.train, stored.file.seed);
        resumed.restore(stored.file.state, &stored.optimiser.unwrap()).unwrap();
        resumed.run(again.as_mut(), data, Some(50), &Silent).unwrap();

        assert_eq!(weight_bits(again.as_ref()), weight_bits(straight.as_ref()), "{}", entry.kind);
        assert_eq!(resumed.state(), trainer.state(), "{}", entry.kind);
        let moments = |t: &Trainer| tensor_bits(&t.optimiser_state().unwrap());
        assert_eq!(moments(&resumed), moments(&trainer), "{}", entry.kind);
    }
}

#[test]
fn epochs_are_passes_and_every_order_holds_each_cell_once() {
    let tables = simulated().0.tables;
    for entry in REGISTRY {
        let mut model = build(entry.kind, 35, Seed(2));
        let mut trainer = Trainer::new(model.as_ref(), config(entry.kind, Length::Epochs(3)), Seed(2));
        trainer.run(model.as_mut(), source(entry.kind, &tables).as_ref(), None, &Silent).unwrap();
        assert_eq!((trainer.state().step, trainer.state().epoch), (18, 2));
    }
}

#[test]
fn a_learning_rate_far_too_high_is_divergence_and_names_the_step() {
    let (experiment, markers) = simulated();
    let mut plan = plan(Preset::Paper, &[24, 8], 50);
    plan.train.adam.lr = 1e6;
    let e = correct::fit(&experiment, markers, SCALE, plan, &Silent).unwrap_err();
    let CorrectError::Zoo(ZooError::Diverged { step, epoch, name, loss, first }) = e else { panic!("{e}") };
    assert!((2..=10).contains(&step) && epoch <= 2, "step {step}, epoch {epoch}");
    assert!(!loss.is_finite() || loss > 1e3 * first, "{loss} {first}");
    let text = ZooError::Diverged { step, epoch, name, loss, first }.to_string();
    assert!(text.contains(&format!("at step {step}")) && text.contains("learning rate"), "{text}");
}

#[test]
fn values_that_are_no_finite_single_never_reach_a_model() {
    let names = ["CD3".to_owned(), "CD4".to_owned()];
    let table = |x: f64, scale| {
        let m = Matrix::Dense(Dense::new(2, 2, Values::F64(vec![1.0, 2.0, 3.0, x])).unwrap());
        loader::table(&m, &[0, 1], &names, scale, &mut ScaleGuess::default())
    };
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let e = table(x, &[SCALE; 2]).unwrap_err().to_string();
        assert!(e.contains("cell 1, CD4"), "{e}");
    }
    // Finite as a double, infinite as a single.
    let e = table(1e300, &[Transform::None; 2]).unwrap_err().to_string();
    assert!(e.contains("cell 1, CD4"), "{e}");
    assert!(table(1e300, &[SCALE; 2]).is_ok());
}

#[test]
fn a_run_that_is_asked_to_stop_stops_and_says_where() {
    #[derive(Default)]
    struct Stop(AtomicBool);
    impl Progress for Stop {
        fn start(&self, _: &str, _: u64) {}
        fn advance(&self, _: u64, _: &str) {}
        fn finish(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
        fn cancelled(&self) -> bool {
            true
        }
    }
    let (experiment, markers) = simulated();
    let stop = Stop::default();
    let e = correct::fit(&experiment, markers, SCALE, plan(Preset::Paper, &[24, 8], 100), &stop).unwrap_err();
    assert!(stop.0.load(Ordering::Relaxed), "the bar of a stopped run is cleared");
    assert!(matches!(e, CorrectError::Zoo(ZooError::Cancelled { step: 1..=32 })), "{e}");
}
