//! `scx cluster`.

mod args;
mod run;

pub use args::ClusterArgs;
pub(in crate::cli) use run::run;
