//! `scx models`.

mod args;
mod run;

pub use args::ModelsArgs;
pub(in crate::cli) use run::run;
