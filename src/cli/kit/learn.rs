//! What the verbs that train generators share: settings from flags, file and defaults; training or loading; the record.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn_args::{LearnArgs, PresetArg};
use crate::cli::kit::output::hash;
use crate::cli::kit::show::thousands;
use crate::data::{Change, Dataset, scratch};
use crate::generate::{self, GenerateError, KINDS, Material, Sought, Stops, TrainPlan, Trained};
use crate::io::ReadOptions;
use crate::provenance::Record;
use crate::rng::Seed;
use crate::zoo::{Length, Preset, ZooError, entry};

/// The longest training that can be asked for by time.
const MOST_MINUTES: f64 = 525_600.0;

/// The model that is taken when none is named.
const DEFAULT_MODEL: &str = "activa";

/// Checked settings.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Learn {
    pub(in crate::cli) plan: TrainPlan,
    pub(in crate::cli) sought: Sought,
    max_minutes: Option<f64>,
    resume: bool,
    /// What can change the numbers, for records.
    asked: Value,
}

impl Learn {
    /// Options over defaults.
    ///
    /// # Errors
    /// [`CliError`] when a setting does not fit.
    pub(in crate::cli) fn resolve(args: &LearnArgs, model: Option<&str>) -> Result<Self, CliError> {
        let kind = model.unwrap_or(DEFAULT_MODEL);
        check(args, kind)?;
        let wrong = |e: String| CliError::usage(format!("settings: expected names and values{e}"));
        let settings: Option<Value> = match args.settings.as_deref().map(serde_json::from_str).transpose() {
            Ok(settings) => settings,
            Err(e) => return Err(wrong(format!(": {e}"))),
        };
        if settings.as_ref().is_some_and(|s: &Value| !s.is_object()) {
            return Err(wrong(String::new()));
        }
        let preset: Option<Preset> = args.preset.map(PresetArg::into);
        let seed = args.seed.unwrap_or(0);
        let (min_cells, min_genes) = (args.min_cells.unwrap_or(3), args.min_genes.unwrap_or(10));
        // Time is no setting of the numbers: the steps it came to are.
        let asked = json!({
            "model": kind,
            "preset": preset,
            "epochs": args.epochs,
            "steps": args.steps,
            "minibatch": args.minibatch,
            "learning_rate": args.learning_rate,
            "seed": seed,
            "layer": args.counts.layer,
            "round": args.counts.round.then_some(true),
            "feature_type": args.counts.feature_type,
            "cluster_key": args.cluster_key,
            "unlabeled_category": args.unlabeled_category,
            "min_cells": min_cells,
            "min_genes": min_genes,
            "settings": settings,
        });
        let seed = Seed(seed);
        let plan = TrainPlan {
            kind: kind.to_owned(),
            preset: preset.unwrap_or_default(),
            settings: settings.unwrap_or(Value::Null),
            minibatch: args.minibatch,
            length: args.epochs.map(Length::Epochs).or(args.steps.map(Length::Steps)),
            learning_rate: args.learning_rate,
            seed,
        };
        let sought = Sought {
            wanted: args.counts.wanted(),
            cluster_key: args.cluster_key.clone(),
            unlabeled: args.unlabeled_category.clone(),
            min_cells,
            min_genes,
            seed,
            memory: args.running.memory.unwrap_or(ReadOptions::default().memory),
            scratch: scratch::folder(None, None),
        };
        Ok(Self { plan, sought, max_minutes: args.max_minutes, resume: args.resume, asked })
    }

    /// With labels from that column.
    pub(in crate::cli) fn with_key(mut self, key: &str) -> Self {
        self.sought.cluster_key = Some(key.to_owned());
        self
    }

    /// With temporary files where these options of reading have them.
    pub(in crate::cli) fn scratch(mut self, reading: &ReadOptions) -> Self {
        self.sought.scratch = reading.scratch_folder();
        self
    }

    /// When training must end, where that was asked for.
    pub(in crate::cli) fn until(&self) -> Option<Instant> {
        self.max_minutes.map(|m| Instant::now() + Duration::from_secs_f64(60.0 * m))
    }

    /// Settings that can change the numbers; those that were left to the preset are not among them.
    pub(in crate::cli) fn settings(&self) -> Value {
        let given = self.asked.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        given.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Reads what is learnt from, and says what was chosen.
    ///
    /// # Errors
    /// [`CliError`] with the file.
    pub(in crate::cli) fn material(
        &self,
        input: &Path,
        dataset: &Dataset,
        console: &Console,
    ) -> Result<Material, CliError> {
        let name = input.display().to_string();
        let material = Material::read(dataset, &self.sought, console).map_err(|e| within(e, &name))?;
        console.say(&format!(
            "{name}: counts from {}, labels from obs[\"{}\"] ({}); {} cells × {} of {} genes are learnt from",
            material.taken.words(),
            material.labels.key,
            material.labels.list(),
            thousands(material.cells.len()),
            thousands(material.kept.len()),
            thousands(material.genes.len())
        ));
        counts_args::say(&material.taken, console);
        let made = material.made(dataset);
        if made > 0 {
            console.say(&format!(
                "{name}: {} cells were made by scx; they keep their mark, and nothing is learnt from them",
                thousands(made)
            ));
        }
        Ok(material)
    }

    /// Trains, with its state kept in `folder` meanwhile.
    ///
    /// # Errors
    /// [`CliError`]; a stopped training says how to go on.
    pub(in crate::cli) fn train(
        &self,
        input: &Path,
        material: &Material,
        folder: &Path,
        console: &Console,
    ) -> Result<Trained, CliError> {
        let stops = Stops { until: self.until(), checkpoint: Some(folder.to_owned()), resume: self.resume };
        if !self.resume && folder.join("model.json").is_file() && Trained::is_unfinished(folder) {
            console.say(&format!(
                "{}: the state of a stopped training is replaced; --resume would go on with it",
                folder.display()
            ));
        }
        let started = Instant::now();
        let trained = generate::train(material, &self.plan, &stops, console).map_err(|e| match e {
            GenerateError::Zoo(ZooError::Cancelled { step }) => CliError::stopped_with(format!(
                "stopped at step {step}; the state is in {}, --resume goes on with it",
                folder.display()
            )),
            e => within(e, &input.display().to_string()),
        })?;
        if let Some(state) = &trained.state {
            console.say(&format!(
                "trained {} ({}): {} steps, {} epochs, {:.1} minutes{}",
                self.plan.kind,
                self.plan.preset.name(),
                thousands(state.step as usize),
                state.epoch + 1,
                started.elapsed().as_secs_f64() / 60.0,
                if state.rolled_back > 0 {
                    format!("; went back {} times because it diverged", state.rolled_back)
                } else {
                    String::new()
                }
            ));
        }
        Ok(trained)
    }
}

/// Refuses a model that does not learn from counts, and numbers that make no sense.
fn check(args: &LearnArgs, kind: &str) -> Result<(), CliError> {
    if !KINDS.iter().any(|k| k.0 == kind) && entry(kind).is_none_or(|e| e.counted.is_none()) {
        let known: Vec<&str> = known_models();
        let hint = crate::correct::did_you_mean(kind, known.iter().copied());
        return Err(CliError::usage(format!(
            "no model {kind}{hint} that learns from counts; models: {}",
            known.join(", ")
        )));
    }
    let sound = |x: Option<f64>| x.is_none_or(|x| x.is_finite() && x > 0.0);
    let positive = [
        ("--epochs", args.epochs != Some(0)),
        ("--steps", args.steps != Some(0)),
        ("--minibatch", args.minibatch != Some(0)),
        ("--learning-rate", sound(args.learning_rate)),
        ("--max-minutes", sound(args.max_minutes)),
    ];
    if let Some((name, _)) = positive.iter().find(|(_, ok)| !ok) {
        return Err(CliError::usage(format!("{name} must be above 0")));
    }
    if args.max_minutes.is_some_and(|m| m > MOST_MINUTES) {
        return Err(CliError::usage(format!("--max-minutes: at most {MOST_MINUTES}, a year")));
    }
    Ok(())
}

/// Says what nothing is learnt from, for verbs whose output has no report of losses.
pub(in crate::cli) fn say_left_out(changes: &[Change], console: &Console) {
    changes.iter().for_each(|c| console.say(&format!("{}: {}", c.element, c.words())));
}

/// All models that learn from counts, each once.
pub(in crate::cli) fn known_models() -> Vec<&'static str> {
    let zoo = crate::zoo::REGISTRY.iter().filter(|e| e.counted.is_some()).map(|e| e.kind);
    let mut all: Vec<&str> = zoo.chain(KINDS.iter().map(|k| k.0)).collect();
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|k| seen.insert(*k));
    all
}

/// An error with the file it is about.
pub(in crate::cli) fn within(e: GenerateError, file: &str) -> CliError {
    CliError::from(e).within(file)
}

/// The folder that keeps a training's state: that of the model, else one beside the output.
pub(in crate::cli) fn state_folder(save_model: Option<&Path>, output: &Path) -> PathBuf {
    save_model.map_or_else(
        || {
            let mut name = output.file_name().unwrap_or_default().to_owned();
            name.push(".ckpt");
            output.with_file_name(name)
        },
        Path::to_owned,
    )
}

/// Refuses a folder that a model cannot be written to, before any work.
///
/// # Errors
/// [`CliError`] with what to do.
pub(in crate::cli) fn check_model_folder(dir: &Path, force: bool) -> Result<(), CliError> {
    // The state of a stopped training may always be replaced.
    crate::zoo::check_target(dir, force || Trained::is_unfinished(dir))?;
    crate::cli::kit::targets::check_folder(dir, dir)
}

/// Keeps the model where that was asked for; a state kept beside the output has served.
///
/// # Errors
/// [`CliError`] when the folder cannot be written.
pub(in crate::cli) fn keep(
    trained: &Trained,
    save_model: Option<&Path>,
    folder: &Path,
    force: bool,
) -> Result<(), CliError> {
    match save_model {
        Some(dir) => Ok(trained.save(dir, force || Trained::is_unfinished(dir))?),
        None if Trained::is_unfinished(folder) => std::fs::remove_dir_all(folder)
            .map_err(|e| CliError::input(format!("{}: cannot be removed: {e}", folder.display()))),
        None => Ok(()),
    }
}

/// Keeps a model that was trained for cells it then could not make, and says where.
pub(in crate::cli) fn keep_failed(trained: &Trained, folder: &Path, own: bool, e: CliError) -> CliError {
    if own && trained.state.is_some() && trained.save(folder, true).is_ok() {
        return e.with(&format!("; the trained model is kept: --model-dir {}", folder.display()));
    }
    e
}

/// The record of a run.
///
/// # Errors
/// [`CliError`] when the input cannot be read again.
pub(in crate::cli) fn record(
    verb: &str,
    settings: Value,
    input: Option<(&Path, &Dataset)>,
    result: Value,
) -> Result<Record, CliError> {
    let mut record = Record::new(verb, settings).result(result);
    if let Some((path, dataset)) = input {
        record = record.hashed_input("input", path, dataset.shape(), hash(path)?);
    }
    Ok(record)
}

/// How a training went, for records and JSON.
pub(in crate::cli) fn training(trained: &Trained) -> Value {
    match &trained.state {
        None => Value::Null,
        Some(s) => json!({
            "steps": s.step,
            "epochs": s.epoch + 1,
            "stopped_early": s.stopped_early,
            "rolled_back": s.rolled_back,
        }),
    }
}
