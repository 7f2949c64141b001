//! scGAN, a Wasserstein GAN with gradient penalty whose cells all have one library size, and cscGAN, its conditional
//! form (Marouf et al. 2020; `models.md` §2.17, §2.18): one model with and without labels.
//!
//! A trainer step is one minibatch and one update of the critic; every n-th is followed by an update of the generator,
//! which ends an outer step. Noise, labels and mixtures follow from seed, name and trainer step.

mod config;
mod generate;
mod networks;
mod step;

use candle_core::Device;

use self::networks::Generator;
use super::{Batch, Generate, Losses, Model, StepCx, ZooError};
use crate::nn::{AdamConfig, Critic, Params};
use crate::rng::Seed;

pub use config::{Conditional, RateConfig, ScGanConfig};

/// Name of the model without labels in files.
pub const SCGAN: &str = "scgan";

/// Name of the model with labels in files.
pub const CSCGAN: &str = "cscgan";

const CRITIC: &str = "critic";
const GENERATOR: &str = "generator";

/// Generator and critic.
#[derive(Debug)]
pub struct ScGan {
    config: ScGanConfig,
    params: Params,
    generator: Generator,
    critic: Critic,
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
        Ok(Self { config, params, generator, critic })
    }

    /// Its settings.
    pub fn config(&self) -> &ScGanConfig {
        &self.config
    }

    /// Its name in files.
    pub fn kind(&self) -> &'static str {
        if self.config.conditional.is_some() { CSCGAN } else { SCGAN }
    }
}

impl Model for ScGan {
    fn groups(&self) -> &'static [&'static str] {
        &[CRITIC, GENERATOR]
    }

    fn params(&self) -> &Params {
        &self.params
    }

    /// AMSGrad of the model's own settings, whatever the run asks for.
    fn optimiser(&self, _group: &str, _asked: AdamConfig) -> AdamConfig {
        self.config.adam()
    }

    fn train_step(&mut self, batch: &Batch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        self.step(batch.counts()?, cx)
    }

    fn as_generate(&self) -> Option<&dyn Generate> {
        Some(self)
    }
}
