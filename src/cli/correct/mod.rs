//! `scx correct`.

mod args;
mod inputs;
mod outcome;
mod outputs;
mod page;
pub(in crate::cli) mod pairs;
mod run;
pub mod settings;
pub(in crate::cli) mod show;

pub use args::{CorrectArgs, TransformArg};
pub(in crate::cli) use outcome::Outcome;
pub(in crate::cli) use run::{Ended, execute, run};
