//! `scx classify`.

mod args;
mod run;

pub use args::ClassifyArgs;
pub(in crate::cli) use run::run;
