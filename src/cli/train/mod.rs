//! `scx train`.

mod args;
mod run;

pub use args::TrainArgs;
pub(in crate::cli) use run::run;
