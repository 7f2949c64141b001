//! Options of `info`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::ReadArgs;

/// Options of `info`.
#[derive(Debug, Args)]
#[command(
    after_help = "Several FCS files also get a panel: which channel carries which marker in which file.\n\n\
Examples:\n  scx info cells.h5ad\n  scx info *.fcs --json"
)]
pub struct InfoArgs {
    /// Files to look into
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Seconds one file may take, 0 for no end: damaged HDF5 can keep its library busy for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}
