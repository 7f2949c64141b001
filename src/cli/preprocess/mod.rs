//! `scx preprocess`.

mod args;
mod plan;
mod run;

pub use args::PreprocessArgs;
pub(in crate::cli) use plan::compensated;
pub(in crate::cli) use run::run;
