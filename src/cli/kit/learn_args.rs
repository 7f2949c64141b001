//! Options of what is learnt from and how long, shared by the verbs that train generators.

use clap::{Args, ValueEnum};

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::counts_args::CountsArgs;
use crate::cli::kit::running::RunArgs;
use crate::zoo::Preset;

/// Presets by the names used in options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PresetArg {
    /// The settings of the paper
    Paper,
    /// The settings of the public code
    Code,
    /// Our own, with a law for counts
    Default,
}

impl From<PresetArg> for Preset {
    fn from(p: PresetArg) -> Self {
        match p {
            PresetArg::Paper => Preset::Paper,
            PresetArg::Code => Preset::Code,
            PresetArg::Default => Preset::Default,
        }
    }
}

/// What is learnt from, and how long.
#[derive(Debug, Clone, Default, Args)]
pub struct LearnArgs {
    /// Settings to start from [default: default]
    #[arg(long, value_enum, help_heading = "Model")]
    pub preset: Option<PresetArg>,
    /// Passes over all cells [default: the preset's]
    #[arg(long, value_name = "N", conflicts_with = "steps", help_heading = "Model")]
    pub epochs: Option<u64>,
    /// Minibatches, instead of --epochs
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub steps: Option<u64>,
    /// End training after that many minutes; the number of steps is recorded, and --steps with it gives the same bytes
    #[arg(long, value_name = "M", help_heading = "Model")]
    pub max_minutes: Option<f64>,
    /// Cells per minibatch [default: the preset's]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub minibatch: Option<usize>,
    /// Step size [default: the preset's]
    #[arg(long, value_name = "X", help_heading = "Model")]
    pub learning_rate: Option<f64>,
    /// Seed of everything random: the same seed gives the same bytes [default: 0]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub seed: Option<u64>,
    /// The model's own settings as JSON; in a configuration `settings:` with names and values
    #[arg(long, value_name = "JSON", hide = true)]
    pub settings: Option<String>,

    /// Which counts
    #[command(flatten)]
    pub counts: CountsArgs,
    /// Column of obs with the labels [default: the first of louvain, leiden, cluster, seurat_clusters, cell_type; with
    /// none of them, clusters are searched]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub cluster_key: Option<String>,
    /// What cells without a label are called [default: nothing is learnt from them]
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub unlabeled_category: Option<String>,
    /// Genes found in fewer cells are not modelled; they stay in var, zero in new cells [default: 3]
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub min_cells: Option<usize>,
    /// Cells with fewer genes are not learnt from; they stay in the output [default: 10]
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub min_genes: Option<usize>,

    /// Go on where a training was stopped
    #[arg(long, help_heading = "Running")]
    pub resume: bool,
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}
