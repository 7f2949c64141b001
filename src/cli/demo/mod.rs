//! `scx demo`.

mod args;
mod run;

pub use args::DemoArgs;
pub(in crate::cli) use run::run;
