//! `scx predict`.

mod args;
mod job;
mod page;
mod run;
mod show;

pub use args::PredictArgs;
pub(in crate::cli) use run::run;
