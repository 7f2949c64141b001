//! Options of `check`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::ReadArgs;

/// Options of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no faults (there may be warnings and notes), 1 faults found, 3 a file could not even be \
opened.\n\nExamples:\n  scx check cells.h5ad\n  scx check --deep run*.fcs cells.h5ad --json"
)]
pub struct CheckArgs {
    /// Files to look for faults in
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read every byte of every array, and count values that are not finite
    #[arg(long)]
    pub deep: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Seconds one file may take, 0 for no end [default: 60; with --deep a second more for each 4 MB]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}
