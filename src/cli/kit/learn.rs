//! What the verbs that train generators share: settings from flags, file and defaults; training or loading; the record.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args::{self, CountsArgs};
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

/// The settings as a record keeps them.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<Preset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_minutes: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minibatch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlabeled_category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_cells: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_genes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// Checked settings.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Learn {
    pub(in crate::cli) plan: TrainPlan,
    pub(in crate::cli) sought: Sought,
    max_minutes: Option<f64>,
    resume: bool,
    asked: Asked,
}

impl Learn {
    /// Options over defaults.
    ///
    /// # Errors
    /// [`CliError`] when a setting does not fit.
    pub(in crate::cli) fn resolve(args: &LearnArgs, model: Option<&str>) -> Result<Self, CliError> {
        let LearnArgs {
            preset,
            epochs,
            steps,
            max_minutes,
            minibatch,
            learning_rate,
            seed,
            settings,
            config: _,
            counts: CountsArgs { layer, round, feature_type },
            cluster_key,
            unlabeled_category,
            min_cells,
            min_genes,
            resume,
            running,
        } = args;
        let wrong =
            |e: serde_json::Error| CliError::usage(format!("settings: expected names and values: {e}"));
        let asked = Asked {
            model: Some(model.unwrap_or(DEFAULT_MODEL).to_owned()),
            preset: preset.map(PresetArg::into),
            epochs: *epochs,
            steps: *steps,
            max_minutes: *max_minutes,
            minibatch: *minibatch,
            learning_rate: *learning_rate,
            seed: seed.or(Some(0)),
            layer: layer.clone(),
            round: round.then_some(true),
            feature_type: feature_type.clone(),
            cluster_key: cluster_key.clone(),
            unlabeled_category: unlabeled_category.clone(),
            min_cells: min_cells.or(Some(3)),
            min_genes: min_genes.or(Some(10)),
            settings: settings.as_deref().map(serde_json::from_str).transpose().map_err(wrong)?,
        };
        asked.check(*resume, running.memory)
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

    /// Settings that can change the numbers.
    pub(in crate::cli) fn settings(&self) -> Value {
        // Time is no setting of the numbers: the steps it came to are.
        let asked = Asked { max_minutes: None, ..self.asked.clone() };
        serde_json::to_value(asked).unwrap_or(Value::Null)
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

impl Asked {
    fn check(self, resume: bool, memory: Option<u64>) -> Result<Learn, CliError> {
        let kind = self.model.clone().unwrap_or_default();
        if !KINDS.iter().any(|k| k.0 == kind) && entry(&kind).is_none_or(|e| e.counted.is_none()) {
            let known: Vec<&str> = known_models();
            let hint = crate::correct::did_you_mean(&kind, known.iter().copied());
            return Err(CliError::usage(format!(
                "no model {kind}{hint} that learns from counts; models: {}",
                known.join(", ")
            )));
        }
        let positive = |name: &str, ok: bool| {
            if ok { Ok(()) } else { Err(CliError::usage(format!("{name} must be above 0"))) }
        };
        positive("--epochs", self.epochs != Some(0))?;
        positive("--steps", self.steps != Some(0))?;
        positive("--minibatch", self.minibatch != Some(0))?;
        let sound = |x: Option<f64>| x.is_none_or(|x| x.is_finite() && x > 0.0);
        positive("--learning-rate", sound(self.learning_rate))?;
        positive("--max-minutes", sound(self.max_minutes))?;
        if self.max_minutes.is_some_and(|m| m > MOST_MINUTES) {
            return Err(CliError::usage(format!("--max-minutes: at most {MOST_MINUTES}, a year")));
        }
        if self.settings.as_ref().is_some_and(|s| !s.is_object()) {
            return Err(CliError::usage("settings: expected names and values"));
        }
        let length = self.epochs.map(Length::Epochs).or(self.steps.map(Length::Steps));
        let seed = Seed(self.seed.unwrap_or(0));
        let plan = TrainPlan {
            kind,
            preset: self.preset.unwrap_or_default(),
            settings: self.settings.clone().unwrap_or(Value::Null),
            minibatch: self.minibatch,
            length,
            learning_rate: self.learning_rate,
            seed,
        };
        let counts = CountsArgs {
            layer: self.layer.clone(),
            round: self.round.unwrap_or(false),
            feature_type: self.feature_type.clone(),
        };
        let sought = Sought {
            wanted: counts.wanted(),
            cluster_key: self.cluster_key.clone(),
            unlabeled: self.unlabeled_category.clone(),
            min_cells: self.min_cells.unwrap_or(3),
            min_genes: self.min_genes.unwrap_or(10),
            seed,
            memory: memory.unwrap_or(crate::io::ReadOptions::default().memory),
            scratch: scratch::folder(None, None),
        };
        Ok(Learn { plan, sought, max_minutes: self.max_minutes, resume, asked: self })
    }
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
