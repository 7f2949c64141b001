//! `scx simulate`.

mod args;
mod job;
mod run;

pub use args::{SimulateArgs, Simulator};
pub(in crate::cli) use run::run;
