//! Options of `split`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;

const EXAMPLES: &str = "\
Examples:
  scx split cells.h5ad --train train.h5ad --test test.h5ad --by cluster
  scx split cells.h5ad --train a.h5ad --test b.h5ad --valid c.h5ad --by cell_type --valid-fraction 0.1

Each group gives the same share of its cells, rounded down, so that the parts can be a few cells smaller than asked for.";

/// Options of `split`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SplitArgs {
    /// A file of any format scx reads
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// Where cells to learn from go
    #[arg(long, value_name = "FILE", help_heading = "Parts")]
    pub train: PathBuf,
    /// Where cells to test on go
    #[arg(long, value_name = "FILE", help_heading = "Parts")]
    pub test: PathBuf,
    /// Where cells to choose settings by go
    #[arg(long, value_name = "FILE", requires = "valid_fraction", help_heading = "Parts")]
    pub valid: Option<PathBuf>,
    /// Column of obs whose groups all parts hold in the same proportions
    #[arg(long, value_name = "COLUMN", help_heading = "Parts")]
    pub by: String,
    /// Share of each group to test on
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, help_heading = "Parts")]
    pub test_fraction: f64,
    /// Share of each group to choose settings by
    #[arg(long, value_name = "SHARE", requires = "valid", help_heading = "Parts")]
    pub valid_fraction: Option<f64>,
    /// Seed of the choice: the same seed gives the same cells
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Parts")]
    pub seed: u64,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
    /// How to write
    #[command(flatten)]
    pub writing: WriteArgs,
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}
