//! `scx concat`.

mod args;
mod panel;
mod run;

pub use args::ConcatArgs;
pub(in crate::cli) use run::run;
