//! The one training loop: shuffled epochs, history, early stop, divergence guard with roll-back, resume. No loss is
//! written here.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{BatchSource, Losses, Model, StepCx, ZooError};
use crate::nn::{Adam, AdamConfig};
use crate::progress::Progress;
use crate::rng::Seed;

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
    /// When to end before that.
    #[serde(default)]
    pub early_stop: Option<EarlyStop>,
    /// How often a diverging run may go back to its last good state and go on with half the learning rate.
    #[serde(default)]
    pub roll_backs: u32,
    /// Steps between good states, and between the states that are stored on the way.
    #[serde(default = "keep_every")]
    pub keep_every: u64,
}

fn keep_every() -> u64 {
    500
}

impl TrainConfig {
    /// A run without early stop or roll-back.
    pub fn plain(minibatch: usize, length: Length, adam: AdamConfig) -> Self {
        Self { minibatch, length, adam, early_stop: None, roll_backs: 0, keep_every: keep_every() }
    }
}

/// Ends a run when the mean loss of an epoch has stopped to fall.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStop {
    /// Epochs without a better one.
    pub patience: u64,
    /// By what share of the best an epoch must be lower to count as better.
    pub min_delta: f64,
}

/// Looks after a run from outside: stores its states, ends it when time is up.
pub trait Watch {
    /// Whether to end the run here.
    fn over(&mut self) -> bool {
        false
    }
    /// Stores the run as it stands; called every [`TrainConfig::keep_every`] steps and when somebody asked to stop.
    ///
    /// # Errors
    /// [`ZooError`] when it cannot be stored.
    fn keep(&mut self, model: &dyn Model, trainer: &Trainer) -> Result<(), ZooError>;
}

/// Does nothing.
struct Unwatched;

impl Watch for Unwatched {
    fn keep(&mut self, _: &dyn Model, _: &Trainer) -> Result<(), ZooError> {
        Ok(())
    }
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
    /// The same for every loss by name, where a model has several.
    #[serde(default)]
    pub parts: BTreeMap<String, PartHistory>,
    /// What the learning rate is multiplied by after roll-backs.
    #[serde(default = "one")]
    pub lr_scale: f64,
    /// How often the run went back.
    #[serde(default)]
    pub rolled_back: u32,
    /// Losses of the current epoch, and the best epoch so far.
    #[serde(default)]
    pub epochs: EpochLosses,
    /// Whether the early stop ended it.
    #[serde(default)]
    pub stopped_early: bool,
}

impl Default for TrainState {
    /// A run that has not begun.
    fn default() -> Self {
        Self {
            step: 0,
            epoch: 0,
            position: 0,
            first_loss: None,
            window_sum: 0.0,
            window_len: 0,
            history: Vec::new(),
            parts: BTreeMap::new(),
            lr_scale: 1.0,
            rolled_back: 0,
            epochs: EpochLosses::default(),
            stopped_early: false,
        }
    }
}

fn one() -> f64 {
    1.0
}

/// One loss over time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartHistory {
    /// Sum since the last point.
    pub window_sum: f64,
    /// Losses in that sum.
    pub window_len: u64,
    /// (step, mean since the point before).
    pub history: Vec<(u64, f64)>,
}

/// What the early stop looks at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLosses {
    /// Sum of the current epoch.
    pub sum: f64,
    /// Losses in that sum.
    pub len: u64,
    /// Mean of the best epoch.
    pub best: Option<f64>,
    /// Which that was.
    pub best_epoch: u64,
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
            .map(|&group| {
                let adam = model.optimiser(group, config.adam);
                (group, Adam::new(adam, model.params().group(group)))
            })
            .collect();
        Self { config, seed, optimisers, state: TrainState::default() }
    }

    /// The seed of the run.
    pub fn seed(&self) -> Seed {
        self.seed
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
        self.run_watched(model, data, stop_at, &mut Unwatched, progress)
    }

    /// As [`Trainer::run`], looked after by `watch`.
    ///
    /// # Errors
    /// As [`Trainer::run`], and what `watch` says.
    pub fn run_watched(
        &mut self,
        model: &mut dyn Model,
        data: &dyn BatchSource,
        stop_at: Option<u64>,
        watch: &mut dyn Watch,
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
        if self.state.step == 0 {
            model.prepare(data)?;
        }
        let mut plan = Plan { minibatch, per_epoch, end, total, watch, progress };
        let done = self.guarded(model, data, &mut plan);
        progress.finish();
        done
    }

    /// Trains to the end of the plan; goes back to the last good state when the run diverges.
    fn guarded(
        &mut self,
        model: &mut dyn Model,
        data: &dyn BatchSource,
        plan: &mut Plan<'_>,
    ) -> Result<(), ZooError> {
        let mut good = None;
        loop {
            match self.steps(model, data, plan, &mut good) {
                Err(ZooError::Diverged { step, .. }) if self.state.rolled_back < self.config.roll_backs => {
                    let Some((weights, optimisers, state)) = good.take() else { continue };
                    let (times, scale) = (self.state.rolled_back + 1, self.state.lr_scale / 2.0);
                    model.params().load(&weights)?;
                    self.restore(state, &optimisers)?;
                    (self.state.rolled_back, self.state.lr_scale) = (times, scale);
                    tracing::warn!(
                        "training diverged at step {step}; going back to step {} with {scale} × the learning rate",
                        self.state.step
                    );
                }
                other => return other,
            }
        }
    }

    /// Trains up to the end of the plan, or to a loss that is none.
    fn steps(
        &mut self,
        model: &mut dyn Model,
        data: &dyn BatchSource,
        plan: &mut Plan<'_>,
        good: &mut Option<Good>,
    ) -> Result<(), ZooError> {
        let every = (plan.total / HISTORY_POINTS).max(1);
        let keep = self.config.keep_every.max(1);
        let mut order = self.order(data.len());
        self.scale_lr(model);
        while self.state.step < plan.end && !self.state.stopped_early {
            if self.config.roll_backs > 0 && (good.is_none() || self.state.step.is_multiple_of(keep)) {
                *good = Some((model.params().snapshot()?, self.optimiser_state()?, self.state.clone()));
            }
            if self.state.position >= plan.per_epoch {
                self.state.epoch += 1;
                self.state.position = 0;
                order = self.order(data.len());
            }
            let from = self.state.position as usize * plan.minibatch;
            let batch = data.batch(&order[from..from + plan.minibatch], model.params().device())?;
            let mut cx = StepCx {
                optimisers: &mut self.optimisers,
                seed: self.seed,
                step: self.state.step,
                epoch: self.state.epoch,
                lr: self.config.adam.lr,
                lr_scale: self.state.lr_scale,
            };
            let losses = model.train_step(&batch, &mut cx)?;
            self.state.step += 1;
            self.state.position += 1;
            self.record(&losses, every, plan.total)?;
            if self.state.position >= plan.per_epoch {
                self.end_epoch();
            }
            if self.state.step.is_multiple_of(PROGRESS_EVERY) || self.state.step == plan.end {
                plan.progress.advance(self.state.step, &note(&losses));
                if plan.progress.cancelled() {
                    plan.watch.keep(model, self)?;
                    return Err(ZooError::Cancelled { step: self.state.step });
                }
            }
            if self.state.step.is_multiple_of(keep) {
                plan.watch.keep(model, self)?;
            }
            if plan.watch.over() {
                break;
            }
        }
        Ok(())
    }

    /// Sets the learning rates after a roll-back; models with a schedule of their own set theirs at every step.
    fn scale_lr(&mut self, model: &dyn Model) {
        for (group, adam) in &mut self.optimisers {
            adam.set_lr(model.optimiser(group, self.config.adam).lr * self.state.lr_scale);
        }
    }

    /// Looks whether the epoch that ended was better than the best.
    fn end_epoch(&mut self) {
        let Some(stop) = self.config.early_stop else { return };
        let (epoch, losses) = (self.state.epoch, &mut self.state.epochs);
        let mean = losses.sum / losses.len.max(1) as f64;
        (losses.sum, losses.len) = (0.0, 0);
        if losses.best.is_none_or(|best| mean < best - stop.min_delta * best.abs()) {
            (losses.best, losses.best_epoch) = (Some(mean), epoch);
        } else if epoch >= losses.best_epoch + stop.patience {
            self.state.stopped_early = true;
        }
    }

    /// The order of the cells in the current epoch.
    fn order(&self, n: usize) -> Vec<usize> {
        self.seed.stream(&format!("shuffle/{}", self.state.epoch)).permutation(n)
    }

    /// Takes losses into the history and stops a run that diverges.
    fn record(&mut self, losses: &Losses, every: u64, total: u64) -> Result<(), ZooError> {
        let s = &mut self.state;
        let loss = losses.first().map_or(f64::NAN, |l| l.1);
        let first = *s.first_loss.get_or_insert(loss);
        s.window_sum += loss;
        s.window_len += 1;
        s.epochs.sum += loss;
        s.epochs.len += 1;
        let mean = s.window_sum / s.window_len as f64;
        let exploded = mean > EXPLOSION * first.abs().max(f64::MIN_POSITIVE) && s.window_len >= every.min(10);
        if let Some((name, _)) = losses.iter().find(|l| !l.1.is_finite()) {
            let name = (*name).to_owned();
            return Err(ZooError::Diverged { step: s.step, epoch: s.epoch + 1, name, loss: f64::NAN, first });
        }
        if exploded {
            let name = losses.first().map_or("loss", |l| l.0).to_owned();
            return Err(ZooError::Diverged { step: s.step, epoch: s.epoch + 1, name, loss, first });
        }
        let due = s.window_len >= every || s.step == total;
        if due {
            s.history.push((s.step, mean));
            (s.window_sum, s.window_len) = (0.0, 0);
        }
        if losses.len() > 1 {
            for (name, value) in losses {
                let part = s.parts.entry((*name).to_owned()).or_default();
                part.window_sum += value;
                part.window_len += 1;
                if due {
                    part.history.push((s.step, part.window_sum / part.window_len as f64));
                    (part.window_sum, part.window_len) = (0.0, 0);
                }
            }
        }
        Ok(())
    }
}

/// Weights, state of the optimisers and of the run.
type Good = (BTreeMap<String, Tensor>, BTreeMap<String, Tensor>, TrainState);

/// What a run does and who looks at it.
struct Plan<'a> {
    minibatch: usize,
    per_epoch: u64,
    end: u64,
    total: u64,
    watch: &'a mut dyn Watch,
    progress: &'a dyn Progress,
}

/// Steps between two signs of life.
const PROGRESS_EVERY: u64 = 16;

/// The losses in a few words.
fn note(losses: &Losses) -> String {
    let parts: Vec<String> = losses.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
    parts.join(" · ")
}
