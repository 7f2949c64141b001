//! Options of `train`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::ReadArgs;
use crate::cli::kit::learn_args::LearnArgs;

const TRAIN: &str = "\
Examples:
  scx train activa cells.h5ad -o model/
  scx train cscgan cells.h5ad -o model/ --max-minutes 30
  scx train activa cells.h5ad -o model/ --config settings.yaml --resume";

/// Options of `train`.
#[derive(Debug, Args)]
#[command(after_help = TRAIN)]
pub struct TrainArgs {
    /// The model; `scx models` lists them
    pub model: String,
    /// A file with raw counts, of any format scx reads
    pub input: PathBuf,
    /// The folder for the trained model
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Replace a stored model
    #[arg(long)]
    pub force: bool,

    /// Learning
    #[command(flatten)]
    pub learn: LearnArgs,
    /// Reading
    #[command(flatten)]
    pub reading: ReadArgs,
}
