//! The program around the library: arguments, settings, messages, exit codes.

pub mod augment;
pub mod check;
pub mod classify;
pub mod cluster;
mod command;
pub mod concat;
pub mod convert;
pub mod correct;
pub mod demo;
mod docs;
pub mod evaluate;
pub mod generate;
pub mod info;
pub mod kit;
pub mod models;
pub mod panel;
pub mod predict;
pub mod preprocess;
mod run;
pub mod simulate;
pub mod split;
pub mod train;

pub use command::{Cli, Command};
pub use run::run;
