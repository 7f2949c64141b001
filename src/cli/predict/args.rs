//! Options of `predict`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;

const EXAMPLES: &str = "\
Examples:
  scx predict cells.h5ad --condition-key condition --source control --target stimulated \\
      --cell-type-key cell_type --cell-type NK -o with_nk.h5ad --report nk.html
  scx predict cells.h5ad --condition-key condition --source control --target stimulated \\
      --cell-type-key cell_type --cell-type NK --only-predicted -o nk.h5ad --model auto
  scx predict drugs.h5ad --condition-key treatment --source basal --target das --apply-to bez \\
      --only-predicted -o bez_das.h5ad

Values must be on a scale that changes add up on: log1p of normalised counts, or arcsinh of intensities (scx preprocess). \
Each predicted cell is made from one real cell, named in obs[\"scx_source_cell\"]; obs[\"is_predicted\"] marks it, and scx \
never learns from it again. Columns of obs are copied from that cell. Target cells of the type that is asked for, where \
there are some, are not looked at; a report compares with them.

With --apply-to, cells of a third condition get the change from --source to --target: a combination of two treatments. What \
the figures mean, and what a response can be learnt from: docs/perturbation.md.";

/// Options of `predict`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PredictArgs {
    /// A file with cells of both conditions, of any format scx reads
    pub input: PathBuf,
    /// Column of obs with the condition of each cell
    #[arg(long, value_name = "COLUMN")]
    pub condition_key: String,
    /// The condition cells are predicted from, such as control
    #[arg(long, value_name = "CONDITION")]
    pub source: String,
    /// The condition that is predicted, such as stimulated
    #[arg(long, value_name = "CONDITION")]
    pub target: String,
    /// Column of obs with the type of each cell
    #[arg(long, value_name = "COLUMN", required_unless_present = "apply_to")]
    pub cell_type_key: Option<String>,
    /// The type whose response is predicted [default with --apply-to: all types]
    #[arg(long, value_name = "LABEL", required_unless_present = "apply_to", requires = "cell_type_key")]
    pub cell_type: Option<String>,
    /// Predict from the cells of this condition, which has had another treatment
    #[arg(long, value_name = "CONDITION")]
    pub apply_to: Option<String>,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// Write the predicted cells alone
    #[arg(long)]
    pub only_predicted: bool,
    /// A page with plots and figures
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,

    /// The model: stack, none, mean-delta, matched-delta, ridge, ot-ridge; auto takes the one that tells the training types
    /// best [default: stack]
    #[arg(long, value_name = "MODEL", help_heading = "Model")]
    pub model: Option<String>,
    /// Column of obs with the batch of each cell: what a batch adds to all cells is not taken for a response
    #[arg(long, value_name = "COLUMN", help_heading = "Model")]
    pub batch_key: Option<String>,
    /// Layer with the values [default: X]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub layer: Option<String>,
    /// Genes that the rules are learnt on, those that vary most; all genes are predicted
    #[arg(long, value_name = "N", default_value_t = 2000, help_heading = "Model")]
    pub n_top_genes: usize,
    /// Seed of everything random: the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Model")]
    pub seed: u64,

    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
    /// Reading
    #[command(flatten)]
    pub reading: ReadArgs,
    /// Writing
    #[command(flatten)]
    pub writing: WriteArgs,
}
