//! Learning every method from the controls at once.

use candle_core::Device;

use super::fitted::{Fitted, Network};
use super::joined::{self, Guess, TwoFrames};
use super::run_fit::{Cells, RunFit, Ways};
use super::zeros::Zeros;
use super::{CorrectError, Experiment, Marker, Method, Preset, Run};
use crate::loader::{Group, Union};
use crate::progress::Progress;
use crate::recipe::Scale;
use crate::rng::Seed;
use crate::zoo::{NeuronEdit, NeuronEditConfig, TrainConfig, Trainer};

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
    /// The method that was chosen: a network is trained when it works on neurons.
    pub method: Method,
    /// What becomes of exact zeros.
    pub zeros: Zeros,
}

/// Fits every method on the controls of every run; methods on neurons only when such a method was chosen, and then trains
/// the autoencoder first.
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
    let scale = scale.into();
    let gains = scale.common.is_arcsinh();
    let tables = &experiment.tables;
    let guesses: Vec<Option<Guess>> = experiment
        .runs
        .iter()
        .map(|run| match plan.preset {
            Preset::Default if plan.method.needs_network() => {
                Some(Guess::fit(run.source.gather(tables).view(), run.target.gather(tables).view(), gains))
            }
            _ => None,
        })
        .collect();
    let network =
        if plan.method.needs_network() { Some(train(experiment, &guesses, &plan, progress)?) } else { None };
    let ways = Ways { model: network.as_ref().map(|n| &n.model), preset: plan.preset, gains };
    let runs = experiment
        .runs
        .iter()
        .zip(guesses)
        .map(|(run, guess)| fit_run(experiment, run, ways, guess))
        .collect::<Result<_, _>>()?;
    Ok(Fitted { network, plan, markers, scale, runs, reference: None })
}

fn train(
    experiment: &Experiment,
    guesses: &[Option<Guess>],
    plan: &FitPlan,
    progress: &dyn Progress,
) -> Result<Network, CorrectError> {
    let config =
        NeuronEditConfig { hidden: plan.hidden.clone(), ..NeuronEditConfig::paper(experiment.markers.len()) };
    let mut model = NeuronEdit::new(config, plan.seed, &Device::Cpu)?;
    let mut trainer = Trainer::new(&model, plan.train, plan.seed);
    let tables = &experiment.tables;
    let all = Union::new(tables, &experiment.training.iter().collect::<Vec<_>>());
    let guessed = experiment
        .runs
        .iter()
        .zip(guesses)
        .filter_map(|(run, guess)| Some((guess.as_ref()?, Union::new(tables, &moved_groups(run)))))
        .collect();
    trainer.run(&mut model, &TwoFrames { all, guessed }, None, progress)?;
    Ok(Network { model, trainer })
}

/// Everything of a run that is moved and learnt from: its control, its samples, and the held-out source, which joins like a
/// sample.
fn moved_groups(run: &Run) -> Vec<&Group> {
    let samples = run.samples.iter().map(|s| &s.learnt);
    std::iter::once(&run.source).chain(samples).chain(run.holdout.iter().map(|h| &h.0)).collect()
}

/// What the edit of a run is for: the samples, and the held-out source, which joins like a sample.
pub(super) fn edited(experiment_tables: &[ndarray::Array2<f32>], run: &Run) -> ndarray::Array2<f32> {
    let held = run.holdout.iter().map(|h| &h.0);
    let groups: Vec<_> = run.samples.iter().map(|s| &s.scored).chain(held).collect();
    Union::new(experiment_tables, &groups).some(joined::MOST)
}

fn fit_run(
    experiment: &Experiment,
    run: &Run,
    ways: Ways<'_>,
    guess: Option<Guess>,
) -> Result<RunFit, CorrectError> {
    let tables = &experiment.tables;
    let (source, target) = (run.source.gather(tables), run.target.gather(tables));
    let sample = edited(tables, run);
    let cells = Cells { source: source.view(), target: target.view(), sample: sample.view() };
    let fit = RunFit::learn(&run.name, cells, ways, guess)?;
    if fit.untouched.iter().all(|&u| u) {
        return Err(CorrectError::input(
            &run.title,
            "every marker is constant in a control; nothing can be learnt",
        ));
    }
    let names = experiment.markers.iter().zip(&fit.untouched);
    let constant: Vec<&str> = names.filter(|(_, u)| **u).map(|(m, _)| m.as_str()).collect();
    if !constant.is_empty() {
        tracing::warn!("{}: constant in a control, left uncorrected: {}", run.title, constant.join(", "));
    }
    Ok(fit)
}
