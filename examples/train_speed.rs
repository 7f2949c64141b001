//! Steps per second.
use candle_core::{Device, Tensor};
use scx::nn::*;
use scx::rng::Seed;
fn main() {
    let threads: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| run(threads));
}
fn run(threads: usize) {
    let mut p = Params::new(Seed(0), &Device::Cpu);
    let act = Activation::LeakyRelu(0.2);
    let enc = Mlp::new(&mut p, "encoder", &[35, 500, 250, 50], act, act).unwrap();
    let dec = Mlp::new(&mut p, "decoder", &[50, 250, 500, 35], act, Activation::Identity).unwrap();
    let mut opt = Adam::new(AdamConfig::default(), p.iter());
    let mut s = Seed(1).stream("x");
    let x: Vec<f32> = (0..3500).map(|_| s.normal() as f32).collect();
    let x = Tensor::from_vec(x, (100, 35), &Device::Cpu).unwrap();
    for _round in 0..3 {
        let t = std::time::Instant::now();
        let n = 600;
        let mut l = 0.0;
        let (mut f, mut b, mut o) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let t0 = std::time::Instant::now();
            let loss = nn_loss(&enc, &dec, &x);
            let t1 = std::time::Instant::now();
            let g = loss.backward().unwrap();
            let t2 = std::time::Instant::now();
            opt.step(&g).unwrap();
            let t3 = std::time::Instant::now();
            f += (t1 - t0).as_secs_f64();
            b += (t2 - t1).as_secs_f64();
            o += (t3 - t2).as_secs_f64();
            l = loss.to_scalar::<f32>().unwrap();
        }
        println!(
            "threads {threads}: {:.0} steps/s loss {l} fwd {:.2} bwd {:.2} opt {:.2} ms",
            f64::from(n) / t.elapsed().as_secs_f64(),
            f / n as f64 * 1e3,
            b / n as f64 * 1e3,
            o / n as f64 * 1e3
        );
    }
}
fn nn_loss(enc: &Mlp, dec: &Mlp, x: &Tensor) -> Tensor {
    fused::mse(&dec.forward(&enc.forward(x).unwrap()).unwrap(), x).unwrap()
}
