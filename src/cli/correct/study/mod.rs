//! `scx correct --sheet`: a whole study, many runs of many files, in one command.

mod apply;
mod learn;
mod outputs;
mod page;
mod plan;
mod records;
mod run;
mod show;
mod survey;

pub(in crate::cli) use run::run;
