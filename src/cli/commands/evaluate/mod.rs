//! `scx evaluate`.

mod baselines;
mod cells;
mod generation;
mod page;
mod text;

use crate::cli::args::{EvaluateArgs, EvaluateWhat};
use crate::cli::error::CliError;

/// Runs the verb.
pub(in crate::cli) fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    match &args.what {
        EvaluateWhat::Generation(args) => generation::run(args),
    }
}
