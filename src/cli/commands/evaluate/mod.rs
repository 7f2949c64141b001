//! `scx evaluate`.

mod augmentation;
mod baselines;
mod cells;
mod generation;
mod page;
mod text;
mod time;

use crate::cli::args::{EvaluateArgs, EvaluateWhat};
use crate::cli::error::CliError;

pub(in crate::cli) use cells::Common;
pub(in crate::cli) use generation::{judged, write};
pub(in crate::cli) use text::table;

/// Trees of a forest at most.
const MOST_TREES: usize = 100_000;

/// Whether a forest of so many trees can be grown.
fn check_trees(trees: usize) -> Result<(), CliError> {
    if (1..=MOST_TREES).contains(&trees) {
        return Ok(());
    }
    Err(CliError::usage(format!("--trees takes a number from 1 to {MOST_TREES}, found {trees}")))
}

/// Runs the verb.
pub(in crate::cli) fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    match &args.what {
        EvaluateWhat::Augmentation(args) => augmentation::run(args),
        EvaluateWhat::Generation(args) => generation::run(args),
        EvaluateWhat::Time(args) => time::run(args),
    }
}
