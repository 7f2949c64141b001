//! Options of how a verb runs, the same in all verbs.

use clap::Args;

/// How a verb runs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Running")]
pub struct RunArgs {
    /// Check everything, say what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Threads to use [default: all cores]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// No progress, no remarks: only warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}
