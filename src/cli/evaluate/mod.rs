//! `scx evaluate`.

mod args;
mod augmentation;
mod baselines;
mod cells;
mod generation;
mod page;
mod run;
mod show;
mod time;

pub use args::{AugmentationArgs, EvaluateArgs, EvaluateWhat, GenerationArgs, TimeArgs};
pub(in crate::cli) use cells::Common;
pub(in crate::cli) use generation::{judged, write};
pub(in crate::cli) use run::{check_trees, run};
pub(in crate::cli) use show::table;
