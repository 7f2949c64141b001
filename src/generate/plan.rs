//! What to train, how, and when to stop.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::Value;

use crate::rng::Seed;
use crate::zoo::{Length, Preset};

/// What to train and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainPlan {
    /// The kind of model: a row of the registry, or a simple generator.
    pub kind: String,
    /// Which settings to start from.
    pub preset: Preset,
    /// Settings of the model that replace those of the preset: an object.
    pub settings: Value,
    /// Settings of the training that replace those of the preset.
    pub minibatch: Option<usize>,
    /// How long.
    pub length: Option<Length>,
    /// Step size of encoder and generator.
    pub learning_rate: Option<f64>,
    /// Seed of everything random.
    pub seed: Seed,
}

/// When a training stops early, and where it is kept meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    /// The end of its time.
    pub until: Option<Instant>,
    /// Folder for the state on the way.
    pub checkpoint: Option<PathBuf>,
    /// Go on from the state in that folder.
    pub resume: bool,
}
