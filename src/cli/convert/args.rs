//! Options of `convert`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::error::CliError;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::io::Format;

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
    /// File or folder to read; scx recognises the format by the content
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// File or folder to write
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// Format to read [default: by content]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Reading")]
    pub from: Option<Format>,
    /// What becomes X: a layer, or raw
    #[arg(long, value_name = "LAYER", help_heading = "Data")]
    pub x: Option<String>,
    /// A further layer NAME made of X, raw or another layer
    #[arg(long = "add-layer", value_name = "NAME=SOURCE", help_heading = "Data")]
    pub add_layers: Vec<String>,
    /// What becomes X, as --x; with NAME=SOURCE an older spelling of --add-layer
    #[arg(long = "layer", hide = true, value_name = "NAME")]
    pub layer: Vec<String>,
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

impl ConvertArgs {
    /// What becomes X, and the layers to add. Warns of older spellings.
    pub(in crate::cli) fn matrices(&self) -> Result<(Option<String>, Vec<String>), CliError> {
        let (old, x): (Vec<&String>, Vec<&String>) = self.layer.iter().partition(|text| text.contains('='));
        for text in &old {
            tracing::warn!("--layer {text} is called --add-layer {text} now");
        }
        let mut x = self.x.iter().chain(x);
        let chosen = x.next().cloned();
        match x.next() {
            Some(second) => Err(CliError::usage(format!("{second}: one matrix can become X; give --x once"))),
            None => Ok((chosen, self.add_layers.iter().chain(old).cloned().collect())),
        }
    }
}
