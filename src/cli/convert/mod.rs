//! `scx convert`.

mod args;
mod run;

pub use args::ConvertArgs;
pub(in crate::cli) use run::run;
