//! `scx evaluate`.

mod augmentation;
mod baselines;
mod cells;
mod generation;
mod page;
mod text;

use crate::cli::args::{EvaluateArgs, EvaluateWhat};
use crate::cli::error::CliError;

pub(in crate::cli) use cells::Common;
pub(in crate::cli) use generation::{judged, write};
pub(in crate::cli) use text::table;

/// Runs the verb.
pub(in crate::cli) fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    match &args.what {
        EvaluateWhat::Augmentation(args) => augmentation::run(args),
        EvaluateWhat::Generation(args) => generation::run(args),
    }
}
