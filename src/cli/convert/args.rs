//! Options of `convert`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::{FormatArg, ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;

const EXAMPLES: &str = "\
Examples:
  scx convert filtered_feature_bc_matrix.h5 cells.h5ad
  scx convert filtered_feature_bc_matrix/ cells.h5ad
  scx convert cells.h5ad cells.loom --strict              # exit 1 if anything was lost
  scx convert cells.h5ad counts/ --to 10x-mtx --x counts  # layers[\"counts\"] for Seurat's Read10X
  scx convert cells.h5ad old.h5ad --h5ad-compat 0.8
  scx convert cells.h5ad tables/ --to csv                 # obs.csv, var.csv; --table x: X.csv
  scx convert sample.fcs sample.h5ad --dry-run            # what is kept, size, memory, time

What becomes of each element is printed; `scx help losses` has the whole table.";

/// Options of `convert`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConvertArgs {
    /// File or folder to read; its format is told by its content
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// File or folder to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Format to write [default: by the extension of OUT; a folder is 10x-mtx]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Writing")]
    pub to: Option<FormatArg>,
    /// Format to read [default: by content]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Reading")]
    pub from: Option<FormatArg>,
    /// What becomes X: a layer, or raw
    #[arg(long, value_name = "LAYER", help_heading = "Data")]
    pub x: Option<String>,
    /// A further layer NAME made of X, raw or another layer
    #[arg(long = "add-layer", value_name = "NAME=SOURCE", help_heading = "Data")]
    pub layers: Vec<String>,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
    /// How to write
    #[command(flatten)]
    pub writing: WriteArgs,
    /// Exit with 1 when anything was lost
    #[arg(long, help_heading = "Writing")]
    pub strict: bool,
    /// Do not record the conversion in the output
    #[arg(long, help_heading = "Writing")]
    pub no_provenance: bool,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}
