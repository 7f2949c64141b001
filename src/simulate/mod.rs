//! Seeded toy experiments with known truth, for tests, docs and `scx demo`.

mod cytometry;

pub use cytometry::{Cells, Experiment, MARKERS, Settings, experiment};
