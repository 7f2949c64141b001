//! Options of `demo`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::size::threads;

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scx demo\n  open scx-demo/report.html in a browser")]
pub struct DemoArgs {
    /// Folder for the files it makes
    #[arg(value_name = "DIR", default_value = "scx-demo")]
    pub dir: PathBuf,
    /// Seed of the simulated experiment and of training
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<usize>,
    /// Replace the files of an earlier demo
    #[arg(long)]
    pub force: bool,
}
