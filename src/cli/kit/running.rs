//! Options of how a verb runs, the same in all verbs.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::size::{size, threads};

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
    /// Memory to stay within, as 512M or 4G [default: 2G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
    /// Folder for temporary files [default: TMPDIR, else the folder of the output]
    #[arg(long, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,
    /// Threads to use [default: all cores]; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
    /// No progress, no remarks: only warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}
