//! The model: three networks, what is learnt beside the weights, and what is done around the steps.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::{ActivaConfig, LatentLaw, Observation};
use super::moments::Moments;
use super::networks::{Classifier, Encoder, Generator, Input};
use super::step;
use crate::nn::{AdamConfig, Init, Mode, Params, follow};
use crate::rng::Seed;
use crate::zoo::counted::json;
use crate::zoo::{
    Batch, BatchSource, Classify, CountBatch, Generate, LibrarySizes, Losses, Model, StepCx, WIDEST, ZooError,
};

/// Name of this model in files.
pub const KIND: &str = "activa";

pub(super) const ENCODER: &str = "encoder";
pub(super) const GENERATOR: &str = "generator";
pub(super) const CLASSIFIER: &str = "classifier";

const AVERAGE: &str = "average";

/// Cells taken through a network at a time outside training.
pub(super) const ROWS: usize = 256;

/// ACTIVA with its three networks.
#[derive(Debug)]
pub struct Activa {
    pub(super) config: ActivaConfig,
    pub(super) learnt: Learnt,
    pub(super) seed: Seed,
    pub(super) params: Params,
    pub(super) encoder: Encoder,
    pub(super) generator: Generator,
    pub(super) classifier: Classifier,
}

/// What is learnt beside the weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learnt {
    /// Training cells whose codes are kept, for new cells to start from.
    pub anchors: usize,
    /// Library sizes of each label.
    pub library: Option<LibrarySizes>,
}

impl Activa {
    /// A new, untrained model; `learnt` sizes what a stored one brings along.
    ///
    /// # Errors
    /// [`ZooError`] when a size is zero.
    pub fn new(config: ActivaConfig, learnt: Learnt, seed: Seed, device: &Device) -> Result<Self, ZooError> {
        let sizes = || config.encoder.iter().chain(&config.generator).chain([&config.latent]);
        if let Some(wide) = sizes().find(|&&h| h > WIDEST) {
            let what = format!("a layer or code of {wide}, at most {WIDEST} are possible");
            return Err(ZooError::Config { what });
        }
        let empty = config.encoder.is_empty() || config.generator.is_empty() || sizes().any(|&h| h == 0);
        if config.genes == 0 || config.labels == 0 || empty {
            let what = "ACTIVA needs genes, labels, a code and hidden layers in encoder and generator";
            return Err(ZooError::Config { what: what.into() });
        }
        let mut params = Params::new(seed, device);
        let encoder = Encoder::new(&mut params, &config)?;
        let generator = Generator::new(&mut params, &config)?;
        let classifier = Classifier::new(&mut params, &config)?;
        if config.average > 0.0 {
            let trained: Vec<(String, Vec<usize>)> = [ENCODER, GENERATOR]
                .iter()
                .flat_map(|g| params.group(g))
                .map(|(name, var)| (format!("{AVERAGE}.{name}"), var.dims().to_vec()))
                .collect();
            for (name, shape) in trained {
                params.add_buffer(&name, &shape, Init::Constant(0.0))?;
            }
        }
        if config.soft_adapt {
            params.add_buffer(step::WINDOW, &[2, step::WINDOW_LEN], Init::Constant(0.0))?;
        }
        let mut model =
            Self { config, learnt: Learnt::default(), seed, params, encoder, generator, classifier };
        model.add_anchors(learnt)?;
        Ok(model)
    }

    /// Its settings.
    pub fn config(&self) -> &ActivaConfig {
        &self.config
    }

    /// Makes room for the codes of training cells.
    fn add_anchors(&mut self, learnt: Learnt) -> Result<(), ZooError> {
        if learnt.anchors > 0 {
            let (n, latent) = (learnt.anchors, self.config.latent);
            for (name, shape) in [
                ("anchors.mean", vec![n, latent]),
                ("anchors.log_variance", vec![n, latent]),
                ("anchors.library", vec![n]),
                ("anchors.label", vec![n]),
            ] {
                self.params.add_buffer(name, &shape, Init::Constant(0.0))?;
            }
        }
        self.learnt = learnt;
        Ok(())
    }

    /// Cells as encoder and classifier take them.
    pub(super) fn scaled(&self, batch: &CountBatch) -> Input {
        let target = self.config.target_sum;
        let rows = &batch.counts;
        Input::Sparse(if self.config.log { rows.log_scaled(target) } else { rows.scaled(target) })
    }

    /// The buffer or parameter of that name.
    pub(super) fn stored(&self, name: &str) -> Result<Vec<f32>, ZooError> {
        let var = self.params.iter().find(|(n, _)| *n == name).map(|(_, v)| v);
        let var = var.ok_or_else(|| ZooError::Config { what: format!("this model has no {name}") })?;
        Ok(var.flatten_all()?.to_vec1()?)
    }

    /// Puts values into the buffer of that name.
    pub(super) fn store(&self, name: &str, values: Vec<f32>) -> Result<(), ZooError> {
        if let Some((_, var)) = self.params.iter().find(|(n, _)| *n == name) {
            var.set(&Tensor::from_vec(values, var.shape(), var.device())?)?;
        }
        Ok(())
    }

    /// Moves the averages of the weights.
    fn follow(&self, step: u64) -> Result<(), ZooError> {
        // At the start the average is that of all steps so far.
        let share = self.config.average.max(1.0 / (step + 1) as f32);
        for (name, average) in self.params.group_with_buffers(AVERAGE) {
            let own = name.strip_prefix(AVERAGE).and_then(|n| n.strip_prefix('.')).unwrap_or(name);
            if let Some((_, var)) = self.params.iter().find(|(n, _)| *n == own) {
                follow(average, var, share)?;
            }
        }
        Ok(())
    }

    /// Takes the averages as weights and lets the running statistics of batch normalisation settle on them.
    fn settle(&mut self, data: &dyn BatchSource) -> Result<(), ZooError> {
        if self.config.average == 0.0 {
            return Ok(());
        }
        for (name, average) in self.params.group_with_buffers(AVERAGE) {
            let own = name.strip_prefix(AVERAGE).and_then(|n| n.strip_prefix('.')).unwrap_or(name);
            if let Some((_, var)) = self.params.iter().find(|(n, _)| *n == own) {
                var.set(average.as_tensor())?;
            }
        }
        let order = self.seed.stream("settle").permutation(data.len());
        for (i, cells) in order.chunks(ROWS).take(SETTLE).enumerate() {
            if cells.len() < 2 {
                break;
            }
            let batch = data.batch(cells, self.params.device())?;
            let (mean, log_variance) = self.encoder.forward(&self.scaled(batch.counts()?), Mode::Train)?;
            let mut stream = self.seed.stream(&format!("settle/{i}"));
            let z = self.code(&mean, &log_variance, &mut stream)?;
            self.generator.forward(&z, Mode::Train)?;
        }
        Ok(())
    }

    /// μ + ε e^{ℓ/2}.
    pub(super) fn code(
        &self,
        mean: &Tensor,
        log_variance: &Tensor,
        stream: &mut crate::rng::Stream,
    ) -> Result<Tensor, ZooError> {
        let noise: Vec<f32> = (0..mean.elem_count()).map(|_| stream.normal() as f32).collect();
        let noise = Tensor::from_vec(noise, mean.shape(), mean.device())?;
        Ok((mean + (noise * (log_variance * 0.5)?.exp()?)?)?)
    }

    /// Keeps the codes, libraries and labels of the training cells.
    fn keep_anchors(&mut self, data: &dyn BatchSource) -> Result<(), ZooError> {
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        let (mut library, mut labels) = (Vec::new(), Vec::new());
        let all: Vec<usize> = (0..data.len()).collect();
        for cells in all.chunks(ROWS) {
            let batch = data.batch(cells, self.params.device())?;
            let batch = batch.counts()?;
            let (mean, log_variance) = self.encoder.forward(&self.scaled(batch), Mode::Eval)?;
            means.extend(mean.flatten_all()?.to_vec1::<f32>()?);
            variances.extend(log_variance.flatten_all()?.to_vec1::<f32>()?);
            library.extend(&batch.library);
            labels.extend(&batch.labels);
        }
        let law = LibrarySizes::fit(&library, &labels, self.config.labels);
        let anchors = if self.config.latent_law == LatentLaw::Posterior { all.len() } else { 0 };
        if self.learnt.anchors != anchors || anchors == 0 {
            self.add_anchors(Learnt { anchors, library: Some(law) })?;
        }
        self.store("anchors.mean", means)?;
        self.store("anchors.log_variance", variances)?;
        self.store("anchors.library", library)?;
        self.store("anchors.label", labels.into_iter().map(|l| l as f32).collect())
    }
}

/// Minibatches over which the running statistics settle.
const SETTLE: usize = 64;

impl Model for Activa {
    fn groups(&self) -> &'static [&'static str] {
        &[ENCODER, GENERATOR, CLASSIFIER]
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn prepare(&mut self, data: &dyn BatchSource) -> Result<(), ZooError> {
        if self.config.observation == Observation::Expression {
            return Ok(());
        }
        let moments = Moments::of(data, &self.config, self.params.device())?;
        Ok(self.generator.start_from(&moments.shares(), &moments.theta())?)
    }

    fn optimiser(&self, group: &str, asked: AdamConfig) -> AdamConfig {
        if group != CLASSIFIER {
            return asked;
        }
        let (lr, weight_decay) = (self.config.classifier_lr, self.config.classifier_decay);
        AdamConfig { lr, weight_decay, ..AdamConfig::default() }
    }

    fn train_step(&mut self, batch: &Batch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let losses = self.step(batch.counts()?, cx)?;
        if self.config.average > 0.0 {
            self.follow(cx.step())?;
        }
        Ok(losses)
    }

    fn calibrate(&mut self, data: &dyn BatchSource) -> Result<(), ZooError> {
        self.settle(data)?;
        self.keep_anchors(data)
    }

    fn settings(&self) -> Result<Value, ZooError> {
        json(&self.config)
    }

    fn learnt(&self) -> Result<Value, ZooError> {
        json(&self.learnt)
    }

    fn as_classify(&self) -> Option<&dyn Classify> {
        Some(self)
    }

    fn as_generate(&self) -> Option<&dyn Generate> {
        Some(self)
    }
}
