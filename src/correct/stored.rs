//! A correction in a folder.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fit::FitPlan;
use super::fitted::{Fitted, Network};
use super::run_fit::RunFit;
use super::zeros::Zeros;
use super::{CorrectError, Marker, Method, Preset};
use crate::classic::PercentileMap;
use crate::recipe::{Scale, Transform};
use crate::zoo::{
    Checkpoint, FORMAT_VERSION, Model, ModelFile, NEURON_EDIT, NeuronEdit, NeuronEditConfig, TrainState,
    Trainer, ZooError,
};

/// The kind of a stored correction without a network.
const MARKER_MAPS: &str = "marker_maps";

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
    #[serde(default)]
    method: Method,
    #[serde(default = "moved")]
    zeros: Zeros,
}

/// Edits of before there was a choice moved zeros like all values.
fn moved() -> Zeros {
    Zeros::Move
}

impl Fitted {
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
            method: self.plan.method,
            zeros: self.plan.zeros,
        };
        let (kind, config, state) = match &self.network {
            Some(n) => (NEURON_EDIT, serde_json::to_value(n.model.config()), n.trainer.state().clone()),
            None => (MARKER_MAPS, Ok(Value::Null), TrainState::default()),
        };
        let file = ModelFile {
            format_version: FORMAT_VERSION,
            scx_version: env!("CARGO_PKG_VERSION").into(),
            kind: kind.into(),
            config: config.map_err(json)?,
            var_names: self.markers.iter().map(|m| m.name.clone()).collect(),
            train: self.plan.train,
            seed: self.plan.seed,
            state,
            fitted: serde_json::to_value(learnt).map_err(json)?,
        };
        let (weights, optimiser) = match &self.network {
            Some(n) => {
                (n.model.params().snapshot().map_err(ZooError::from)?, Some(n.trainer.optimiser_state()?))
            }
            None => (BTreeMap::new(), None),
        };
        Ok(Checkpoint { file, weights, optimiser }.save(dir, force)?)
    }

    /// Reads a model's folder.
    ///
    /// # Errors
    /// [`ZooError::Checkpoint`] when it is not a stored correction, or its parts do not fit together.
    pub fn load(dir: &Path) -> Result<Self, CorrectError> {
        let bad = |what: String| ZooError::Checkpoint { path: dir.to_owned(), what };
        let Checkpoint { file, weights, optimiser } = Checkpoint::load(dir)?;
        let config: Option<NeuronEditConfig> = match file.kind.as_str() {
            NEURON_EDIT => Some(
                serde_json::from_value(file.config).map_err(|e| bad(format!("model.json: config: {e}")))?,
            ),
            MARKER_MAPS => None,
            kind => {
                return Err(bad(format!("model.json: a model of kind {kind}, which corrects nothing")).into());
            }
        };
        let learnt: Learnt =
            serde_json::from_value(file.fitted).map_err(|e| bad(format!("model.json: fitted: {e}")))?;
        check(&learnt, config.as_ref(), &file.var_names).map_err(bad)?;
        let plan = FitPlan {
            preset: learnt.preset,
            hidden: config.as_ref().map(|c| c.hidden.clone()).unwrap_or_default(),
            train: file.train,
            seed: file.seed,
            method: learnt.method,
            zeros: learnt.zeros,
        };
        let network = match config {
            Some(config) => Some(network(config, &plan, file.state, &weights, optimiser).map_err(bad)?),
            None => None,
        };
        Ok(Self {
            network,
            plan,
            markers: learnt.markers,
            scale: Scale { common: learnt.recipe, own: learnt.cofactors },
            runs: learnt.runs,
            reference: learnt.reference,
        })
    }
}

/// Whether the parts of a description fit together.
fn check(learnt: &Learnt, config: Option<&NeuronEditConfig>, names: &[String]) -> Result<(), String> {
    let width = config.map_or(learnt.markers.len(), |c| c.width);
    let neurons = config.and_then(|c| c.hidden.last().copied()).unwrap_or(0);
    let sound = |r: &RunFit| {
        let latent = match (&r.latent, config) {
            (Some(l), Some(_)) => {
                l.percentiles.len() == neurons
                    && l.shift.len() == neurons
                    && l.percentiles.iter().all(PercentileMap::is_sound)
            }
            (None, None) => r.joined.is_none(),
            _ => false,
        };
        latent
            && r.ambient.len() == width
            && [r.control_change.len(), r.untouched.len(), r.mean_shift.len()] == [width; 3]
            && r.joined.as_ref().is_none_or(|j| j.is_sound(width, neurons))
            && r.ambient.iter().all(PercentileMap::is_sound)
    };
    if learnt.markers.len() != width {
        return Err(format!("{} markers are named, the network takes {width}", learnt.markers.len()));
    }
    if let Some(run) = learnt.runs.iter().find(|r| !sound(r)) {
        return Err(format!("model.json: the maps of run {} are damaged", run.name));
    }
    if !names.iter().eq(learnt.markers.iter().map(|m| &m.name)) {
        return Err("model.json: var_names and the names of the markers differ".into());
    }
    Ok(())
}

fn network(
    config: NeuronEditConfig,
    plan: &FitPlan,
    state: TrainState,
    weights: &BTreeMap<String, Tensor>,
    optimiser: Option<BTreeMap<String, Tensor>>,
) -> Result<Network, String> {
    // Sizes come from a file: none is allocated that the stored weights do not have.
    let widest = weights.values().flat_map(|t| t.dims()).copied().max().unwrap_or(0);
    let layers = &config.hidden;
    if layers.len() > weights.len() || layers.iter().any(|&size| size > widest) {
        return Err(format!(
            "model.json: config: hidden layers {layers:?}, but weights.safetensors holds {} tensors, at most {widest} wide",
            weights.len()
        ));
    }
    let model =
        NeuronEdit::new(config, plan.seed, &Device::Cpu).map_err(|e| format!("model.json: config: {e}"))?;
    model.params().load(weights).map_err(|e| format!("weights.safetensors: {e}"))?;
    let mut trainer = Trainer::new(&model, plan.train, plan.seed);
    if let Some(tensors) = optimiser {
        trainer.restore(state, &tensors).map_err(|e| format!("optimizer.safetensors: {e}"))?;
    }
    Ok(Network { model, trainer })
}
