//! Options of `models`.

use clap::Args;

/// Options of `models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Print the table as one JSON object
    #[arg(long)]
    pub json: bool,
}
