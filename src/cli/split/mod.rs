//! `scx split`.

mod args;
mod run;

pub use args::SplitArgs;
pub(in crate::cli) use run::run;
