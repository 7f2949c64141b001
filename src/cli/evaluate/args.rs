//! Options of `evaluate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::classic::sampling::Baseline;
use crate::cli::evaluate::{HoldoutArgs, PerturbationArgs};
use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::counts_args::CountsArgs;
use crate::cli::kit::files::ReadArgs;
use crate::cli::kit::learn_args::LearnArgs;
use crate::cli::kit::size::{size, threads};

/// Options of `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// What to evaluate
    #[command(subcommand)]
    pub what: EvaluateWhat,
}

/// What can be evaluated.
#[derive(Debug, Subcommand)]
pub enum EvaluateWhat {
    /// Do new cells help a classifier find a rare type? The published experiment, start to end
    Augmentation(Box<AugmentationArgs>),
    /// How real are generated cells? Forests, correlations, distances, copies, zeros, types; and a verdict
    Generation(Box<GenerationArgs>),
    /// How well was a response predicted? R² of means and variances, changes, distances, signs; with resamples
    Perturbation(Box<PerturbationArgs>),
    /// Each cell type held out in turn: what would the models have predicted? One table
    Holdout(Box<HoldoutArgs>),
    /// How long do models train, and how long do they make cells? A table with repeats
    Time(Box<TimeArgs>),
}

const EXAMPLES: &str = "\
Examples:
  scx split cells.h5ad --by louvain --test-fraction 0.2 --train train.h5ad --test test.h5ad
  scx evaluate generation --real test.h5ad --synthetic new.h5ad --train train.h5ad --report p.html
  scx evaluate generation --real test.h5ad --synthetic new.h5ad --cluster Dendritic --json

Files hold raw counts, in layers[\"counts\"], raw or X (the first that does is taken). A synthetic file may hold real cells \
too: with a column is_synthetic in obs, the cells it marks are taken of --synthetic, the others of --real and --train. Genes \
are matched by name. --real must be cells the generator has never seen; with --train, what it learnt from, real training \
cells are scored as well (the best that can be reached), copies are looked for, and simple baselines stand beside. \
Limits of the verdict: docs/generation-scores.md.";

/// Options of `evaluate generation`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GenerationArgs {
    /// Real cells that the generator has not seen
    #[arg(long, value_name = "TEST", help_heading = "Data")]
    pub real: PathBuf,
    /// Generated cells
    #[arg(long, value_name = "SYN", help_heading = "Data")]
    pub synthetic: PathBuf,
    /// The real cells it learnt from
    #[arg(long, value_name = "TRAIN", help_heading = "Data")]
    pub train: Option<PathBuf>,
    /// Column of obs with the type of each cell [default: the first of louvain, leiden, cluster, seurat_clusters,
    /// cell_type]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub cluster_key: Option<String>,
    /// Judge the cells of this type alone
    #[arg(long, value_name = "LABEL", help_heading = "Data")]
    pub cluster: Option<String>,
    /// The type of cells that have none
    #[arg(long, value_name = "LABEL", help_heading = "Data")]
    pub unlabeled_category: Option<String>,
    /// Which counts, in every file
    #[command(flatten)]
    pub counts: CountsArgs,
    /// Column of var with the gene names the files share, where a file has it [default: the names, or a column that
    /// matches where they do not]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub gene_column: Option<String>,

    /// Trees of each forest
    #[arg(long, value_name = "N", default_value_t = 1000, help_heading = "Figures")]
    pub trees: usize,
    /// Cells of a side compared at most
    #[arg(long, value_name = "N", default_value_t = 3000, help_heading = "Figures")]
    pub max_cells: usize,
    /// Leave out forests on all genes, which take most of the time
    #[arg(long, help_heading = "Figures")]
    pub no_gene_forests: bool,
    /// Simple methods to score beside, learnt from the training cells
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',', default_values = ["oversample", "nb"],
        help_heading = "Figures")]
    pub baselines: Vec<Baseline>,
    /// Leave out the baselines
    #[arg(long, conflicts_with = "baselines", help_heading = "Figures")]
    pub no_baselines: bool,
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
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Memory to read files within, as 512M or 4G [default: 2G]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Running")]
    pub memory: Option<u64>,
    /// Threads to use [default: all cores]; the result does not depend on it
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Running")]
    pub threads: Option<usize>,
    /// No progress, no remarks: only warnings and errors
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}

impl GenerationArgs {
    /// The options of a run that judges cells at hand: `real` and `synthetic` only name them.
    pub fn of(real: PathBuf, synthetic: PathBuf, seed: u64) -> Self {
        Self {
            real,
            synthetic,
            train: None,
            cluster_key: None,
            cluster: None,
            unlabeled_category: None,
            counts: CountsArgs::default(),
            gene_column: None,
            trees: 300,
            max_cells: 2000,
            no_gene_forests: true,
            baselines: vec![Baseline::Oversample, Baseline::Nb],
            no_baselines: false,
            seed,
            report: None,
            json: false,
            force: false,
            reading: ReadArgs::default(),
            config: ConfigArgs::default(),
            memory: None,
            threads: None,
            quiet: false,
        }
    }
}

const AUGMENTATION: &str = "\
Examples:
  scx evaluate augmentation cells.h5ad --cluster 'B cells' --fractions 0.05,0.01 --max-minutes 3
  scx evaluate augmentation cells.h5ad --cluster 2 --model nb-copula --repeats 5 --json

A share of every type is held out; of the rest, the type keeps only the given fractions of its cells (never fewer than \
3). The model is trained on what is left, makes --n cells, and a random forest is asked about the held-out cells, with and \
without them. Class weights, oversampling and SMOTE stand beside. One model is trained for each fraction and repeat.";

/// Options of `evaluate augmentation`.
#[derive(Debug, Args)]
#[command(after_help = AUGMENTATION)]
pub struct AugmentationArgs {
    /// A file with raw counts and labels
    pub input: PathBuf,
    /// The type that is made rare, as its label is written; may be given more than once
    #[arg(long, value_name = "LABEL", required = true)]
    pub cluster: Vec<String>,
    /// Shares of its training cells that are kept
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [0.1, 0.05, 0.01, 0.005])]
    pub fractions: Vec<f64>,
    /// Cells made
    #[arg(long, value_name = "N", default_value_t = 1500)]
    pub n: usize,
    /// How often cells are chosen anew
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub repeats: usize,
    /// Share of every type that is held out
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    pub test_fraction: f64,
    /// Trees of each forest
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub trees: usize,
    /// The model; `scx models` lists them [default: activa]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,

    /// Learning
    #[command(flatten)]
    pub learn: LearnArgs,
    /// Reading
    #[command(flatten)]
    pub reading: ReadArgs,
}

const TIME: &str = "\
Examples:
  scx evaluate time cells.h5ad --model activa,scgan --steps 500 --repeats 5
  scx evaluate time cells.h5ad --model activa --max-minutes 30 --repeats 1 --json

Each model is trained --repeats times, with seeds counted up from --seed; the one trained last makes --n cells. Reading the \
file and writing cells are not counted. Steps are equal for all models only if --steps or --epochs is given.";

/// Options of `evaluate time`.
#[derive(Debug, Args)]
#[command(after_help = TIME)]
pub struct TimeArgs {
    /// A file with raw counts and labels
    pub input: PathBuf,
    /// The models; `scx models` lists them
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "activa")]
    pub model: Vec<String>,
    /// Trainings of each
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub repeats: usize,
    /// Cells made by each; 0 for none
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub n: usize,

    /// Learning
    #[command(flatten)]
    pub learn: LearnArgs,
    /// Reading
    #[command(flatten)]
    pub reading: ReadArgs,
}
