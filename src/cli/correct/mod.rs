//! `scx correct`.

mod args;
mod how;
mod inputs;
mod outcome;
mod outputs;
mod page;
mod rescale;
mod run;
mod scale;
pub mod settings;
pub(in crate::cli) mod show;
mod study;

pub use args::{CorrectArgs, Unanchored};
pub use how::How;
pub(in crate::cli) use outcome::Outcome;
pub(in crate::cli) use run::{Ended, execute, run};
pub use scale::{Cofactors, TransformArg};
