//! Options of `classify`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::counts_args::CountsArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;

const EXAMPLES: &str = "\
Examples:
  scx train actinn labelled.h5ad -o model/
  scx classify cells.h5ad --model-dir model/ -o out.h5ad
  scx classify cells.h5ad --model-dir model/ -o out.h5ad --key-added cell_type --json

Every cell gets the most probable label in obs[KEY] and its probability in obs[KEY_score]. The counts are taken from \
layers[\"counts\"], else from raw, else from X, whichever holds raw counts first. Genes are matched by name. A stored activa \
labels cells too, with its own classifier.";

/// Options of `classify`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ClassifyArgs {
    /// A file with raw counts, of any format scx reads
    pub input: PathBuf,
    /// The folder of a model that `scx train` has written
    #[arg(long, value_name = "DIR")]
    pub model_dir: PathBuf,
    /// The file to write: h5ad, loom, or a table of the cells
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Which counts
    #[command(flatten)]
    pub counts: CountsArgs,
    /// Column of var with the gene names the model knows [default: the names, or a column that matches where they do not]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub gene_column: Option<String>,
    /// Share of the model's genes that may be missing; they count as zero
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, help_heading = "Data")]
    pub max_missing: f64,
    /// How input is read
    #[command(flatten)]
    pub reading: ReadArgs,

    /// Column of obs for the labels [default: the name of the model]
    #[arg(long, value_name = "KEY", help_heading = "Output")]
    pub key_added: Option<String>,

    /// How output is written
    #[command(flatten)]
    pub writing: WriteArgs,
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}
