//! `scx evaluate`.

mod args;
mod augmentation;
mod baselines;
mod cells;
mod generation;
mod holdout;
mod page;
mod perturbation;
mod response_args;
mod response_page;
mod run;
mod show;
mod time;

pub use args::{AugmentationArgs, EvaluateArgs, EvaluateWhat, GenerationArgs, TimeArgs};
pub(in crate::cli) use cells::Common;
pub(in crate::cli) use generation::{judged, write};
pub use response_args::{HoldoutArgs, PerturbationArgs};
pub(in crate::cli) use run::{check_trees, run};
pub(in crate::cli) use show::table;
