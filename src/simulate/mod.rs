//! Cells made up from a few numbers or from the geometry of real ones: toy experiments with known truth for tests, docs
//! and `scx demo`; Splat; SUGAR.

mod cytometry;
pub mod drift;
pub mod splat;
pub mod sugar;

pub use cytometry::{CytometrySettings, Experiment, MARKERS, SimulatedCells, experiment};
