//! Options of `evaluate perturbation` and `evaluate holdout`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::files::ReadArgs;
use crate::cli::kit::size::size;

const PERTURBATION: &str = "\
Examples:
  scx evaluate perturbation --predicted nk.h5ad --real nk_stimulated.h5ad --control nk_control.h5ad
  scx evaluate perturbation --predicted p.h5ad --real r.h5ad --control c.h5ad --genes top100:wilcoxon --json

All three files hold values on the same scale (log1p or arcsinh). Genes are matched by name; those that not all files have \
are left out with a line. Cells that scx has made are taken of --predicted and passed over in the others; a file of \
--predicted without such a mark is taken whole. With obs[\"scx_source_cell\"] and the names of the control cells, halves of \
the control cells are split with the cells that were predicted from them.

R² is the square of the Pearson correlation over genes. Resamples are drawn twice: as many cells as there are, and 90 % of \
them, both with replacement.";

/// Options of `evaluate perturbation`.
#[derive(Debug, Args)]
#[command(after_help = PERTURBATION)]
pub struct PerturbationArgs {
    /// Predicted cells
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub predicted: PathBuf,
    /// Real cells of the same type and condition, which the model has not seen
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub real: PathBuf,
    /// Control cells of the same type
    #[arg(long, value_name = "FILE", help_heading = "Data")]
    pub control: PathBuf,
    /// Layer with the values, in every file [default: X]
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub layer: Option<String>,
    /// The second set of genes: topN:wilcoxon, topN:t-test, or a file with a name a line; `all` for none
    #[arg(long, value_name = "WHICH", default_value = "top100:wilcoxon", help_heading = "Figures")]
    pub genes: String,
    /// Resamples of each scheme; 0 for none
    #[arg(long, value_name = "N", default_value_t = 100, help_heading = "Figures")]
    pub resamples: usize,
    /// Seed of everything random: the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Figures")]
    pub seed: u64,
    /// Write one HTML page with plots
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Replace an existing report
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// How to read the files
    #[command(flatten)]
    pub reading: ReadArgs,
    /// Memory to read files within, as 512M or 4G [default: 2G]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Running")]
    pub memory: Option<u64>,
    /// Threads to use [default: all cores]; the result does not depend on it
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub threads: Option<usize>,
    /// No progress, no remarks: only warnings and errors
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}

const HOLDOUT: &str = "\
Examples:
  scx evaluate holdout cells.h5ad --condition-key condition --source control --target stimulated \\
      --cell-type-key cell_type -o table.json
  scx evaluate holdout cells.h5ad --condition-key condition --source control --target stimulated \\
      --cell-type-key cell_type --models stack,matched-delta -o table.json

Each cell type with 10 cells or more in both conditions is held out in turn: variable genes are chosen and models learnt \
without its target cells, and what they predict is compared with these. `half` is the correlation of changes when the model \
sees one half of the control cells and the real change is taken against the other; it does not reward a model for taking the \
noise out of the control mean, as the correlation against the same cells does. Genes that respond most are ranked by a t-test.";

/// Options of `evaluate holdout`.
#[derive(Debug, Args)]
#[command(after_help = HOLDOUT)]
pub struct HoldoutArgs {
    /// A file with cells of both conditions, of any format scx reads
    pub input: PathBuf,
    /// Column of obs with the condition of each cell
    #[arg(long, value_name = "COLUMN")]
    pub condition_key: String,
    /// The condition cells are predicted from
    #[arg(long, value_name = "CONDITION")]
    pub source: String,
    /// The condition that is predicted
    #[arg(long, value_name = "CONDITION")]
    pub target: String,
    /// Column of obs with the type of each cell
    #[arg(long, value_name = "COLUMN")]
    pub cell_type_key: String,
    /// Column of obs with the batch of each cell
    #[arg(long, value_name = "COLUMN")]
    pub batch_key: Option<String>,
    /// Layer with the values [default: X]
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Models, or `all`
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "all")]
    pub models: Vec<String>,
    /// Genes that the rules are learnt and judged on, those that vary most
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub n_top_genes: usize,
    /// Resamples of each scheme; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub resamples: usize,
    /// Seed of everything random: the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The table, as JSON
    #[arg(short, long, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Replace an existing table
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How to read the file
    #[command(flatten)]
    pub reading: ReadArgs,
    /// Memory to read the file within, as 512M or 4G [default: 2G]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Running")]
    pub memory: Option<u64>,
    /// Threads to use [default: all cores]; the result does not depend on it
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub threads: Option<usize>,
    /// No progress, no remarks: only warnings and errors
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}
