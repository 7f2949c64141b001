//! How models that learn from labelled counts are made.

use candle_core::Device;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Model, TrainConfig, ZooError};
use crate::rng::Seed;

/// Which published or own settings to start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The settings of the paper.
    Paper,
    /// The settings of the public code, where it differs from the paper.
    Code,
    /// Our own.
    #[default]
    Default,
}

impl Preset {
    /// All presets, for help and tests.
    pub const ALL: [Preset; 3] = [Preset::Paper, Preset::Code, Preset::Default];

    /// The word users write.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Paper => "paper",
            Preset::Code => "code",
            Preset::Default => "default",
        }
    }
}

/// What the data say about the size of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dims {
    /// Number of genes.
    pub genes: usize,
    /// Number of labels.
    pub labels: usize,
    /// Number of training cells.
    pub cells: usize,
}

/// Makes an untrained model of its settings and of what is learnt beside the weights.
pub type Build = fn(Value, Value, Seed, &Device) -> Result<Box<dyn Model>, ZooError>;

/// How models that learn from labelled counts are made. Settings and what is learnt beside weights travel as JSON, as
/// they are stored.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// The model's own settings in a preset.
    pub config: fn(Preset, Dims) -> Result<Value, ZooError>,
    /// How it is trained in a preset.
    pub train: fn(Preset, Dims) -> TrainConfig,
    /// An untrained model of these settings; the second value is [`Model::learnt`] of a stored one, else null.
    pub build: Build,
    /// What comes out: cells, or labels of cells.
    pub gives: Gives,
    /// Whether it labels cells, beside what it gives.
    pub classifies: bool,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Cells of a wanted label, and whole populations.
    CellsOfALabel,
    /// Whole populations.
    Cells,
    /// Labels of cells.
    Labels,
}

/// A value as JSON, or why it has none.
pub(super) fn json(value: impl Serialize) -> Result<Value, ZooError> {
    serde_json::to_value(value).map_err(|e| ZooError::Config { what: e.to_string() })
}

/// Settings from JSON; the message names the field.
pub(super) fn settings<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ZooError> {
    serde_json::from_value(value).map_err(|e| ZooError::Config { what: format!("model settings: {e}") })
}
