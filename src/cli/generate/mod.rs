//! `scx generate`.

mod args;
mod run;

pub use args::GenerateArgs;
pub(in crate::cli) use run::run;
