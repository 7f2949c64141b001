//! How ACTIVA is made from labelled counts.

use candle_core::Device;
use serde_json::Value;

use super::config::ActivaConfig;
use super::{Activa, Learnt};
use crate::rng::Seed;
use crate::zoo::counted::{json, settings};
use crate::zoo::{Counted, Dims, Gives, Length, Model, Preset, TrainConfig, ZooError};

/// How ACTIVA is made from labelled counts.
pub(in crate::zoo) const COUNTED: Counted =
    Counted { config: preset, train, build, gives: Gives::CellsOfALabel, classifies: true };

fn preset(preset: Preset, dims: Dims) -> Result<Value, ZooError> {
    json(ActivaConfig::preset(preset, dims.genes, dims.labels))
}

fn train(preset: Preset, dims: Dims) -> TrainConfig {
    let adam = ActivaConfig::adam(preset);
    let length = Length::Epochs(match preset {
        Preset::Paper => 600,
        Preset::Code => 500,
        // Small data need many passes, large ones few: about the same number of steps.
        Preset::Default => (DEFAULT_STEPS * 128 / dims.cells.max(1) as u64).clamp(30, 600),
    });
    TrainConfig { roll_backs: 3, ..TrainConfig::plain(128, length, adam) }
}

fn build(config: Value, learnt: Value, seed: Seed, device: &Device) -> Result<Box<dyn Model>, ZooError> {
    let learnt = if learnt.is_null() { Learnt::default() } else { settings(learnt)? };
    Ok(Box::new(Activa::new(settings(config)?, learnt, seed, device)?))
}

/// Steps of the default preset, about.
const DEFAULT_STEPS: u64 = 6400;
