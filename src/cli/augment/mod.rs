//! `scx augment`.

mod args;
mod evidence;
mod run;

pub use args::AugmentArgs;
pub(in crate::cli) use run::run;
