//! ACTIVA against PyTorch (`fixtures/make/torch_activa.py`), and the rows of the specification about its updates
//!.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use scx::nn::{
    Activation, CountLaw, Linear, Mlp, NnError, Params, SparseBatch, cross_entropy, kl_divergence,
    negative_log_likelihood, squared_error,
};
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::activa::{Activa, ActivaConfig, Learnt};
use scx::zoo::{Batch, BatchSource, CountBatch, Length, Model, Preset, TrainConfig, Trainer, ZooError};
use serde_json::Value;

/// The script's first weights and noise are those of this seed.
const SEED: Seed = Seed(5);
const GENES: usize = 11;
const LABELS: usize = 3;

fn expected() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected/torch_activa.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(super) fn list(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

pub(super) fn values(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// All cells in one minibatch, always in the same order, so that noise meets the same cells on both sides.
pub(super) struct Whole(CountBatch);

impl BatchSource for Whole {
    fn len(&self) -> usize {
        self.0.counts.len()
    }
    fn batch(&self, _: &[usize], _: &Device) -> Result<Batch, ZooError> {
        Ok(Batch::Counts(self.0.clone()))
    }
}

fn sparse(rows: &[Vec<f64>]) -> SparseBatch {
    let (mut indptr, mut columns, mut counts) = (vec![0], Vec::new(), Vec::new());
    for row in rows {
        for (g, &v) in row.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            columns.push(g as u32);
            counts.push(v as f32);
        }
        indptr.push(columns.len());
    }
    SparseBatch::new(rows.first().map_or(0, Vec::len), indptr, columns, counts).unwrap()
}

pub(super) fn whole(expected: &Value, take: usize) -> Whole {
    let rows: Vec<Vec<f64>> = expected["counts"].as_array().unwrap().iter().take(take).map(list).collect();
    let counts = sparse(&rows);
    let library = counts.sums();
    let labels = list(&expected["labels"]).into_iter().take(take).map(|l| l as u32).collect();
    Whole(CountBatch { counts, library, labels })
}

fn config(preset: Preset, expected: &Value) -> ActivaConfig {
    ActivaConfig {
        encoder: vec![9, 7],
        latent: 4,
        generator: vec![7, 9],
        warm_up_epochs: 3,
        classifier_epochs: 3,
        target_sum: expected["target_sum"].as_f64().unwrap() as f32,
        margin: expected["presets"][preset.name()]["margin"].as_f64().unwrap() as f32,
        ..ActivaConfig::preset(preset, GENES, LABELS)
    }
}

fn training(preset: Preset, steps: usize, cells: usize) -> TrainConfig {
    TrainConfig::plain(cells, Length::Steps(steps as u64), ActivaConfig::adam(preset))
}

/// A model with the script's scales, offsets and running statistics.
fn model(config: ActivaConfig, start: &Value) -> Activa {
    let model = Activa::new(config, Learnt::default(), SEED, &Device::Cpu).unwrap();
    let vars: BTreeMap<&str, _> = model.params().iter().collect();
    for (name, given) in start.as_object().unwrap() {
        let given: Vec<f32> = list(given).into_iter().map(|v| v as f32).collect();
        vars[name.as_str()].set(&Tensor::new(given, &Device::Cpu).unwrap()).unwrap();
    }
    drop(vars);
    model
}

/// Values near zero are sums of larger ones: they are held to the size of their array.
pub(super) fn close(got: &[f32], expected: &[f64], relative: f64, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let size = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (i, (&g, &e)) in got.iter().zip(expected).enumerate() {
        let off = (f64::from(g) - e).abs();
        assert!(off <= relative * (e.abs() + 0.1 * size), "{what}[{i}]: {g} for {e}");
    }
}

/// Every step of a preset: losses, weights and running statistics.
fn follow(preset: Preset, relative: f64) {
    let expected = expected();
    let of = &expected["presets"][preset.name()];
    let (thin, large) =
        (expected["thin"].as_u64().unwrap() as usize, expected["large"].as_u64().unwrap() as usize);
    let data = whole(&expected, usize::MAX);
    let mut model = model(config(preset, &expected), &of["start"]);
    let steps = of["steps"].as_array().unwrap();
    let mut trainer = Trainer::new(&model, training(preset, steps.len(), data.len()), SEED);
    let mut average: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (k, step) in steps.iter().enumerate() {
        trainer.run(&mut model, &data, Some(k as u64 + 1), &Silent).unwrap();
        for (name, loss) in step["losses"].as_object().unwrap() {
            let &(at, got) = trainer.state().parts[name].history.last().unwrap();
            let torch = loss.as_f64().unwrap();
            assert_eq!(at, k as u64 + 1, "{name}");
            assert!((got - torch).abs() <= relative * torch.abs(), "{name} of step {at}: {got} for {torch}");
        }
        let vars: BTreeMap<&str, _> = model.params().iter().collect();
        for (name, torch) in step["tensors"].as_object().unwrap() {
            let (got, torch) = (values(vars[name.as_str()]), list(torch));
            let every = if got.len() > large { thin } else { 1 };
            let some: Vec<f32> = got.iter().step_by(every).copied().collect();
            close(&some, &torch, relative, &format!("{} {name} after step {}", preset.name(), k + 1));
            if every == 1 {
                let sum = average.entry(name.clone()).or_insert_with(|| vec![0.0; torch.len()]);
                sum.iter_mut().zip(&torch).for_each(|(s, t)| *s += t / steps.len() as f64);
            }
        }
        // Nothing of the two networks that learn is left unseen.
        for name in vars.keys().filter(|n| n.starts_with("encoder.") || n.starts_with("generator.")) {
            assert!(step["tensors"].get(name).is_some() || *name == "generator.zero_logit", "{name}");
        }
    }
    let averaged = model.params().group_with_buffers("average").collect::<Vec<_>>();
    assert_eq!(averaged.is_empty(), preset != Preset::Default);
    for (name, var) in averaged {
        let own = name.strip_prefix("average.").unwrap();
        close(&values(var), &average[own], relative, name);
    }
}

#[test]
fn warm_up_and_introspective_steps_of_the_paper_equal_pytorch() {
    follow(Preset::Paper, 1e-5);
}

#[test]
fn warm_up_and_introspective_steps_of_the_public_code_equal_pytorch() {
    follow(Preset::Code, 1e-5);
}

#[test]
fn steps_with_a_law_for_counts_equal_pytorch() {
    follow(Preset::Default, 1e-4);
}

/// Names and shapes of the published networks; that ReLU comes before batch normalisation is what the steps prove.
#[test]
fn the_published_networks_have_the_shapes_and_the_number_of_weights_of_pytorch() {
    let expected = &expected()["published"];
    let config = ActivaConfig::preset(Preset::Paper, 13_656, 8);
    let model = Activa::new(config, Learnt::default(), Seed(0), &Device::Cpu).unwrap();
    let got: BTreeMap<String, Vec<u64>> = model
        .params()
        .iter()
        .map(|(name, var)| (name.to_owned(), var.dims().iter().map(|&d| d as u64).collect()))
        .collect();
    let torch: BTreeMap<String, Vec<u64>> = serde_json::from_value(expected["shapes"].clone()).unwrap();
    assert_eq!(got, torch);
    assert_eq!(model.params().count() as u64, expected["trained"].as_u64().unwrap());
}

/// A worked example, stop-gradient: with the divergences as the only terms that could reach it, the generator moves when
/// it is attached, and not by a bit when it is cut off.
#[test]
fn the_divergences_reach_the_generator_unless_it_is_cut_off() {
    let expected = expected();
    let data = whole(&expected, usize::MAX);
    let moved = |detached: bool| {
        let config = ActivaConfig {
            warm_up_epochs: 0,
            classifier_epochs: 0,
            reconstruction: 0.0,
            classification: 0.0,
            compat_detached: detached,
            ..config(Preset::Paper, &expected)
        };
        let mut model = model(config, &expected["presets"]["paper"]["start"]);
        let weights = |m: &Activa, group: &str| -> Vec<(String, Vec<u32>)> {
            let bits = |t: &Tensor| values(t).into_iter().map(f32::to_bits).collect();
            m.params().group(group).map(|(n, v)| (n.to_owned(), bits(v))).collect()
        };
        let before = [weights(&model, "generator"), weights(&model, "encoder")];
        Trainer::new(&model, training(Preset::Paper, 1, data.len()), SEED)
            .run(&mut model, &data, None, &Silent)
            .unwrap();
        let after = [weights(&model, "generator"), weights(&model, "encoder")];
        let apart = |k: usize| before[k].iter().zip(&after[k]).filter(|(a, b)| a != b).count();
        assert_eq!(apart(1), before[1].len(), "every tensor of the encoder moves");
        (apart(0), before[0].len())
    };
    let (attached, tensors) = moved(false);
    assert_eq!(attached, tensors, "every tensor of the generator moves");
    assert_eq!(moved(true).0, 0);
}

/// A worked example, loss scaling: a minibatch twice over, with the same noise and no batch normalisation.
#[test]
fn a_minibatch_twice_over_has_the_same_loss() {
    let expected = expected();
    let once: Vec<Vec<f64>> = expected["counts"].as_array().unwrap().iter().map(list).collect();
    let n = once.len();
    let mut params = Params::new(SEED, &Device::Cpu);
    let encoder =
        Mlp::new(&mut params, "a.encoder", &[GENES, 9, 8], Activation::RELU, Activation::Identity).unwrap();
    let decoder = Linear::new(&mut params, "a.decoder", 4, GENES, Activation::Identity).unwrap();
    let classifier = Linear::new(&mut params, "a.classifier", GENES, LABELS, Activation::Identity).unwrap();
    let mut stream = SEED.stream("noise");
    let noise: Vec<f32> = (0..n * 4).map(|_| stream.normal() as f32).collect();
    let losses = |times: usize| -> Vec<f64> {
        let counts = sparse(&vec![once.clone(); times].concat());
        let x = counts.log_scaled(20_000.0).dense(&Device::Cpu).unwrap();
        let code = encoder.forward(&x).unwrap();
        let (mean, log_variance) = (code.narrow(1, 0, 4).unwrap(), code.narrow(1, 4, 4).unwrap());
        let noise = Tensor::from_vec(noise.repeat(times), (times * n, 4), &Device::Cpu).unwrap();
        let spread = ((&log_variance * 0.5).unwrap().exp().unwrap() * noise).unwrap();
        let made = decoder.forward(&(&mean + spread).unwrap()).unwrap();
        let labels: Vec<u32> = (0..times * n).map(|i| (i % n % LABELS) as u32).collect();
        let labels = Tensor::from_vec(labels, times * n, &Device::Cpu).unwrap();
        let zeros = Tensor::zeros(GENES, candle_core::DType::F32, &Device::Cpu).unwrap();
        let nll =
            negative_log_likelihood(&counts, &counts.sums(), CountLaw::Nb, &made, &zeros, &zeros).unwrap();
        let logits = classifier.forward(&x).unwrap();
        let all = [
            kl_divergence(&mean, &log_variance).unwrap(),
            squared_error(&made, &x).unwrap(),
            nll,
            cross_entropy(&logits, &labels).unwrap(),
        ];
        all.iter().map(|t| f64::from(t.to_scalar::<f32>().unwrap())).collect()
    };
    for (k, (one, two)) in losses(1).into_iter().zip(losses(2)).enumerate() {
        assert!(one > 0.0 && (one - two).abs() <= 1e-6 * one, "loss {k}: {one}, twice over {two}");
    }
}

/// One cell in a minibatch.
#[test]
fn a_minibatch_of_one_cell_is_a_typed_error_in_every_preset() {
    let expected = expected();
    let data = whole(&expected, 1);
    for preset in Preset::ALL {
        let mut model =
            Activa::new(config(preset, &expected), Learnt::default(), SEED, &Device::Cpu).unwrap();
        let e = Trainer::new(&model, training(preset, 1, 1), SEED)
            .run(&mut model, &data, None, &Silent)
            .unwrap_err();
        assert!(
            matches!(&e, ZooError::Nn(NnError::Parameter { name, .. }) if name == "minibatch"),
            "{preset:?}: {e}"
        );
        let finite = model.params().iter().all(|(_, v)| values(v).iter().all(|x| x.is_finite()));
        assert!(finite, "{preset:?}");
    }
}
