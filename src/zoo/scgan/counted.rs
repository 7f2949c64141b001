//! How scGAN and cscGAN are made from counts.

use candle_core::Device;
use serde_json::Value;

use super::ScGan;
use super::config::ScGanConfig;
use crate::rng::Seed;
use crate::zoo::counted::{json, settings};
use crate::zoo::{Counted, Gives, Model, ZooError};

/// Name of the model without labels in files.
pub const SCGAN: &str = "scgan";

/// Name of the model with labels in files.
pub const CSCGAN: &str = "cscgan";

/// How scGAN is made from counts.
pub(in crate::zoo) const COUNTED: Counted = Counted {
    config: |preset, dims| json(ScGanConfig::preset(preset, dims.genes, None)),
    train: |preset, _| ScGanConfig::train(preset),
    build,
    gives: Gives::Cells,
    classifies: false,
};

/// How cscGAN is made from labelled counts.
pub(in crate::zoo) const COUNTED_BY_LABEL: Counted = Counted {
    config: |preset, dims| json(ScGanConfig::preset(preset, dims.genes, Some(dims.labels))),
    gives: Gives::CellsOfALabel,
    ..COUNTED
};

fn build(config: Value, _learnt: Value, seed: Seed, device: &Device) -> Result<Box<dyn Model>, ZooError> {
    Ok(Box::new(ScGan::new(settings(config)?, seed, device)?))
}
