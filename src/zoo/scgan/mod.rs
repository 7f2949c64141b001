//! scGAN, a Wasserstein GAN with gradient penalty whose cells all have one library size, and cscGAN, its conditional
//! form (Marouf et al. 2020): one model with and without labels.
//!
//! A trainer step is one minibatch and one update of the critic; every n-th is followed by an update of the generator,
//! which ends an outer step. Noise, labels and mixtures follow from seed, name and trainer step.

mod config;
mod generate;
mod networks;
mod step;

use candle_core::{Device, Tensor, Var};
use serde_json::Value;

use self::networks::Generator;
use super::registry::{json, settings};
use super::{Batch, BatchSource, Counted, Generate, Gives, Losses, Model, StepCx, ZooError};
use crate::nn::{Critic, Init, Params};
use crate::rng::Seed;

pub use config::{Conditional, ScGanConfig, Schedule};

/// Name of the model without labels in files.
pub const SCGAN: &str = "scgan";

/// Name of the model with labels in files.
pub const CSCGAN: &str = "cscgan";

const CRITIC: &str = "critic";
const GENERATOR: &str = "generator";

/// How scGAN is made from counts.
pub(super) const COUNTED: Counted = Counted {
    config: |preset, dims| json(ScGanConfig::preset(preset, dims.genes, None)),
    train: |preset, _| ScGanConfig::train(preset),
    build,
    gives: Gives::Cells,
    classifies: false,
};

/// How cscGAN is made from labelled counts.
pub(super) const COUNTED_BY_LABEL: Counted = Counted {
    config: |preset, dims| json(ScGanConfig::preset(preset, dims.genes, Some(dims.labels))),
    gives: Gives::CellsOfALabel,
    ..COUNTED
};

fn build(config: Value, _learnt: Value, seed: Seed, device: &Device) -> Result<Box<dyn Model>, ZooError> {
    Ok(Box::new(ScGan::new(settings(config)?, seed, device)?))
}

/// Cells read at a time outside training.
const ROWS: usize = 512;

/// Generator and critic.
#[derive(Debug)]
pub struct ScGan {
    config: ScGanConfig,
    params: Params,
    generator: Generator,
    critic: Critic,
    /// The critic with room for a gradient, once training has begun.
    learning: Option<Critic>,
    /// Share of every label in the training cells [labels], a buffer; cscGAN only.
    shares: Option<Var>,
}

impl ScGan {
    /// A new, untrained model.
    ///
    /// # Errors
    /// [`ZooError::Config`] when the settings cannot work.
    pub fn new(config: ScGanConfig, seed: Seed, device: &Device) -> Result<Self, ZooError> {
        config.check()?;
        let mut params = Params::new(seed, device);
        let generator = Generator::new(&mut params, &config)?;
        let critic = networks::critic(&mut params, &config)?;
        let shares = match &config.conditional {
            Some(c) => Some(params.add_buffer("labels.share", &[c.labels], Init::Constant(1.0))?),
            None => None,
        };
        Ok(Self { config, params, generator, critic, learning: None, shares })
    }

    /// Its settings.
    pub fn config(&self) -> &ScGanConfig {
        &self.config
    }

    /// Share of every label in the training cells, where labels are known.
    fn shares(&self) -> Result<Option<Vec<f64>>, ZooError> {
        let Some(shares) = &self.shares else { return Ok(None) };
        Ok(Some(shares.to_vec1::<f32>()?.into_iter().map(f64::from).collect()))
    }
}

impl Model for ScGan {
    fn groups(&self) -> &'static [&'static str] {
        &[CRITIC, GENERATOR]
    }

    fn params(&self) -> &Params {
        &self.params
    }

    /// Takes the shares of the labels from the cells.
    fn prepare(&mut self, data: &dyn BatchSource) -> Result<(), ZooError> {
        let Some(shares) = &self.shares else { return Ok(()) };
        let mut counts = vec![0u64; self.config.labels()];
        let all: Vec<usize> = (0..data.len()).collect();
        for cells in all.chunks(ROWS) {
            let batch = data.batch(cells, self.params.device())?;
            let batch = batch.counts()?;
            self.check_batch(batch)?;
            batch.labels.iter().for_each(|&l| counts[l as usize] += 1);
        }
        let share = |&n: &u64| (n as f64 / all.len().max(1) as f64) as f32;
        let found: Vec<f32> = counts.iter().map(share).collect();
        Ok(shares.set(&Tensor::from_vec(found, counts.len(), shares.device())?)?)
    }

    fn settings(&self) -> Result<Value, ZooError> {
        json(&self.config)
    }

    fn train_step(&mut self, batch: &Batch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        self.step(batch.counts()?, cx)
    }

    fn as_generate(&self) -> Option<&dyn Generate> {
        Some(self)
    }
}
