//! Options of `generate`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::learn_args::LearnArgs;

const GENERATE: &str = "\
Examples:
  scx generate cells.h5ad --n 10000 -o population.h5ad
  scx generate cells.h5ad --n 2000 --proportions 'B cells=1' 'NK cells=3' -o two_types.h5ad
  scx train activa cells.h5ad -o model/
  scx generate --model-dir model/ --n 100000 -o population.h5ad";

/// Options of `generate`.
#[derive(Debug, Args)]
#[command(after_help = GENERATE)]
pub struct GenerateArgs {
    /// A file with raw counts; not needed with --model-dir
    pub input: Option<PathBuf>,
    /// Cells to make in all
    #[arg(long, value_name = "N")]
    pub n: usize,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// The model; `scx models` lists them [default: activa]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Labels and their weights [default: the proportions of the training cells]
    #[arg(long, num_args = 1.., value_name = "LABEL=WEIGHT")]
    pub proportions: Vec<String>,
    /// Keep the trained model in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "model_dir")]
    pub save_model: Option<PathBuf>,
    /// Take a trained model instead of training one
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "resume"])]
    pub model_dir: Option<PathBuf>,
    /// Column of var with the gene names the model knows [default: the names, or a column that matches where they do not]
    #[arg(long, value_name = "COLUMN", requires = "model_dir")]
    pub gene_column: Option<String>,

    /// Learning
    #[command(flatten)]
    pub learn: LearnArgs,
    /// Reading
    #[command(flatten)]
    pub reading: ReadArgs,
    /// Writing
    #[command(flatten)]
    pub writing: WriteArgs,
}
