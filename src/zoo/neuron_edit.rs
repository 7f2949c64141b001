//! NeuronEdit: an autoencoder of all cells and a map of its bottleneck neurons from source to target
//! (Amodio et al., eq. 1), and the constant shift of the same neurons.

use candle_core::{Device, Tensor};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Batch, Losses, Model, StepCx, ZooError};
use crate::classic::{PercentileMap, Tail, column_means, fit_percentile_maps};
use crate::nn::{Activation, Mlp, NnError, Params, fused};
use crate::rng::Seed;

/// Name of this model in files.
pub const KIND: &str = "neuron_edit";

/// The one parameter group: encoder and decoder go down the same loss.
const GROUP: &str = "autoencoder";

/// Cells encoded or decoded at a time.
const ROWS: usize = 512;

/// Sizes and slope of the autoencoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronEditConfig {
    /// Number of markers.
    pub width: usize,
    /// Hidden layers of the encoder, the bottleneck last; the decoder mirrors them.
    pub hidden: Vec<usize>,
    /// Slope of the leaky ReLU below zero.
    pub slope: f32,
}

impl NeuronEditConfig {
    /// The published sizes, 500-250-50-250-500, for that many markers.
    pub fn paper(width: usize) -> Self {
        Self { width, hidden: vec![500, 250, 50], slope: 0.2 }
    }
}

/// The autoencoder.
#[derive(Debug)]
pub struct NeuronEdit {
    config: NeuronEditConfig,
    params: Params,
    encoder: Mlp,
    decoder: Mlp,
}

/// What source and target controls say about every bottleneck neuron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentEdit {
    /// Percentile map of each neuron.
    pub percentiles: Vec<PercentileMap>,
    /// Shift of each neuron's mean.
    pub shift: Vec<f64>,
}

impl LatentEdit {
    /// Learns both edits from the codes of the controls, cells × neurons.
    pub fn fit(
        source: ArrayView2<'_, f32>,
        target: ArrayView2<'_, f32>,
        range: [f64; 2],
        tail: Tail,
    ) -> Self {
        let percentiles = fit_percentile_maps(source, target, range, tail);
        let shift = column_means(target).iter().zip(column_means(source)).map(|(t, s)| t - s).collect();
        Self { percentiles, shift }
    }

    /// Maps codes by the percentile maps, in place.
    pub fn edit(&self, codes: &mut Array2<f32>) {
        codes.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
            for (z, map) in row.iter_mut().zip(&self.percentiles) {
                *z = map.apply(f64::from(*z)) as f32;
            }
        });
    }

    /// Adds the shift to codes, in place.
    pub fn shift(&self, codes: &mut Array2<f32>) {
        for mut row in codes.rows_mut() {
            for (z, shift) in row.iter_mut().zip(&self.shift) {
                *z = (f64::from(*z) + shift) as f32;
            }
        }
    }

    /// Share of codes outside the percentiles seen in the source control.
    pub fn outside(&self, codes: ArrayView2<'_, f32>) -> f64 {
        let out = codes.rows().into_iter().map(|row| {
            row.iter().zip(&self.percentiles).filter(|(z, map)| map.outside(f64::from(**z))).count()
        });
        out.sum::<usize>() as f64 / codes.len().max(1) as f64
    }
}

impl NeuronEdit {
    /// A new, untrained autoencoder, started as PyTorch starts linear layers.
    ///
    /// # Errors
    /// [`ZooError`] when the configuration has no hidden layer.
    pub fn new(config: NeuronEditConfig, seed: Seed, device: &Device) -> Result<Self, ZooError> {
        if config.hidden.is_empty() || config.width == 0 {
            return Err(ZooError::Config { what: "an autoencoder needs markers and a hidden layer".into() });
        }
        let mut params = Params::new(seed, device);
        let act = Activation::LeakyRelu(config.slope);
        let down: Vec<usize> = std::iter::once(config.width).chain(config.hidden.iter().copied()).collect();
        let up: Vec<usize> = down.iter().rev().copied().collect();
        let encoder = Mlp::new(&mut params, &format!("{GROUP}.encoder"), &down, act, act)?;
        let decoder = Mlp::new(&mut params, &format!("{GROUP}.decoder"), &up, act, Activation::Identity)?;
        Ok(Self { config, params, encoder, decoder })
    }

    /// Its settings.
    pub fn config(&self) -> &NeuronEditConfig {
        &self.config
    }

    /// Cells × markers → cells × neurons of the activated bottleneck.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    pub fn encode(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f32>, ZooError> {
        let neurons = self.config.hidden.last().copied().unwrap_or(0);
        self.pass(&self.encoder, x, neurons)
    }

    /// Cells × neurons → cells × markers.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    pub fn decode(&self, z: ArrayView2<'_, f32>) -> Result<Array2<f32>, ZooError> {
        self.pass(&self.decoder, z, self.config.width)
    }

    /// Runs a network over all rows, in fixed runs of rows side by side on all threads.
    fn pass(&self, net: &Mlp, x: ArrayView2<'_, f32>, width: usize) -> Result<Array2<f32>, ZooError> {
        let mut out = Array2::zeros((x.nrows(), width));
        x.axis_chunks_iter(Axis(0), ROWS)
            .into_par_iter()
            .zip(out.axis_chunks_iter_mut(Axis(0), ROWS))
            .try_for_each(|(x, mut to)| -> Result<(), ZooError> {
                let values: Vec<f32> = x.iter().copied().collect();
                let x = Tensor::from_vec(values, x.dim(), self.params.device())?;
                let y = net.forward(&x)?.flatten_all()?.to_vec1::<f32>()?;
                to.iter_mut().zip(y).for_each(|(t, y)| *t = y);
                Ok(())
            })?;
        Ok(out)
    }
}

impl Model for NeuronEdit {
    fn groups(&self) -> &'static [&'static str] {
        &[GROUP]
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn settings(&self) -> Result<serde_json::Value, ZooError> {
        super::counted::json(&self.config)
    }

    fn train_step(&mut self, batch: &Batch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let batch = batch.values()?;
        let output = self.decoder.forward(&self.encoder.forward(batch)?)?;
        let loss = fused::mse(&output, batch).map_err(NnError::from)?;
        cx.descend(GROUP, &loss)?;
        Ok(vec![("mse", f64::from(loss.to_scalar::<f32>()?))])
    }
}
