//! The network, its filter of genes and its training step.

use candle_core::{Device, Tensor, Var};
use ndarray::Array2;
use serde_json::Value;

use super::config::ActinnConfig;
use super::filter;
use crate::nn::{
    Activation, AdamConfig, Init, Linear, Params, SparseBatch, SparseLinear, cross_entropy, leaky_relu,
};
use crate::rng::Seed;
use crate::zoo::counted::json;
use crate::zoo::generate::softmax;
use crate::zoo::{Batch, BatchSource, Classify, CountBatch, Losses, Model, StepCx, ZooError};

/// Name of this model in files.
pub const KIND: &str = "actinn";

/// Buffer that says which genes the filter left.
const KEPT: &str = "actinn.kept";

/// ACTINN.
#[derive(Debug)]
pub struct Actinn {
    pub(super) config: ActinnConfig,
    pub(super) params: Params,
    pub(super) first: SparseLinear,
    pub(super) rest: Vec<Linear>,
    /// 1 for genes that the filter left, 0 for others; missing without a filter.
    pub(super) kept: Option<Var>,
}

impl Actinn {
    /// A new, untrained model.
    ///
    /// # Errors
    /// [`ZooError::Config`] when a size is zero or the percentile of the filter is none.
    pub fn new(config: ActinnConfig, seed: Seed, device: &Device) -> Result<Self, ZooError> {
        if config.genes == 0 || config.labels == 0 || config.hidden.is_empty() || config.hidden.contains(&0) {
            return Err(ZooError::Config { what: "ACTINN needs genes, labels and hidden layers".into() });
        }
        if !(0.0..50.0).contains(&config.gene_percentile) {
            let what =
                format!("gene_percentile is {}, expected 0 or more and below 50", config.gene_percentile);
            return Err(ZooError::Config { what });
        }
        let mut params = Params::new(seed, device);
        let sizes = [&[config.genes], config.hidden.as_slice(), &[config.labels]].concat();
        let start = |fan_in: usize, fan_out: usize| {
            if config.xavier {
                (Init::XavierUniform { fan_in, fan_out }, Init::Constant(0.0))
            } else {
                (Init::TorchLinear { fan_in }, Init::TorchLinear { fan_in })
            }
        };
        let (weight, bias) = start(sizes[0], sizes[1]);
        let first =
            SparseLinear::with_init(&mut params, "actinn.0", (sizes[0], sizes[1]), weight, Some(bias))?;
        let last = sizes.len() - 2;
        let rest = (1..=last)
            .map(|i| {
                let act = if i < last { Activation::RELU } else { Activation::Identity };
                let of = (sizes[i], sizes[i + 1]);
                Linear::with_init(&mut params, &format!("actinn.{i}"), of, act, start(of.0, of.1))
            })
            .collect::<Result<_, _>>()?;
        let filtered = config.gene_percentile > 0.0;
        let kept = if filtered {
            Some(params.add_buffer(KEPT, &[config.genes], Init::Constant(1.0))?)
        } else {
            None
        };
        Ok(Self { config, params, first, rest, kept })
    }

    /// Its settings.
    pub fn config(&self) -> &ActinnConfig {
        &self.config
    }

    /// log2(1 + x) of cells scaled to the common library size.
    fn scaled(&self, batch: &CountBatch) -> Result<SparseBatch, ZooError> {
        let (genes, width) = (self.config.genes, batch.counts.width());
        if width != genes {
            return Err(ZooError::Config {
                what: format!("a model of {genes} genes cannot take cells of {width}"),
            });
        }
        let log = batch.counts.log_scaled(self.config.target_sum);
        Ok(log.map(|_, v| v * std::f32::consts::LOG2_E))
    }

    /// Cells as the network takes them: all genes scale a cell, those that the filter left are seen.
    fn seen(&self, batch: &CountBatch) -> Result<SparseBatch, ZooError> {
        let x = self.scaled(batch)?;
        let Some(kept) = &self.kept else { return Ok(x) };
        let keep: Vec<bool> = kept.to_vec1::<f32>()?.into_iter().map(|k| k > 0.0).collect();
        Ok(x.only(&keep))
    }

    /// [n, genes] → logits [n, labels].
    fn forward(&self, x: &SparseBatch) -> Result<Tensor, ZooError> {
        let first = leaky_relu(&self.first.forward_sparse(x)?, 0.0)?;
        Ok(self.rest.iter().try_fold(first, |x, layer| layer.forward(&x))?)
    }

    /// ½ Σ w² over all weights.
    fn half_squares(&self) -> Result<Tensor, ZooError> {
        let mut sum = self.first.weight().sqr()?.sum_all()?;
        for layer in &self.rest {
            sum = (sum + layer.weight().sqr()?.sum_all()?)?;
        }
        Ok((sum * 0.5)?)
    }

    /// Fits the filter and starts the first layer as one of the genes that are left: those alone have weights.
    fn filter(&self, data: &dyn BatchSource, kept: &Var) -> Result<(), ZooError> {
        let ActinnConfig { genes, gene_percentile, xavier, .. } = self.config;
        let device = self.params.device();
        let keep = filter::fit(data, genes, gene_percentile, device, |batch| self.scaled(batch))?;
        let left = keep.iter().filter(|k| **k).count();
        let mask: Vec<f32> = keep.iter().map(|&k| f32::from(u8::from(k))).collect();
        let mask = Tensor::from_vec(mask, genes, device)?;
        kept.set(&mask)?;
        // The bound of the first weights depends on the number of inputs.
        let out = if xavier { self.config.hidden[0] } else { 0 };
        let wider = ((genes + out) as f64 / (left + out) as f64).sqrt();
        let weight = self.first.weight();
        let masked = weight.broadcast_mul(&mask.unsqueeze(1)?)?;
        weight.set(&(masked * wider)?)?;
        if let Some(bias) = self.first.bias() {
            bias.set(&(bias.as_tensor() * wider)?)?;
        }
        Ok(())
    }
}

impl Model for Actinn {
    fn groups(&self) -> &'static [&'static str] {
        &[KIND]
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn optimiser(&self, _: &str, asked: AdamConfig) -> AdamConfig {
        let decay = if self.config.decay_biases { f64::from(self.config.decay) } else { 0.0 };
        AdamConfig { weight_decay: asked.weight_decay + decay, ..asked }
    }

    fn prepare(&mut self, data: &dyn BatchSource) -> Result<(), ZooError> {
        self.kept.as_ref().map_or(Ok(()), |kept| self.filter(data, kept))
    }

    fn train_step(&mut self, batch: &Batch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let batch = batch.counts()?;
        if let Some(runs) = cx.step().checked_div(self.config.rate_steps) {
            let factor = self.config.rate_factor.powi(runs.min(i32::MAX as u64) as i32);
            cx.set_lr(KIND, cx.lr() * factor)?;
        }
        let labels = batch.label_tensor(self.params.device())?;
        let error = cross_entropy(&self.forward(&self.seen(batch)?)?, &labels)?;
        let loss = if self.config.decay_biases || self.config.decay == 0.0 {
            error.clone()
        } else {
            (&error + (self.half_squares()? * f64::from(self.config.decay))?)?
        };
        cx.descend(KIND, &loss)?;
        let number = |t: &Tensor| Ok::<_, ZooError>(f64::from(t.to_scalar::<f32>()?));
        Ok(vec![("loss", number(&loss)?), ("cross_entropy", number(&error)?)])
    }

    fn settings(&self) -> Result<Value, ZooError> {
        json(&self.config)
    }

    fn as_classify(&self) -> Option<&dyn Classify> {
        Some(self)
    }
}

impl Classify for Actinn {
    fn probabilities(&self, cells: &CountBatch) -> Result<Array2<f32>, ZooError> {
        softmax(&self.forward(&self.seen(cells)?)?)
    }
}
