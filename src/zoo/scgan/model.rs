//! The model: generator and critic.

use candle_core::{Device, Tensor, Var};
use serde_json::Value;

use super::config::ScGanConfig;
use super::networks;
use super::networks::Generator;
use crate::nn::{Critic, Init, Params};
use crate::rng::Seed;
use crate::zoo::counted::json;
use crate::zoo::{Batch, BatchSource, Generate, Losses, Model, StepCx, ZooError};

pub(super) const CRITIC: &str = "critic";
pub(super) const GENERATOR: &str = "generator";

/// Cells read at a time outside training.
pub(super) const ROWS: usize = 512;

/// Generator and critic.
#[derive(Debug)]
pub struct ScGan {
    pub(super) config: ScGanConfig,
    pub(super) params: Params,
    pub(super) generator: Generator,
    pub(super) critic: Critic,
    /// The critic with room for a gradient, once training has begun.
    pub(super) learning: Option<Critic>,
    /// Share of every label in the training cells [labels], a buffer; cscGAN only.
    pub(super) shares: Option<Var>,
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
    pub(super) fn shares(&self) -> Result<Option<Vec<f64>>, ZooError> {
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
