//! What several verbs use.

pub mod apart;
pub mod config;
pub(in crate::cli) mod console;
pub mod counts_args;
pub mod error;
pub mod files;
pub(in crate::cli) mod learn;
pub mod learn_args;
pub(in crate::cli) mod losses;
pub(in crate::cli) mod output;
pub(in crate::cli) mod process;
pub mod running;
pub(in crate::cli) mod show;
pub(in crate::cli) mod signals;
pub mod size;
pub(in crate::cli) mod targets;
