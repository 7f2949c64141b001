use std::collections::BTreeMap;

use candle_core::Device;

use super::*;
use crate::rng::Seed;

fn list(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).unwrap()
}

/// Weights set by name; biases 0.
fn specified(sizes: &[usize], weights: &[(&str, &[f32], &[usize])]) -> (Params, Critic) {
    let mut params = Params::new(Seed(0), &Device::Cpu);
    let critic = Critic::new(&mut params, "critic", sizes, 0.0, Head::One).unwrap();
    let mut stored: BTreeMap<String, Tensor> = params.snapshot().unwrap();
    for (name, values, shape) in weights {
        stored.insert(format!("critic.{name}"), tensor(values, shape));
    }
    params.load(&stored).unwrap();
    (params, critic)
}

fn random(head: Head, slope: f32) -> (Params, Critic) {
    let mut params = Params::new(Seed(4), &Device::Cpu);
    let critic = Critic::new(&mut params, "critic", &[6, 9, 7, 5], slope, head).unwrap();
    // Biases too, so that a mask that is wrong shows.
    let mut stored = params.snapshot().unwrap();
    for (k, t) in stored.values_mut().enumerate().filter(|(_, t)| t.rank() == 1) {
        *t = tensor(&normal(t.elem_count(), 100 + k as u64), t.dims());
    }
    params.load(&stored).unwrap();
    (params, critic)
}

fn normal(n: usize, seed: u64) -> Vec<f32> {
    let mut stream = Seed(seed).stream("critic");
    (0..n).map(|_| stream.normal() as f32).collect()
}

const HEADS: [Head; 3] = [Head::One, Head::PerClass(3), Head::Projection(3)];

fn classes(head: Head) -> Option<Tensor> {
    (head != Head::One).then(|| Tensor::new(&[0u32, 2, 1, 2], &Device::Cpu).unwrap())
}

/// A worked example: W₁ = [[1, −1], [2, 0], [0, 1]], b = 0, w = (1, −1, 2), ReLU.
#[test]
fn score_input_gradient_and_penalty_equal_the_specification() {
    let (_, critic) = specified(
        &[2, 3],
        &[
            ("0.weight", &[1.0, 2.0, 0.0, -1.0, 0.0, 1.0], &[2, 3]),
            ("head.weight", &[1.0, -1.0, 2.0], &[1, 3]),
        ],
    );
    for (x, score, gradient, penalty) in
        [([1.0f32, 0.5], -0.5, [-1.0, 1.0], 0.171_573), ([-1.0, 2.0], 4.0, [0.0, 2.0], 1.0)]
    {
        let pre = critic.first(&tensor(&x, &[1, 2])).unwrap();
        assert_eq!(list(&critic.score(&pre, None).unwrap()), [score]);
        let g = critic.input_gradient(&pre, None).unwrap();
        assert_eq!(list(&g), gradient);
        let got = list(&gradient_penalty(&g).unwrap())[0];
        assert!((got - penalty).abs() < 1e-6, "{got}");
    }
}

#[test]
fn the_input_gradient_is_that_of_backward_and_of_finite_differences() {
    for head in HEADS {
        for slope in [0.0, 0.2] {
            let (_, critic) = random(head, slope);
            let x = candle_core::Var::from_tensor(&tensor(&normal(24, 9), &[4, 6])).unwrap();
            let classes = classes(head);
            let score = |x: &Tensor| critic.score(&critic.first(x).unwrap(), classes.as_ref()).unwrap();
            let g = list(&critic.input_gradient(&critic.first(&x).unwrap(), classes.as_ref()).unwrap());
            let grads = score(&x).sum_all().unwrap().backward().unwrap();
            for (g, e) in g.iter().zip(list(grads.get(&x).unwrap())) {
                assert!((g - e).abs() < 1e-5 * (1.0 + e.abs()), "{head:?} {slope}: {g} {e}");
            }
            for k in 0..24 {
                let moved = |by: f32| {
                    let mut v = list(&x);
                    v[k] += by;
                    f64::from(list(&score(&tensor(&v, &[4, 6])))[k / 6])
                };
                let slope_at = (moved(1e-3) - moved(-1e-3)) / 2e-3;
                assert!((slope_at - f64::from(g[k])).abs() < 2e-3 * (1.0 + slope_at.abs()), "{head:?} {k}");
            }
        }
    }
}

#[test]
fn one_backward_pass_through_the_penalty_equals_finite_differences_in_every_weight() {
    for head in HEADS {
        let (params, critic) = random(head, 0.1);
        let pre = critic.first(&tensor(&normal(24, 9), &[4, 6])).unwrap();
        let classes = classes(head);
        // The masks stay those of `pre`, as they do in the true derivative.
        let penalty = || gradient_penalty(&critic.input_gradient(&pre, classes.as_ref()).unwrap()).unwrap();
        let grads = penalty().backward().unwrap();
        for (name, var) in params.iter().filter(|(name, _)| name.ends_with("weight")) {
            // Moving a deeper weight may move a mask behind it; steps are small enough that none flips here.
            let start = var.as_tensor().copy().unwrap();
            let gradient = list(grads.get(var).unwrap());
            for k in (0..gradient.len()).step_by(3) {
                let moved = |by: f32| {
                    let mut v = list(&start);
                    v[k] += by;
                    var.set(&tensor(&v, start.dims())).unwrap();
                    let value = f64::from(list(&penalty())[0]);
                    var.set(&start).unwrap();
                    value
                };
                let slope = (moved(2e-3) - moved(-2e-3)) / 4e-3;
                let off = (slope - f64::from(gradient[k])).abs();
                assert!(off < 4e-3 * (1.0 + slope.abs()), "{head:?} {name}[{k}]: {} {slope}", gradient[k]);
            }
        }
        for (name, var) in params.iter().filter(|(name, _)| name.ends_with("bias")) {
            assert!(grads.get(var).is_none_or(|g| list(g).iter().all(|&g| g == 0.0)), "{name}");
        }
    }
}

#[test]
fn dense_and_sparse_cells_together_equal_dense_cells_in_value_and_gradient() {
    let (params, critic) = random(Head::One, 0.0);
    let rows =
        SparseBatch::new(6, vec![0, 2, 2, 5], vec![0, 4, 1, 3, 5], vec![1.0, -2.0, 0.5, 3.0, 1.5]).unwrap();
    let dense = tensor(&normal(12, 3), &[2, 6]);
    let all = Tensor::cat(&[&dense, &rows.dense(&Device::Cpu).unwrap()], 0).unwrap();
    let together = critic.first_of_both(&dense, &rows).unwrap();
    let apart = critic.first(&all).unwrap();
    let weights = tensor(&normal(45, 5), &[5, 9]);
    let gradients = |pre: &Tensor| {
        let grads = (pre * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        params
            .iter()
            .filter(|(n, _)| n.starts_with("critic.0"))
            .flat_map(|(_, v)| list(grads.get(v).unwrap()))
            .collect()
    };
    let close = |a: Vec<f32>, b: Vec<f32>| {
        assert_eq!(a.len(), b.len());
        a.iter().zip(&b).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} {b}"));
    };
    close(list(&together), list(&apart));
    close(gradients(&together), gradients(&apart));
    let narrow = tensor(&[0.0; 5], &[1, 5]);
    assert!(critic.first_of_both(&narrow, &rows).is_err() && critic.first(&narrow).is_err());
}

#[test]
fn a_gathering_critic_has_the_gradients_of_a_plain_one() {
    for head in HEADS {
        let (params, critic) = random(head, 0.1);
        let rows = SparseBatch::new(6, vec![0, 2, 3], vec![0, 4, 1], vec![1.0, -2.0, 0.5]).unwrap();
        let dense = tensor(&normal(12, 3), &[2, 6]);
        let classes = classes(head);
        let gradients = |critic: &Critic| {
            let pre = critic.first_of_both(&dense, &rows).unwrap();
            let penalty = gradient_penalty(&critic.input_gradient(&pre, classes.as_ref()).unwrap()).unwrap();
            let score = critic.score(&pre, classes.as_ref()).unwrap().mean_all().unwrap();
            let mut grads = (score + penalty).unwrap().backward().unwrap();
            critic.hand_over(&mut grads);
            params.iter().map(|(_, v)| list(grads.get(v).unwrap())).collect::<Vec<_>>()
        };
        let gathering = critic.gathering().unwrap();
        // Twice: what was handed over must not come again.
        let runs = [gradients(&critic), gradients(&gathering), gradients(&gathering)];
        for run in &runs[1..] {
            for (a, b) in run.iter().flatten().zip(runs[0].iter().flatten()) {
                assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{head:?}: {a} {b}");
            }
        }
        assert_eq!(runs[1], runs[2]);
    }
}

#[test]
fn a_frozen_critic_scores_alike_follows_its_weights_and_gives_gradients_to_cells_alone() {
    let (params, critic) = random(Head::One, 0.0);
    let frozen = critic.frozen();
    let x = candle_core::Var::from_tensor(&tensor(&normal(24, 9), &[4, 6])).unwrap();
    let score = |c: &Critic| c.score(&c.first(&x).unwrap(), None).unwrap();
    assert_eq!(list(&score(&critic)), list(&score(&frozen)));
    let grads = score(&frozen).sum_all().unwrap().backward().unwrap();
    assert!(grads.get(&x).is_some() && params.iter().all(|(_, v)| grads.get(v).is_none()));
    let bias = params.iter().find(|(n, _)| *n == "critic.head.bias").unwrap().1;
    bias.set(&tensor(&[50.0], &[1])).unwrap();
    assert_eq!(list(&score(&critic)), list(&score(&frozen)));
}

#[test]
fn a_critic_by_class_asks_for_classes_and_an_empty_one_is_refused() {
    let (_, critic) = random(Head::PerClass(3), 0.0);
    let pre = critic.first(&tensor(&normal(24, 9), &[4, 6])).unwrap();
    assert!(critic.score(&pre, None).unwrap_err().to_string().contains("class"));
    let mut params = Params::new(Seed(0), &Device::Cpu);
    assert!(Critic::new(&mut params, "a", &[4], 0.0, Head::One).is_err());
    assert!(Critic::new(&mut params, "b", &[4, 2], 0.0, Head::PerClass(0)).is_err());
}
