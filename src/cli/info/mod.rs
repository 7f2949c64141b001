//! `scx info`.

mod args;
mod markers;
mod panel;
mod run;
mod show;

pub use args::InfoArgs;
pub(in crate::cli) use run::run;
