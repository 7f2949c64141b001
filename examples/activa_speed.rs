//! Times steps of ACTIVA on counts of that many genes: `activa_speed introspective|plain THREADS GENES MINIBATCH WARM_UP
//! STEPS` prints seconds per step and the last loss. Introspective steps are those of the preset `paper` after its
//! warm-up, plain ones those of the default preset. Used by `benches/activa_speed.py`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use candle_core::Device;
use scx::nn::SparseBatch;
use scx::progress::Silent;
use scx::rng::Seed;
use scx::zoo::activa::{Activa, ActivaConfig, Learnt};
use scx::zoo::{Batch, BatchSource, CountBatch, Length, Preset, TrainConfig, Trainer, ZooError};

const CELLS: usize = 1024;
const LABELS: usize = 10;

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
        let labels = cells.iter().map(|c| (c % LABELS) as u32).collect();
        Ok(Batch::Counts(CountBatch { library: counts.sums(), counts, labels }))
    }
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut args = std::env::args().skip(1);
    let which = args.next().unwrap_or_default();
    let numbers = args.map(|a| a.parse()).collect::<Result<Vec<usize>, _>>()?;
    let (&[threads, genes, minibatch, warm_up, steps], Some(preset)) = (
        numbers.as_slice(),
        [("introspective", Preset::Paper), ("plain", Preset::Default)].iter().find(|p| p.0 == which),
    ) else {
        return Err("usage: activa_speed introspective|plain THREADS GENES MINIBATCH WARM_UP STEPS".into());
    };
    let preset = preset.1;
    let mut stream = Seed(0).stream("activa_speed");
    let mut cell = || {
        let picked = stream.sample(genes, (SHARE * genes as f64) as usize);
        picked.into_iter().map(|g| (g as u32, 1.0 + stream.below(4) as f32)).collect()
    };
    let data = Cells((0..CELLS).map(|_| cell()).collect(), genes);
    let mut config = ActivaConfig::preset(preset, genes, LABELS);
    if preset == Preset::Paper {
        (config.warm_up_epochs, config.classifier_epochs) = (0, 0);
    }
    let length = Length::Steps((warm_up + steps) as u64);
    let run = TrainConfig::plain(minibatch, length, ActivaConfig::adam(preset));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| {
        let mut model = Activa::new(config, Learnt::default(), Seed(0), &Device::Cpu)?;
        let mut trainer = Trainer::new(&model, run, Seed(0));
        trainer.run(&mut model, &data, Some(warm_up as u64), &Silent)?;
        let start = Instant::now();
        trainer.run(&mut model, &data, None, &Silent)?;
        let each = start.elapsed().as_secs_f64() / steps as f64;
        println!("{each} {}", trainer.state().history.last().map_or(f64::NAN, |point| point.1));
        Ok(())
    })
}
