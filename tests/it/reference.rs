//! Layers, loss, Adam and the neuron edit against PyTorch and NumPy (`fixtures/make/torch_steps.py`), and the fused
//! operations against their plain forms.
#![allow(clippy::unwrap_used, clippy::panic)]

mod scgan;

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use ndarray::{Array2, ArrayView2};
use scx::classic::{PAPER_KNOTS, PercentileMap, Tail};
use scx::nn::gemm::{View, matmul};
use scx::nn::{Activation, Adam, AdamConfig, Mlp, Params, fused};
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::{
    Batch, BatchSource, LatentEdit, Length, Model, NeuronEdit, NeuronEditConfig, TrainConfig, Trainer,
    ZooError,
};
use serde_json::Value;

const SIZES: [usize; 7] = [7, 12, 9, 4, 9, 12, 7];

fn expected() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/expected/torch_steps.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The same numbers as `sines` of the script.
fn sines(rows: usize, cols: usize, a: f64, b: f64, c: f64, scale: f64) -> Array2<f32> {
    Array2::from_shape_fn((rows, cols), |(i, j)| {
        let (i, j) = (i as f64, j as f64);
        (scale * (a * i + b * j + 0.37 * i * j + c).sin()) as f32
    })
}

fn close(got: impl IntoIterator<Item = f32>, expected: &Value, relative: f64, what: &str) {
    let (got, expected): (Vec<f32>, _) = (got.into_iter().collect(), list(expected));
    assert_eq!(got.len(), expected.len(), "{what}");
    // Values near zero are sums of larger ones: they are held to the size of their array.
    let size = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (i, (&g, &e)) in got.iter().zip(&expected).enumerate() {
        let off = (f64::from(g) - e).abs();
        assert!(off <= relative * (e.abs() + 0.1 * size), "{what}[{i}]: {g} for {e}");
    }
}

fn values(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn tensor(x: &Array2<f32>) -> Tensor {
    Tensor::from_vec(x.iter().copied().collect::<Vec<_>>(), x.dim(), &Device::Cpu).unwrap()
}

/// The weights of the script, by name.
fn weights() -> BTreeMap<String, Tensor> {
    let mut out = BTreeMap::new();
    for k in 0..6 {
        let (inputs, outputs, number) = (SIZES[k], SIZES[k + 1], k as f64);
        let name = if k < 3 { format!("encoder.{k}") } else { format!("decoder.{}", k - 3) };
        let weight = sines(outputs, inputs, 0.7, 1.3, 2.1 * number, 0.6);
        let bias = sines(outputs, 1, 0.9, 0.0, 1.7 * number, 0.1);
        out.insert(format!("autoencoder.{name}.weight"), tensor(&weight));
        out.insert(format!("autoencoder.{name}.bias"), tensor(&bias).flatten_all().unwrap());
    }
    out
}

fn model() -> NeuronEdit {
    let config = NeuronEditConfig { width: 7, hidden: vec![12, 9, 4], slope: 0.2 };
    let model = NeuronEdit::new(config, Seed(5), &Device::Cpu).unwrap();
    model.params().load(&weights()).unwrap();
    model
}

struct Cells(Array2<f32>);

impl BatchSource for Cells {
    fn len(&self) -> usize {
        self.0.nrows()
    }
    fn batch(&self, cells: &[usize], device: &Device) -> Result<Batch, ZooError> {
        let values = cells.iter().flat_map(|&i| self.0.row(i).to_vec()).collect();
        Batch::dense(values, self.0.ncols(), device)
    }
}

fn minibatch() -> Cells {
    Cells(sines(10, 7, 1.1, 0.6, 0.3, 2.0))
}

/// The model after the script's three steps, each of them checked.
fn trained(expected: &Value) -> NeuronEdit {
    let mut model = model();
    let config = TrainConfig::plain(10, Length::Steps(3), AdamConfig::default());
    let mut trainer = Trainer::new(&model, config, Seed(0));
    let steps = expected["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 3);
    for (k, step) in steps.iter().enumerate() {
        trainer.run(&mut model, &minibatch(), Some(k as u64 + 1), &Silent).unwrap();
        let &(at, loss) = trainer.state().history.last().unwrap();
        assert_eq!(at, k as u64 + 1);
        let torch = step["loss"].as_f64().unwrap();
        assert!((loss - torch).abs() < 2e-6 * torch, "loss of step {at}: {loss} for {torch}");
        for (name, var) in model.params().iter() {
            close(values(var), &step["weights"][name], 1e-5, &format!("{name} after step {at}"));
        }
    }
    model
}

#[test]
fn both_sides_start_from_the_same_numbers() {
    let expected = expected();
    let weights = weights();
    assert_eq!(weights.len(), expected["start"].as_object().unwrap().len());
    for (name, weight) in weights {
        close(values(&weight), &expected["start"][&name], 1e-6, &name);
    }
    close(minibatch().0, &expected["minibatch"], 1e-6, "minibatch");
}

#[test]
fn bottleneck_output_loss_and_every_gradient_equal_pytorch() {
    let expected = expected();
    let net = model();
    let z = net.encode(minibatch().0.view()).unwrap();
    close(z.clone(), &expected["bottleneck"], 1e-5, "bottleneck");
    close(net.decode(z.view()).unwrap(), &expected["output"], 1e-5, "output");

    // The same layers by hand, where gradients can be seen.
    let mut params = Params::new(Seed(1), &Device::Cpu);
    let act = Activation::LeakyRelu(0.2);
    let encoder = Mlp::new(&mut params, "autoencoder.encoder", &SIZES[..4], act, act).unwrap();
    let decoder =
        Mlp::new(&mut params, "autoencoder.decoder", &SIZES[3..], act, Activation::Identity).unwrap();
    params.load(&weights()).unwrap();
    let batch = tensor(&minibatch().0);
    let output = decoder.forward(&encoder.forward(&batch).unwrap()).unwrap();
    let loss = fused::mse(&output, &batch).unwrap();
    close(
        [loss.to_scalar::<f32>().unwrap()],
        &Value::from(vec![expected["steps"][0]["loss"].clone()]),
        1e-6,
        "loss",
    );
    let gradients = loss.backward().unwrap();
    for (name, var) in params.iter() {
        let gradient = gradients.get(var).unwrap();
        assert_eq!(gradient.dims(), var.dims(), "{name}");
        close(values(gradient), &expected["gradients"][name], 1e-5, name);
    }
}

#[test]
fn three_training_steps_equal_pytorch() {
    trained(&expected());
}

/// The codes of the script: two plain neurons, one with ties in the source, one constant there.
fn codes() -> [Array2<f32>; 3] {
    let mut source = sines(30, 4, 1.9, 0.8, 0.1, 1.5);
    source.column_mut(2).mapv_inplace(|v| v.max(0.0));
    source.column_mut(3).fill(0.75);
    [source, sines(30, 4, 2.3, 0.5, 0.7, 2.5), sines(12, 4, 0.77, 0.4, 0.2, 4.0)]
}

#[test]
fn percentile_map_and_latent_edit_equal_numpy_tails_ties_and_constants_included() {
    let expected = &expected()["edit"];
    let [source, target, codes] = codes();
    close(codes.clone(), &expected["codes"], 1e-6, "codes");
    let edited = list(&expected["edited"]);
    for k in 0..4 {
        let column = |x: &Array2<f32>| x.column(k).iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let map = PercentileMap::fit(&mut column(&source), &mut column(&target), PAPER_KNOTS, Tail::Linear);
        assert!(map.is_sound());
        for (i, a) in column(&codes).into_iter().enumerate() {
            let (got, e) = (map.apply(a), edited[i * 4 + k]);
            // The inputs are singles: sines of two libraries may differ in the last bit of some.
            assert!((got - e).abs() < 2e-5 * (1.0 + e.abs()), "neuron {k}, cell {i}: {got} for {e}");
        }
    }
    let edit = LatentEdit::fit(source.view(), target.view(), PAPER_KNOTS, Tail::Linear);
    let (mut by_map, mut by_mean) = (codes.clone(), codes);
    edit.edit(&mut by_map);
    edit.shift(&mut by_mean);
    close(by_map, &expected["edited"], 2e-5, "edited codes");
    close(by_mean, &expected["shifted"], 1e-6, "shifted codes");
}

#[test]
fn a_cell_encoded_edited_and_decoded_is_the_cell_of_pytorch_and_numpy() {
    let expected = expected();
    let model = trained(&expected);
    let encode = |x: &Array2<f32>| model.encode(x.view()).unwrap();
    let source = encode(&sines(40, 7, 1.7, 0.9, 0.5, 2.0));
    let target = encode(&sines(35, 7, 2.9, 0.7, 1.1, 3.0));
    let sample = encode(&sines(15, 7, 0.83, 1.9, 0.4, 4.0));
    let edit = LatentEdit::fit(source.view(), target.view(), PAPER_KNOTS, Tail::Linear);
    let outside = expected["outside"].as_f64().unwrap();
    assert!((edit.outside(sample.view()) - outside).abs() < 1e-9, "{}", edit.outside(sample.view()));
    let decode = |z: ArrayView2<'_, f32>| model.decode(z).unwrap();
    let (mut by_map, mut by_mean) = (sample.clone(), sample);
    edit.edit(&mut by_map);
    edit.shift(&mut by_mean);
    close(decode(by_map.view()), &expected["corrected"], 1e-4, "corrected cells");
    close(decode(by_mean.view()), &expected["constant_shift"], 1e-4, "constant shift");
}

type LinearOp = fn(&Tensor, &Tensor, &Tensor, Activation) -> candle_core::Result<Tensor>;
type LossOp = fn(&Tensor, &Tensor) -> candle_core::Result<Tensor>;

#[test]
fn whole_training_steps_of_fused_and_of_plain_operations_agree() {
    let batch = tensor(&sines(20, 7, 1.1, 0.6, 0.3, 2.0));
    let train = |linear: LinearOp, mse: LossOp| -> (Vec<f32>, Vec<Vec<f32>>) {
        let layers: Vec<(Var, Var, Activation)> = [(7, 12), (12, 4), (4, 7)]
            .into_iter()
            .enumerate()
            .map(|(k, (inputs, out))| {
                let weight = tensor(&sines(out, inputs, 0.7, 1.3, 2.1 * k as f64, 0.6));
                let bias = tensor(&sines(out, 1, 0.9, 0.0, 1.7 * k as f64, 0.1)).flatten_all().unwrap();
                let act = if k == 2 { Activation::Identity } else { Activation::LeakyRelu(0.2) };
                (Var::from_tensor(&weight).unwrap(), Var::from_tensor(&bias).unwrap(), act)
            })
            .collect();
        let names: Vec<[String; 2]> = (0..3).map(|k| [format!("{k}.w"), format!("{k}.b")]).collect();
        let named =
            names.iter().zip(&layers).flat_map(|(n, (w, b, _))| [(n[0].as_str(), w), (n[1].as_str(), b)]);
        let mut adam = Adam::new(AdamConfig::default(), named);
        let mut losses = Vec::new();
        for _ in 0..3 {
            let y = layers.iter().try_fold(batch.clone(), |x, (w, b, act)| linear(&x, w, b, *act)).unwrap();
            let loss = mse(&y, &batch).unwrap();
            losses.push(loss.to_scalar::<f32>().unwrap());
            adam.step(&loss.backward().unwrap()).unwrap();
        }
        (losses, layers.iter().flat_map(|(w, b, _)| [values(w), values(b)]).collect())
    };
    let (fused_losses, fused_weights) = train(fused::linear, fused::mse);
    let (plain_losses, plain_weights) = train(fused::linear_plain, fused::mse_plain);
    let near = |a: &[f32], b: &[f32]| {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-5 * (0.1 + b.abs()), "{a} {b}");
        }
    };
    assert!(fused_losses[2] < fused_losses[0]);
    near(&fused_losses, &plain_losses);
    fused_weights.iter().zip(&plain_weights).for_each(|(a, b)| near(a, b));
}

#[test]
fn a_product_large_enough_to_be_shared_has_the_same_bits_on_any_number_of_threads() {
    // 2^27 and more multiplications: above the size from which threads share one product.
    let (m, k, n) = (515, 520, 530);
    let (a, b) = (sines(m, k, 0.7, 1.3, 0.2, 1.0), sines(k, n, 0.9, 1.1, 0.5, 1.0));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut out = vec![0.0; m * n];
            let (a, b) = (a.as_slice().unwrap(), b.as_slice().unwrap());
            matmul(&mut out, View::new(a, m, k).unwrap(), View::new(b, k, n).unwrap(), 0.0);
            out
        })
    };
    let one = run(1);
    for threads in [2, 3] {
        assert!(one.iter().zip(run(threads)).all(|(x, y)| x.to_bits() == y.to_bits()), "{threads} threads");
    }
}
