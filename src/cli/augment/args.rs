//! Options of `augment`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::learn_args::LearnArgs;

const AUGMENT: &str = "\
Examples:
  scx augment cells.h5ad --cluster 'Dendritic cells' --n 1500 -o more.h5ad
  scx augment cells.h5ad --cluster-key leiden --cluster 7 --cluster 9 --n 500 -o more.h5ad
  scx augment cells.h5ad --cluster 7 --n 500 --model smote --only-synthetic -o new.loom
  scx augment cells.h5ad --cluster 7 --n 500 --model-dir model/ -o more.h5ad
  scx augment cells.h5ad --cluster 'B cells' --by donor --n 200 -o more.h5ad

The counts are taken from layers[\"counts\"], else from raw, else from X, whichever holds raw counts first. All real cells \
stay as they are; the new ones stand below them, with obs[\"is_synthetic\"] and obs[\"scx_model\"]. Cells of an earlier run \
of scx keep their mark, and nothing is learnt from them. Cells without a label and clusters of a single cell are not learnt \
from either.

With --by, one model is trained, and each value of the column in the cluster is a label of its own for it: new cells of a \
donor are learnt from the cells of that donor, not shared out afterwards. A value needs 10 cells in the cluster; smaller \
ones are left out with a line. Networks share what all cells have in common; the simple models are fitted to each value \
alone.";

/// Options of `augment`.
#[derive(Debug, Args)]
#[command(after_help = AUGMENT)]
pub struct AugmentArgs {
    /// A file with raw counts, of any format scx reads
    pub input: PathBuf,
    /// The cluster to make cells of, as its label is written (1 finds 1.0 too); may be given more than once
    #[arg(long, value_name = "LABEL", required = true)]
    pub cluster: Vec<String>,
    /// Cells to make of each cluster; with --by, of each value in each cluster
    #[arg(long, value_name = "N")]
    pub n: usize,
    /// Make the cells for each value of this column of obs, such as the donor; new cells carry the value
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// The file to write (h5ad, loom, 10x .h5; a name without extension is a 10x folder)
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// The model; `scx models` lists them [default: activa]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Write the new cells alone
    #[arg(long)]
    pub only_synthetic: bool,
    /// Keep the trained model in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "model_dir")]
    pub save_model: Option<PathBuf>,
    /// Take a trained model instead of training one
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "resume"])]
    pub model_dir: Option<PathBuf>,
    /// Column of var with the gene names the model knows [default: the names, or a column that matches where they do not]
    #[arg(long, value_name = "COLUMN", requires = "model_dir")]
    pub gene_column: Option<String>,
    /// Share of each cluster that is kept from training, to judge the new cells by; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub test_fraction: f64,
    /// A page with plots and figures
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,

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
