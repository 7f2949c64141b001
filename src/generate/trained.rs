//! A trained generator with what is known about its data.

use super::description::Description;
use super::simple::Simple;
use crate::data::Change;
use crate::rng::Seed;
use crate::zoo::{Model, TrainConfig, TrainState};

/// What makes cells.
pub enum Maker {
    /// A network.
    Network(Box<dyn Model>),
    /// A simple generator.
    Simple(Simple),
}

/// A trained generator with what is known about its data.
pub struct Trained {
    /// What makes the cells.
    pub maker: Maker,
    /// What its data were.
    pub description: Description,
    /// How the training went; `None` for simple generators.
    pub state: Option<TrainState>,
    /// How it was trained.
    pub train: TrainConfig,
    /// Seed of the training.
    pub seed: Seed,
    /// What was not learnt from, and why; nothing in a stored one.
    pub changes: Vec<Change>,
}

impl std::fmt::Debug for Trained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trained").field("kind", &self.description.kind).finish_non_exhaustive()
    }
}
