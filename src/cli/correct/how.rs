//! How cells are corrected and written: the options, checked. The one place where their defaults live.

use std::path::PathBuf;

use crate::cli::correct::CorrectArgs;
use crate::cli::correct::scale::TransformArg;
use crate::cli::kit::error::CliError;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::correct::{FitPlan, Fitted, Method, Preset, Zeros};
use crate::nn::AdamConfig;
use crate::recipe::{Scale, Transform};
use crate::rng::Seed;
use crate::zoo::{Length, TrainConfig};

/// How cells are corrected and written, wherever they come from.
#[derive(Debug, Clone)]
pub struct How {
    /// Markers asked for.
    pub markers: Option<String>,
    /// Layer asked for.
    pub layer: Option<String>,
    /// Whether the result replaces X.
    pub into_x: bool,
    /// Whether a corrected file is corrected once more.
    pub again: bool,
    /// Whether spillover is removed first.
    pub compensate: bool,
    /// The method.
    pub method: Method,
    /// Whether the method is applied without rivals, scores and verdict.
    pub only: bool,
    /// What becomes of exact zeros.
    pub zeros: Zeros,
    /// The form of NeuronEdit.
    pub preset: Preset,
    /// The scale.
    pub scale: Scale,
    /// Whether the user said what scale the values are on.
    pub scale_given: bool,
    /// Whether the user gave a cofactor.
    pub cofactor_given: bool,
    /// Training.
    pub train: TrainConfig,
    /// Hidden layers of the encoder.
    pub hidden: Vec<usize>,
    /// The seed.
    pub seed: u64,
    /// HTML page.
    pub report: Option<PathBuf>,
    /// Markers to draw against each other, as asked for.
    pub biaxial: Option<[String; 2]>,
    /// Folder to keep the model in.
    pub save_model: Option<PathBuf>,
    /// The configuration the options came from: read, and never replaced.
    pub config: Option<PathBuf>,
    /// How to read.
    pub reading: ReadArgs,
    /// How to write.
    pub writing: WriteArgs,
    /// How it runs.
    pub running: RunArgs,
}

impl How {
    /// Takes from the options what does not say where cells come from or go.
    ///
    /// # Errors
    /// [`CliError`] of wrong usage.
    pub fn of(r: &mut CorrectArgs) -> Result<Self, CliError> {
        no_part_of_a_stored_edit(r)?;
        let length = match (r.epochs, r.steps) {
            (Some(n), _) => Length::Epochs(n),
            (None, n) => Length::Steps(n.unwrap_or(3000)),
        };
        if matches!(length, Length::Steps(0) | Length::Epochs(0)) {
            return Err(CliError::usage("--steps and --epochs take a number above 0"));
        }
        let lr = r.model_learning_rate.unwrap_or(1e-3);
        let minibatch = r.model_minibatch.unwrap_or(100);
        let hidden = std::mem::take(&mut r.model_hidden);
        let hidden = if hidden.is_empty() { vec![500, 250, 50] } else { hidden };
        if !(lr.is_finite() && lr > 0.0) || minibatch == 0 || hidden.contains(&0) {
            return Err(CliError::usage(
                "model: learning_rate, minibatch and every hidden layer must be above 0, with at least one layer",
            ));
        }
        let train = TrainConfig::plain(minibatch, length, AdamConfig { lr, ..AdamConfig::default() });
        Ok(Self {
            markers: r.markers.take(),
            layer: r.layer.take(),
            into_x: r.into_x,
            again: r.again,
            compensate: r.compensate,
            method: method(r),
            only: r.only,
            zeros: r.zeros.unwrap_or_default(),
            preset: r.preset.unwrap_or(Preset::Default),
            scale: scale(r)?,
            scale_given: r.transform.is_some() || r.model_dir.is_some(),
            cofactor_given: r.cofactor.is_some() || r.model_dir.is_some(),
            train,
            hidden,
            seed: r.seed.unwrap_or(0),
            biaxial: biaxial(r)?,
            report: r.report.take(),
            save_model: r.save_model.take(),
            config: r.config.config.take(),
            reading: std::mem::take(&mut r.reading),
            writing: std::mem::take(&mut r.writing),
            running: std::mem::take(&mut r.running),
        })
    }
}

/// The method asked for, else that of the stored edit.
fn method(r: &CorrectArgs) -> Method {
    // A folder that holds no edit is refused later, with its own words.
    let stored = || Some(Fitted::load(r.model_dir.as_deref()?).ok()?.plan.method);
    r.method.or_else(stored).unwrap_or_default()
}

impl How {
    /// How to fit.
    pub(super) fn plan(&self) -> FitPlan {
        FitPlan {
            preset: self.preset,
            hidden: self.hidden.clone(),
            train: self.train,
            seed: Seed(self.seed),
            method: self.method,
            zeros: self.zeros,
        }
    }

    /// Whether values are scaled as those of mass cytometry because nobody said otherwise.
    pub(super) fn is_mass_by_default(&self) -> bool {
        !self.cofactor_given && matches!(self.scale.common, Transform::Arcsinh { .. })
    }
}

fn scale(r: &CorrectArgs) -> Result<Scale, CliError> {
    let cofactors = r.cofactor.clone().unwrap_or_default();
    let common = match r.transform.unwrap_or(TransformArg::Arcsinh) {
        TransformArg::Arcsinh => Transform::Arcsinh { cofactor: cofactors.common.unwrap_or(5.0) },
        _ if r.cofactor.is_some() => {
            return Err(CliError::usage("--cofactor belongs to --transform arcsinh; leave one of them out"));
        }
        TransformArg::ArcsinhDone(cofactor) => Transform::ArcsinhDone { cofactor },
        TransformArg::None => Transform::None,
    };
    Ok(Scale { common, own: cofactors.own })
}

/// Refuses what a stored edit brings with it.
fn no_part_of_a_stored_edit(r: &CorrectArgs) -> Result<(), CliError> {
    if r.model_dir.is_none() {
        return Ok(());
    }
    let model = !r.model_hidden.is_empty() || r.model_minibatch.is_some() || r.model_learning_rate.is_some();
    let learnt = [
        ("--markers", r.markers.is_some()),
        ("--transform", r.transform.is_some()),
        ("--cofactor", r.cofactor.is_some()),
        ("--preset", r.preset.is_some()),
        ("--zeros", r.zeros.is_some()),
        ("--steps", r.steps.is_some()),
        ("--epochs", r.epochs.is_some()),
        ("--seed", r.seed.is_some()),
        ("model (in the configuration)", model),
    ];
    if let Some((option, _)) = learnt.iter().find(|(_, given)| *given) {
        return Err(CliError::usage(format!(
            "{option} is part of the stored edit: leave it out with --model-dir"
        )));
    }
    if r.save_model.is_some() {
        return Err(CliError::usage(
            "--model-dir applies a stored edit and --save-model stores a new one; leave one out",
        ));
    }
    Ok(())
}

fn biaxial(r: &CorrectArgs) -> Result<Option<[String; 2]>, CliError> {
    let Some(names) = &r.biaxial else { return Ok(None) };
    if r.report.is_none() {
        return Err(CliError::usage("--biaxial is a figure of the report: add --report FILE.html"));
    }
    match names.split_once(',') {
        Some((x, y)) if !y.contains(',') => Ok(Some([x.trim().to_owned(), y.trim().to_owned()])),
        _ => Err(CliError::usage(format!("--biaxial {names}: expected two markers, as in CD4,IFNg"))),
    }
}
