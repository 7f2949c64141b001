//! What is known of a generator's data, and the folder of a network.

use std::collections::BTreeMap;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Material;
use super::plan::TrainPlan;
use crate::data::ValueKind;
use crate::data::counts::Place;
use crate::loader::By;
use crate::rng::Seed;
use crate::zoo::{
    Checkpoint, FORMAT_VERSION, LibrarySizes, Model, ModelFile, Preset, TrainConfig, TrainState, ZooError,
};

/// What is known of a generator's data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The kind of model.
    pub kind: String,
    /// The preset it started from.
    pub preset: Preset,
    /// Where the counts were.
    pub place: Place,
    /// Names of all genes there.
    pub genes: Vec<String>,
    /// Which of them are modelled.
    pub kept: Vec<usize>,
    /// Column of the labels.
    pub cluster_key: String,
    /// Names of the labels.
    pub labels: Vec<String>,
    /// Cells of each that were learnt from.
    pub sizes: Vec<usize>,
    /// Library sizes of each.
    pub library: LibrarySizes,
    /// Whether the training came to its end.
    pub finished: bool,
    /// What a network has learnt beside its weights.
    pub learnt: Value,
    /// A simple generator.
    pub sampler: Value,
    /// What kind of values the labels were.
    #[serde(default, skip_serializing_if = "ValueKind::is_default")]
    pub label_kind: ValueKind,
    /// Clusters divided by another column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
}

impl Description {
    /// That of a training about to begin.
    pub(super) fn new(material: &Material, plan: &TrainPlan) -> Self {
        Self {
            kind: plan.kind.clone(),
            preset: plan.preset,
            place: material.taken.place.clone(),
            genes: material.genes.clone(),
            kept: material.kept.clone(),
            cluster_key: material.labels.key.clone(),
            labels: material.labels.names.clone(),
            sizes: material.sizes(),
            library: material.library(),
            finished: false,
            learnt: Value::Null,
            sampler: Value::Null,
            label_kind: material.labels.kind,
            by: material.labels.by.clone(),
        }
    }

    /// Names of the modelled genes.
    pub fn modelled(&self) -> Vec<String> {
        self.kept.iter().filter_map(|&g| self.genes.get(g).cloned()).collect()
    }
}

pub(super) fn json(value: impl Serialize) -> Result<Value, ZooError> {
    serde_json::to_value(value).map_err(|e| ZooError::Config { what: e.to_string() })
}

/// The folder of a network.
pub(super) fn checkpoint(
    description: &Description,
    model: &dyn Model,
    train: TrainConfig,
    seed: Seed,
    state: &TrainState,
    optimiser: Option<BTreeMap<String, Tensor>>,
) -> Result<Checkpoint, ZooError> {
    let description = Description { learnt: model.learnt()?, ..description.clone() };
    // While the training is under way nothing is learnt beside the weights: a fresh model must fit the state.
    let description =
        if description.finished { description } else { Description { learnt: Value::Null, ..description } };
    let file = ModelFile {
        format_version: FORMAT_VERSION,
        scx_version: env!("CARGO_PKG_VERSION").into(),
        kind: description.kind.clone(),
        config: model.settings()?,
        var_names: description.modelled(),
        train,
        seed,
        state: state.clone(),
        fitted: json(&description)?,
    };
    Ok(Checkpoint { file, weights: model.params().snapshot()?, optimiser })
}
