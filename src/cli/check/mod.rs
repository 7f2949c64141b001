//! `scx check`.

mod args;
mod run;

pub use args::CheckArgs;
pub(in crate::cli) use run::run;
