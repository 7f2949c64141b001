//! `scx panel`.

mod args;
mod run;
mod show;

pub use args::PanelArgs;
pub(in crate::cli) use run::run;
