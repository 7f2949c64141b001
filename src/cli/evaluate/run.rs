//! `scx evaluate`.

use crate::cli::evaluate::{
    EvaluateArgs, EvaluateWhat, augmentation, generation, holdout, perturbation, time,
};
use crate::cli::kit::error::CliError;

/// Trees of a forest at most.
const MOST_TREES: usize = 100_000;

/// Whether a forest of so many trees can be grown.
pub(in crate::cli) fn check_trees(trees: usize) -> Result<(), CliError> {
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
        EvaluateWhat::Perturbation(args) => perturbation::run(args),
        EvaluateWhat::Holdout(args) => holdout::run(args),
        EvaluateWhat::Time(args) => time::run(args),
    }
}
