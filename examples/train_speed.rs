//! Trains the published autoencoder and prints steps per second and the last loss:
//! `train_speed THREADS CELLS MINIBATCH WARM_UP STEPS`. Used by `benches/train_speed.py`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use candle_core::Device;
use ndarray::Array2;
use scx::loader::{Group, Union};
use scx::nn::AdamConfig;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::{Length, NeuronEdit, NeuronEditConfig, TrainConfig, Trainer};

const MARKERS: usize = 35;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let numbers = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<Vec<usize>, _>>()?;
    let &[threads, cells, minibatch, warm_up, steps] = numbers.as_slice() else {
        return Err("usage: train_speed THREADS CELLS MINIBATCH WARM_UP STEPS".into());
    };
    let mut stream = Seed(0).stream("train_speed");
    let tables = [Array2::from_shape_simple_fn((cells, MARKERS), || stream.normal() as f32)];
    let group = Group { table: 0, rows: (0..cells).collect() };
    let data = Union::new(&tables, &[&group]);
    let (warm_up, steps) = (warm_up as u64, steps as u64);
    let length = Length::Steps(warm_up + steps);
    let config = TrainConfig::plain(minibatch, length, AdamConfig::default());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let mut model = NeuronEdit::new(NeuronEditConfig::paper(MARKERS), Seed(0), &Device::Cpu)?;
        let mut trainer = Trainer::new(&model, config, Seed(0));
        trainer.run(&mut model, &data, Some(warm_up), &Silent)?;
        let start = Instant::now();
        trainer.run(&mut model, &data, None, &Silent)?;
        let rate = steps as f64 / start.elapsed().as_secs_f64();
        println!("{rate} {}", trainer.state().history.last().map_or(f64::NAN, |point| point.1));
        Ok(())
    })
}
