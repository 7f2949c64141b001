//! Trains scGAN of the published sizes and prints seconds per outer step (five updates of the critic, one of the
//! generator) and the last loss: `scgan_speed THREADS GENES MINIBATCH WARM_UP OUTER_STEPS`. Used by
//! `benches/generation_speed.py`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use candle_core::Device;
use scx::nn::SparseBatch;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::scgan::{ScGan, ScGanConfig};
use scx::zoo::{Batch, BatchSource, CountBatch, Length, Preset, TrainConfig, Trainer, ZooError};

const CELLS: usize = 1000;

/// Share of the genes a cell has counts of: that of PBMCs.
const SHARE: f64 = 0.06;

/// Cells with counts at random genes.
struct Cells(Vec<Vec<(u32, f32)>>, usize);

impl BatchSource for Cells {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn batch(&self, cells: &[usize], _: &Device) -> Result<Batch, ZooError> {
        let (mut indptr, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for &cell in cells {
            columns.extend(self.0[cell].iter().map(|c| c.0));
            values.extend(self.0[cell].iter().map(|c| c.1));
            indptr.push(columns.len());
        }
        let counts = SparseBatch::new(self.1, indptr, columns, values)?;
        Ok(Batch::Counts(CountBatch { library: counts.sums(), counts, labels: vec![0; cells.len()] }))
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let numbers = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<Vec<usize>, _>>()?;
    let &[threads, genes, minibatch, warm_up, steps] = numbers.as_slice() else {
        return Err("usage: scgan_speed THREADS GENES MINIBATCH WARM_UP OUTER_STEPS".into());
    };
    let mut stream = Seed(0).stream("scgan_speed");
    let mut cell = || {
        let picked = stream.sample(genes, (SHARE * genes as f64) as usize);
        picked.into_iter().map(|g| (g as u32, 1.0 + stream.below(4) as f32)).collect()
    };
    let data = Cells((0..CELLS).map(|_| cell()).collect(), genes);
    let config = ScGanConfig::preset(Preset::Paper, genes, None);
    let length = Length::Steps(config.steps((warm_up + steps) as u64));
    let run = TrainConfig { minibatch, length, ..ScGanConfig::train(Preset::Paper) };
    let warm_up = config.steps(warm_up as u64);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let mut model = ScGan::new(config, Seed(0), &Device::Cpu)?;
        let mut trainer = Trainer::new(&model, run, Seed(0));
        trainer.run(&mut model, &data, Some(warm_up), &Silent)?;
        let start = Instant::now();
        trainer.run(&mut model, &data, None, &Silent)?;
        let each = start.elapsed().as_secs_f64() / steps as f64;
        println!("{each} {}", trainer.state().history.last().map_or(f64::NAN, |point| point.1));
        Ok(())
    })
}
