//! The one training loop: shuffled epochs, history, divergence guard, resume. No loss is written here.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{Model, StepCx, ZooError};
use crate::nn::{Adam, AdamConfig};
use crate::progress::Progress;
use crate::rng::Seed;

/// Where minibatches come from.
pub trait BatchSource: Sync {
    /// Number of cells.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Number of values per cell.
    fn width(&self) -> usize;
    /// Appends the values of these cells to `out`, cell by cell.
    fn fill(&self, cells: &[usize], out: &mut Vec<f32>);
}

/// How long to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Length {
    /// So many minibatches.
    Steps(u64),
    /// So many passes over all cells.
    Epochs(u64),
}

/// Settings of a training run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Cells per minibatch.
    pub minibatch: usize,
    /// How long.
    pub length: Length,
    /// The optimiser.
    pub adam: AdamConfig,
}

/// Where a run stands: enough, with weights and optimiser state, to go on bit for bit. Shuffling needs no generator
/// state: the order of an epoch follows from the seed and the epoch's number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainState {
    /// Steps done.
    pub step: u64,
    /// Current epoch, from 0.
    pub epoch: u64,
    /// Minibatches of the current epoch already used.
    pub position: u64,
    /// Loss of the very first step.
    pub first_loss: Option<f64>,
    /// Sum of the losses since the last point of the history.
    pub window_sum: f64,
    /// Losses in that sum.
    pub window_len: u64,
    /// (step, mean loss since the point before).
    pub history: Vec<(u64, f64)>,
}

/// Trains one model on one source.
#[derive(Debug)]
pub struct Trainer {
    config: TrainConfig,
    seed: Seed,
    optimisers: BTreeMap<&'static str, Adam>,
    state: TrainState,
}

/// Points of the loss history in a whole run.
const HISTORY_POINTS: u64 = 200;

/// A mean loss this many times the first counts as an explosion.
const EXPLOSION: f64 = 1e3;

impl Trainer {
    /// A run that has not begun.
    pub fn new(model: &dyn Model, config: TrainConfig, seed: Seed) -> Self {
        let optimisers = model
            .groups()
            .iter()
            .map(|&group| (group, Adam::new(config.adam, model.params().group(group))))
            .collect();
        let state = TrainState {
            step: 0,
            epoch: 0,
            position: 0,
            first_loss: None,
            window_sum: 0.0,
            window_len: 0,
            history: Vec::new(),
        };
        Self { config, seed, optimisers, state }
    }

    /// Where the run stands.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// The optimisers' state, as tensors named `<group>/m/<name>` and `<group>/v/<name>`.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    pub fn optimiser_state(&self) -> Result<BTreeMap<String, Tensor>, ZooError> {
        let mut out = BTreeMap::new();
        for (group, adam) in &self.optimisers {
            let (steps, tensors) = adam.state()?;
            out.extend(tensors.into_iter().map(|(k, t)| (format!("{group}/{k}"), t)));
            let steps = Tensor::from_slice(&[i64::try_from(steps).unwrap_or(i64::MAX)], 1, &Device::Cpu)?;
            out.insert(format!("{group}/steps"), steps);
        }
        Ok(out)
    }

    /// Puts a stored state in place.
    ///
    /// # Errors
    /// [`ZooError`] when it belongs to another model.
    pub fn restore(&mut self, state: TrainState, tensors: &BTreeMap<String, Tensor>) -> Result<(), ZooError> {
        let known = |name: &str| name.split_once('/').is_some_and(|(g, _)| self.optimisers.contains_key(g));
        if let Some(name) = tensors.keys().find(|name| !known(name)) {
            return Err(ZooError::Config { what: format!("parameter {name}: of no group of this model") });
        }
        for (group, adam) in &mut self.optimisers {
            let prefix = format!("{group}/");
            let mut own: BTreeMap<String, Tensor> = tensors
                .iter()
                .filter_map(|(k, t)| Some((k.strip_prefix(&prefix)?.to_owned(), t.clone())))
                .collect();
            let steps = own
                .remove("steps")
                .ok_or_else(|| ZooError::Config { what: format!("no optimiser state of group {group}") })?;
            let steps = steps.to_vec1::<i64>()?.first().copied().unwrap_or(0);
            adam.load(u64::try_from(steps).unwrap_or(0), &own)?;
        }
        self.state = state;
        Ok(())
    }

    /// Trains to the end, or to `stop_at` steps if that comes first.
    ///
    /// # Errors
    /// [`ZooError::Diverged`], [`ZooError::Cancelled`], or what the model says.
    pub fn run(
        &mut self,
        model: &mut dyn Model,
        data: &dyn BatchSource,
        stop_at: Option<u64>,
        progress: &dyn Progress,
    ) -> Result<(), ZooError> {
        let n = data.len();
        if n == 0 || self.config.minibatch == 0 {
            return Err(ZooError::Config { what: "no cells to train on, or an empty minibatch".into() });
        }
        let minibatch = self.config.minibatch.min(n);
        // The last, smaller minibatch of an epoch is left out, as the reference does; the next order brings its cells.
        let per_epoch = (n / minibatch) as u64;
        let total = match self.config.length {
            Length::Steps(steps) => steps,
            Length::Epochs(epochs) => epochs.saturating_mul(per_epoch),
        };
        let end = stop_at.map_or(total, |s| s.min(total));
        progress.start("training", total);
        let done = self.steps(model, data, minibatch, end, total, progress);
        progress.finish();
        done
    }

    /// Trains up to step `end` of `total`.
    fn steps(
        &mut self,
        model: &mut dyn Model,
        data: &dyn BatchSource,
        minibatch: usize,
        end: u64,
        total: u64,
        progress: &dyn Progress,
    ) -> Result<(), ZooError> {
        let per_epoch = (data.len() / minibatch) as u64;
        let every = (total / HISTORY_POINTS).max(1);
        let mut order = self.order(data.len());
        while self.state.step < end {
            if self.state.position >= per_epoch {
                self.state.epoch += 1;
                self.state.position = 0;
                order = self.order(data.len());
            }
            let from = self.state.position as usize * minibatch;
            let mut values = Vec::with_capacity(minibatch * data.width());
            data.fill(&order[from..from + minibatch], &mut values);
            let batch = Tensor::from_vec(values, (minibatch, data.width()), model.params().device())?;
            let losses = model.train_step(&batch, &mut StepCx { optimisers: &mut self.optimisers })?;
            let loss = losses.first().map_or(f64::NAN, |l| l.1);
            self.state.step += 1;
            self.state.position += 1;
            self.record(loss, every, total)?;
            if self.state.step.is_multiple_of(16) {
                progress.advance(self.state.step, &format!("loss {loss:.4}"));
                if progress.cancelled() {
                    return Err(ZooError::Cancelled { step: self.state.step });
                }
            }
        }
        Ok(())
    }

    /// The order of the cells in the current epoch.
    fn order(&self, n: usize) -> Vec<usize> {
        self.seed.stream(&format!("shuffle/{}", self.state.epoch)).permutation(n)
    }

    /// Takes a loss into the history and stops a run that diverges.
    fn record(&mut self, loss: f64, every: u64, total: u64) -> Result<(), ZooError> {
        let s = &mut self.state;
        let first = *s.first_loss.get_or_insert(loss);
        s.window_sum += loss;
        s.window_len += 1;
        let mean = s.window_sum / s.window_len as f64;
        let exploded = mean > EXPLOSION * first.max(f64::MIN_POSITIVE) && s.window_len >= every.min(10);
        if !loss.is_finite() || exploded {
            return Err(ZooError::Diverged { step: s.step, epoch: s.epoch + 1, loss, first });
        }
        if s.window_len >= every || s.step == total {
            s.history.push((s.step, mean));
            (s.window_sum, s.window_len) = (0.0, 0);
        }
        Ok(())
    }
}
