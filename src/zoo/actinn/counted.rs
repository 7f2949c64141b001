//! How ACTINN is made from labelled counts.

use candle_core::Device;
use serde_json::Value;

use super::Actinn;
use super::config::ActinnConfig;
use crate::rng::Seed;
use crate::zoo::counted::{json, settings};
use crate::zoo::{Counted, Dims, Gives, Length, Model, Preset, TrainConfig, ZooError};

/// How ACTINN is made from labelled counts.
pub(in crate::zoo) const COUNTED: Counted =
    Counted { config: preset, train, build, gives: Gives::Labels, classifies: true };

fn preset(preset: Preset, dims: Dims) -> Result<Value, ZooError> {
    json(ActinnConfig::preset(preset, dims.genes, dims.labels))
}

fn train(preset: Preset, dims: Dims) -> TrainConfig {
    let epochs = match preset {
        Preset::Paper | Preset::Code => 50,
        // About the same number of steps whatever the number of cells.
        Preset::Default => (DEFAULT_STEPS * 128 / dims.cells.max(1) as u64).clamp(5, 50),
    };
    let plain = TrainConfig::plain(128, Length::Epochs(epochs), ActinnConfig::adam(preset));
    TrainConfig { roll_backs: if preset == Preset::Default { 3 } else { 0 }, ..plain }
}

fn build(config: Value, _: Value, seed: Seed, device: &Device) -> Result<Box<dyn Model>, ZooError> {
    Ok(Box::new(Actinn::new(settings(config)?, seed, device)?))
}

/// Steps of the default preset, about.
const DEFAULT_STEPS: u64 = 1000;
