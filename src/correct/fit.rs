//! Learning every method from the controls at once, and applying any of them.

use std::path::Path;

use candle_core::Device;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::joined::{self, Codes, Guess, Joined, TwoFrames};
use super::{CorrectError, Experiment, Marker, Method, Preset, Run};
use crate::classic::{PAPER_KNOTS, PercentileMap, Tail, column_means, fit_percentile_maps};
use crate::eval::median;
use crate::loader::{Group, Union};
use crate::progress::Progress;
use crate::recipe::{Scale, Transform};
use crate::rng::Seed;
use crate::zoo::{
    Checkpoint, FORMAT_VERSION, LatentEdit, Model, ModelFile, NeuronEdit, NeuronEditConfig, TrainConfig,
    Trainer, ZooError,
};

/// How to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FitPlan {
    /// Which form of NeuronEdit.
    pub preset: Preset,
    /// Hidden layers of the encoder, bottleneck last.
    pub hidden: Vec<usize>,
    /// How to train.
    pub train: TrainConfig,
    /// The seed of everything random.
    pub seed: Seed,
}

/// What the controls of one run say: every method, ready to apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFit {
    /// Name of the run.
    pub name: String,
    /// Change of each marker's median from source to target control.
    pub control_change: Vec<f64>,
    /// Markers that are constant in a control: nothing can be learnt, they are left as they are.
    pub untouched: Vec<bool>,
    /// Change of each marker's mean.
    pub mean_shift: Vec<f64>,
    /// Percentile map of each marker.
    pub ambient: Vec<PercentileMap>,
    /// Edits of the bottleneck neurons.
    pub latent: LatentEdit,
    /// The joined edit of the default preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
}

/// Everything a correction has learnt.
#[derive(Debug)]
pub struct Fitted {
    /// The autoencoder.
    pub model: NeuronEdit,
    /// The training run: state and optimiser.
    pub trainer: Trainer,
    /// How it was fitted.
    pub plan: FitPlan,
    /// The markers, in order.
    pub markers: Vec<Marker>,
    /// The scale it works on.
    pub scale: Scale,
    /// The runs, by name.
    pub runs: Vec<RunFit>,
    /// Name of the reference run, where runs have names.
    pub reference: Option<String>,
}

/// The part of [`Fitted`] that goes into the model's description as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Learnt {
    preset: Preset,
    recipe: Transform,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cofactors: Vec<(String, f64)>,
    markers: Vec<Marker>,
    reference: Option<String>,
    runs: Vec<RunFit>,
}

/// What one method makes of some cells.
#[derive(Debug)]
pub struct Applied {
    /// The corrected cells, cells × markers.
    pub values: Array2<f32>,
    /// Share of values (of neurons for methods on neurons) outside what the source control showed.
    pub outside: f64,
}

/// Cells corrected at a time by one thread.
const ROWS: usize = 1 << 13;

/// Trains the autoencoder and fits every method on the controls of every run.
///
/// # Errors
/// [`CorrectError::Zoo`] when training diverges or is stopped, [`CorrectError::Input`] when all markers of a control
/// are constant.
pub fn fit(
    experiment: &Experiment,
    markers: Vec<Marker>,
    scale: impl Into<Scale>,
    plan: FitPlan,
    progress: &dyn Progress,
) -> Result<Fitted, CorrectError> {
    let config =
        NeuronEditConfig { hidden: plan.hidden.clone(), ..NeuronEditConfig::paper(experiment.markers.len()) };
    let mut model = NeuronEdit::new(config, plan.seed, &Device::Cpu)?;
    let mut trainer = Trainer::new(&model, plan.train, plan.seed);
    let tables = &experiment.tables;
    let all = Union::new(tables, &experiment.training.iter().collect::<Vec<_>>());
    let scale = scale.into();
    let gains = scale.common.is_arcsinh();
    let guesses: Vec<Option<Guess>> = experiment
        .runs
        .iter()
        .map(|run| match plan.preset {
            Preset::Paper => None,
            Preset::Default => {
                Some(Guess::fit(run.source.gather(tables).view(), run.target.gather(tables).view(), gains))
            }
        })
        .collect();
    let guessed = experiment
        .runs
        .iter()
        .zip(&guesses)
        .filter_map(|(run, guess)| Some((guess.as_ref()?, Union::new(tables, &moved_groups(run)))))
        .collect();
    trainer.run(&mut model, &TwoFrames { all, guessed }, None, progress)?;
    let runs = experiment
        .runs
        .iter()
        .zip(guesses)
        .map(|(run, guess)| fit_run(experiment, run, &model, guess))
        .collect::<Result<_, _>>()?;
    Ok(Fitted { model, trainer, plan, markers, scale, runs, reference: None })
}

/// Everything of a run that is moved and learnt from: its control, its samples, and the held-out source, which joins like a
/// sample.
fn moved_groups(run: &Run) -> Vec<&Group> {
    let samples = run.samples.iter().map(|s| &s.learnt);
    std::iter::once(&run.source).chain(samples).chain(run.holdout.iter().map(|h| &h.0)).collect()
}

fn fit_run(
    experiment: &Experiment,
    run: &Run,
    model: &NeuronEdit,
    guess: Option<Guess>,
) -> Result<RunFit, CorrectError> {
    let source = run.source.gather(&experiment.tables);
    let target = run.target.gather(&experiment.tables);
    let untouched: Vec<bool> = (0..source.ncols())
        .map(|j| [&source, &target].into_iter().any(|x| x.column(j).iter().all(|v| *v == x[(0, j)])))
        .collect();
    if untouched.iter().all(|&u| u) {
        return Err(CorrectError::input(
            &run.title,
            "every marker is constant in a control; nothing can be learnt",
        ));
    }
    let constant: Vec<&str> =
        experiment.markers.iter().zip(&untouched).filter(|(_, u)| **u).map(|(m, _)| m.as_str()).collect();
    if !constant.is_empty() {
        tracing::warn!("{}: constant in a control, left uncorrected: {}", run.title, constant.join(", "));
    }
    let (zs, zt) = (model.encode(source.view())?, model.encode(target.view())?);
    let latent = LatentEdit::fit(zs.view(), zt.view(), PAPER_KNOTS, Tail::Linear);
    let joined = match guess {
        None => None,
        Some(guess) => {
            // What the edit is for: the samples, and the held-out source, which joins like a sample.
            let held = run.holdout.iter().map(|h| &h.0);
            let groups: Vec<_> = run.samples.iter().map(|s| &s.scored).chain(held).collect();
            let sample = Union::new(&experiment.tables, &groups).some(joined::MOST);
            let codes = Codes::Neurons(model);
            Some(Joined::fit(codes, guess, source.view(), target.view(), sample.view())?)
        }
    };
    Ok(RunFit {
        name: run.name.clone(),
        control_change: differences(&medians(target.view()), &medians(source.view())),
        mean_shift: differences(&column_means(target.view()), &column_means(source.view())),
        ambient: fit_percentile_maps(source.view(), target.view(), PAPER_KNOTS, Tail::Linear),
        latent,
        joined,
        untouched,
    })
}

/// Median of each column.
pub(super) fn medians(x: ArrayView2<'_, f32>) -> Vec<f64> {
    x.columns().into_iter().map(|c| median(&mut c.to_vec())).collect()
}

/// `a − b`, element by element.
pub(super) fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

impl Fitted {
    /// What was learnt for the run of that name.
    pub fn run(&self, name: &str) -> Option<&RunFit> {
        self.runs.iter().find(|r| r.name == name)
    }

    /// Moves cells (cells × markers, on the model's scale) by one method.
    ///
    /// # Errors
    /// [`CorrectError::Numerical`] when a result is not finite.
    pub fn apply(
        &self,
        run: &RunFit,
        method: Method,
        x: ArrayView2<'_, f32>,
    ) -> Result<Applied, CorrectError> {
        let mut values = Array2::zeros(x.dim());
        let outside = x
            .axis_chunks_iter(Axis(0), ROWS)
            .into_par_iter()
            .zip(values.axis_chunks_iter_mut(Axis(0), ROWS))
            .map(|(from, mut to)| {
                let (mut moved, out) = self.apply_chunk(run, method, from)?;
                for (j, _) in run.untouched.iter().enumerate().filter(|(_, u)| **u) {
                    moved.column_mut(j).assign(&from.column(j));
                }
                to.assign(&moved);
                Ok(out * from.nrows() as f64)
            })
            .collect::<Result<Vec<f64>, CorrectError>>()?;
        let outside = outside.iter().sum::<f64>() / x.nrows().max(1) as f64;
        match values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            None => Ok(Applied { values, outside }),
            Some(((row, col), v)) => Err(CorrectError::Numerical {
                what: format!(
                    "{}: run {}, cell {row}, marker {}: the corrected value is {v}; \
                     the sample lies too far from the controls, try --method mean-shift",
                    method.name(),
                    run.name,
                    self.markers.get(col).map_or("?", |m| &m.name)
                ),
            }),
        }
    }

    fn apply_chunk(
        &self,
        run: &RunFit,
        method: Method,
        x: ArrayView2<'_, f32>,
    ) -> Result<(Array2<f32>, f64), CorrectError> {
        let outside = |x: ArrayView2<'_, f32>| {
            let out = x.rows().into_iter().map(|row| {
                row.iter().zip(&run.ambient).filter(|(v, map)| map.outside(f64::from(**v))).count()
            });
            out.sum::<usize>() as f64 / x.len().max(1) as f64
        };
        Ok(match method {
            Method::None => (x.to_owned(), outside(x)),
            Method::MeanShift => {
                let mut y = x.to_owned();
                for mut row in y.rows_mut() {
                    row.iter_mut().zip(&run.mean_shift).for_each(|(v, s)| *v = (f64::from(*v) + s) as f32);
                }
                (y, outside(x))
            }
            Method::Ambient => {
                let mut y = x.to_owned();
                for mut row in y.rows_mut() {
                    row.iter_mut().zip(&run.ambient).for_each(|(v, m)| *v = m.apply(f64::from(*v)) as f32);
                }
                (y, outside(x))
            }
            Method::ConstantShift => {
                let mut z = self.model.encode(x)?;
                let outside = run.latent.outside(z.view());
                run.latent.shift(&mut z);
                (self.model.decode(z.view())?, outside)
            }
            Method::NeuronEdit if let Some(joined) = &run.joined => {
                joined.apply(Codes::Neurons(&self.model), x)?
            }
            Method::NeuronEdit => {
                let mut z = self.model.encode(x)?;
                let outside = run.latent.outside(z.view());
                run.latent.edit(&mut z);
                (self.model.decode(z.view())?, outside)
            }
        })
    }

    /// Writes the model's folder.
    ///
    /// # Errors
    /// [`ZooError::Checkpoint`] when the folder cannot be written.
    pub fn save(&self, dir: &Path, force: bool) -> Result<(), CorrectError> {
        let json = |e: serde_json::Error| ZooError::Checkpoint { path: dir.to_owned(), what: e.to_string() };
        let learnt = Learnt {
            preset: self.plan.preset,
            recipe: self.scale.common,
            cofactors: self.scale.own.clone(),
            markers: self.markers.clone(),
            reference: self.reference.clone(),
            runs: self.runs.clone(),
        };
        let file = ModelFile {
            format_version: FORMAT_VERSION,
            scx_version: env!("CARGO_PKG_VERSION").into(),
            kind: crate::zoo::NEURON_EDIT.into(),
            config: serde_json::to_value(self.model.config()).map_err(json)?,
            var_names: self.markers.iter().map(|m| m.name.clone()).collect(),
            train: self.plan.train,
            seed: self.plan.seed,
            state: self.trainer.state().clone(),
            fitted: serde_json::to_value(learnt).map_err(json)?,
        };
        let checkpoint = Checkpoint {
            file,
            weights: self.model.params().snapshot().map_err(ZooError::from)?,
            optimiser: Some(self.trainer.optimiser_state()?),
        };
        Ok(checkpoint.save(dir, force)?)
    }

    /// Reads a model's folder.
    ///
    /// # Errors
    /// [`ZooError::Checkpoint`] when it is not a stored correction, or its parts do not fit together.
    pub fn load(dir: &Path) -> Result<Self, CorrectError> {
        let bad = |what: String| ZooError::Checkpoint { path: dir.to_owned(), what };
        let Checkpoint { file, weights, optimiser } = Checkpoint::load(dir)?;
        if file.kind != crate::zoo::NEURON_EDIT {
            return Err(
                bad(format!("model.json: a model of kind {}, which corrects nothing", file.kind)).into()
            );
        }
        let config: NeuronEditConfig =
            serde_json::from_value(file.config).map_err(|e| bad(format!("model.json: config: {e}")))?;
        let learnt: Learnt =
            serde_json::from_value(file.fitted).map_err(|e| bad(format!("model.json: fitted: {e}")))?;
        let width = config.width;
        let sound = |r: &RunFit| {
            let neurons = config.hidden.last().copied().unwrap_or(0);
            r.ambient.len() == width
                && [r.control_change.len(), r.untouched.len(), r.mean_shift.len()] == [width; 3]
                && r.latent.percentiles.len() == neurons
                && r.latent.shift.len() == neurons
                && r.joined.as_ref().is_none_or(|j| j.is_sound(width, neurons))
                && r.ambient.iter().chain(&r.latent.percentiles).all(PercentileMap::is_sound)
        };
        if learnt.markers.len() != width {
            return Err(bad(format!(
                "{} markers are named, the network takes {width}",
                learnt.markers.len()
            ))
            .into());
        }
        if let Some(run) = learnt.runs.iter().find(|r| !sound(r)) {
            return Err(bad(format!("model.json: the maps of run {} are damaged", run.name)).into());
        }
        if !file.var_names.iter().eq(learnt.markers.iter().map(|m| &m.name)) {
            return Err(bad("model.json: var_names and the names of the markers differ".into()).into());
        }
        // Sizes come from a file: none is allocated that the stored weights do not have.
        let widest = weights.values().flat_map(|t| t.dims()).copied().max().unwrap_or(0);
        let layers = &config.hidden;
        if layers.len() > weights.len() || layers.iter().any(|&size| size > widest) {
            return Err(bad(format!(
                "model.json: config: hidden layers {layers:?}, but weights.safetensors holds {} tensors, \
                 at most {widest} wide",
                weights.len()
            ))
            .into());
        }
        let model = NeuronEdit::new(config.clone(), file.seed, &Device::Cpu)
            .map_err(|e| bad(format!("model.json: config: {e}")))?;
        model.params().load(&weights).map_err(|e| bad(format!("weights.safetensors: {e}")))?;
        let mut trainer = Trainer::new(&model, file.train, file.seed);
        if let Some(tensors) = optimiser {
            trainer.restore(file.state, &tensors).map_err(|e| bad(format!("optimizer.safetensors: {e}")))?;
        }
        let plan =
            FitPlan { preset: learnt.preset, hidden: config.hidden, train: file.train, seed: file.seed };
        Ok(Self {
            model,
            trainer,
            plan,
            markers: learnt.markers,
            scale: Scale { common: learnt.recipe, own: learnt.cofactors },
            runs: learnt.runs,
            reference: learnt.reference,
        })
    }
}
