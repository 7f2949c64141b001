//! Training a generator on counts: one way for all of them.

use std::time::Instant;

use candle_core::Device;
use serde_json::Value;

use super::description::{Description, checkpoint};
use super::plan::{Stops, TrainPlan};
use super::simple::Simple;
use super::trained::{Maker, Trained};
use super::{GenerateError, Material};
use crate::loader::LabelledCells;
use crate::progress::Progress;
use crate::rng::Seed;
use crate::zoo::{Checkpoint, Dims, Length, Model, TrainConfig, Trainer, Watch, ZooError, entry};

/// Keeps the state on disk and looks at the clock.
struct Keeper<'a> {
    stops: &'a Stops,
    description: &'a Description,
    train: TrainConfig,
    seed: Seed,
}

impl Watch for Keeper<'_> {
    fn over(&mut self) -> bool {
        self.stops.until.is_some_and(|until| Instant::now() >= until)
    }

    fn keep(&mut self, model: &dyn Model, trainer: &Trainer) -> Result<(), ZooError> {
        let Some(dir) = &self.stops.checkpoint else { return Ok(()) };
        let description = Description { finished: false, ..self.description.clone() };
        let optimiser = Some(trainer.optimiser_state()?);
        checkpoint(&description, model, self.train, self.seed, trainer.state(), optimiser)?.save(dir, true)
    }
}

/// Trains the planned generator.
///
/// # Errors
/// [`GenerateError`] when the model is unknown, its settings do not fit, the training diverges or is stopped.
pub fn train(
    material: &Material,
    plan: &TrainPlan,
    stops: &Stops,
    progress: &dyn Progress,
) -> Result<Trained, GenerateError> {
    let sizes = material.sizes();
    if let Some(i) = sizes.iter().position(|&n| n < 2) {
        return Err(GenerateError::input(format!(
            "cluster {} has {} cell to learn from, at least 2 are needed; merge it with another or leave it out \
             (clusters: {})",
            material.labels.names[i],
            sizes[i],
            material.labels.list()
        )));
    }
    let description = Description::new(material, plan);
    if super::KINDS.iter().any(|k| k.0 == plan.kind) && entry(&plan.kind).is_none_or(|e| e.counted.is_none())
    {
        let cells = material.counts.cells(&material.cells);
        let labels: Vec<usize> = material.cells.iter().map(|&c| material.labels.codes[c] as usize).collect();
        let simple = Simple::fit(&plan.kind, &cells, &labels, sizes.len(), plan.seed)?;
        let train = TrainConfig::plain(0, Length::Steps(0), crate::nn::AdamConfig::default());
        return Ok(Trained {
            maker: Maker::Simple(simple),
            description,
            state: None,
            train,
            seed: plan.seed,
            changes: material.changes.clone(),
        });
    }
    let Some(counted) = entry(&plan.kind).and_then(|e| e.counted) else {
        return Err(GenerateError::usage(format!(
            "no model {} that learns from counts; models: {}",
            plan.kind,
            super::KINDS.iter().map(|k| k.0).collect::<Vec<_>>().join(", ")
        )));
    };
    let dims = Dims { genes: material.kept.len(), labels: sizes.len(), cells: material.cells.len() };
    let mut config = (counted.config)(plan.preset, dims)?;
    replace(&mut config, &plan.settings)?;
    let mut train = (counted.train)(plan.preset, dims);
    train.minibatch = plan.minibatch.unwrap_or(train.minibatch);
    train.length = plan.length.unwrap_or(train.length);
    train.adam.lr = plan.learning_rate.unwrap_or(train.adam.lr);

    let mut model = (counted.build)(config, Value::Null, plan.seed, &Device::Cpu)?;
    let mut trainer = Trainer::new(model.as_ref(), train, plan.seed);
    if stops.resume {
        go_on(model.as_ref(), &mut trainer, &description, stops)?;
    }
    let source = LabelledCells::new(&material.counts, &material.labels.codes, material.cells.clone())?;
    let mut keeper = Keeper { stops, description: &description, train, seed: plan.seed };
    trainer.run_watched(model.as_mut(), &source, None, &mut keeper, progress)?;
    model.calibrate(&source)?;
    let state = Some(trainer.state().clone());
    let description = Description { finished: true, ..description };
    let changes = material.changes.clone();
    Ok(Trained { maker: Maker::Network(model), description, state, train, seed: plan.seed, changes })
}

/// Takes up a training where its state was kept.
fn go_on(
    model: &dyn Model,
    trainer: &mut Trainer,
    description: &Description,
    stops: &Stops,
) -> Result<(), GenerateError> {
    let Some(dir) = stops.checkpoint.as_deref().filter(|d| d.is_dir()) else {
        let what = match &stops.checkpoint {
            Some(dir) => format!("--resume: {} is not there: nothing to go on with", dir.display()),
            None => "--resume needs a folder with the state".into(),
        };
        return Err(GenerateError::usage(what));
    };
    let bad = |what: &str| GenerateError::usage(format!("--resume: {}: {what}", dir.display()));
    let Checkpoint { file, weights, optimiser } = Checkpoint::load(dir)?;
    let stored: Description = serde_json::from_value(file.fitted.clone())
        .map_err(|e| bad(&format!("not the state of a generator: {e}")))?;
    if stored.finished {
        return Err(bad("holds a finished model; use it with --model-dir"));
    }
    let same =
        Description { finished: false, ..stored } == Description { finished: false, ..description.clone() };
    if !same || file.config != model.settings()? || file.seed != trainer.seed() {
        return Err(bad("was begun with other data, settings or seed"));
    }
    model.params().load(&weights).map_err(ZooError::from)?;
    trainer.restore(file.state, &optimiser.ok_or_else(|| bad("holds no state of the optimiser"))?)?;
    Ok(())
}

/// Replaces fields of an object by those of another; every one must be there already.
fn replace(config: &mut Value, by: &Value) -> Result<(), GenerateError> {
    let (Value::Object(config), Value::Object(by)) = (config, by) else { return Ok(()) };
    for (name, value) in by {
        match config.get_mut(name) {
            Some(slot) => *slot = value.clone(),
            None => {
                let known: Vec<&str> = config.keys().map(String::as_str).collect();
                return Err(GenerateError::usage(format!(
                    "settings: the model has no setting {name}; it has {}",
                    known.join(", ")
                )));
            }
        }
    }
    Ok(())
}
