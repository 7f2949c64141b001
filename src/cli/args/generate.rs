//! Options of `augment`, `generate`, `train` and `models`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::files::{ReadArgs, WriteArgs};
use super::running::RunArgs;
use crate::zoo::Preset;

const AUGMENT: &str = "\
Examples:
  scx augment cells.h5ad --cluster 'Dendritic cells' --n 1500 -o more.h5ad
  scx augment cells.h5ad --cluster-key leiden --cluster 7 --cluster 9 --n 500 -o more.h5ad
  scx augment cells.h5ad --cluster 7 --n 500 --model smote --only-synthetic -o new.loom
  scx augment cells.h5ad --cluster 7 --n 500 --model-dir model/ -o more.h5ad

The counts are taken from layers[\"counts\"], else from raw, else from X, whichever holds raw counts first. All real cells \
stay as they are; the new ones stand below them, with obs[\"is_synthetic\"] and obs[\"scx_model\"].";

const GENERATE: &str = "\
Examples:
  scx generate cells.h5ad --n 10000 -o population.h5ad
  scx generate cells.h5ad --n 2000 --proportions 'B cells=1' 'NK cells=3' -o two_types.h5ad
  scx train activa cells.h5ad -o model/
  scx generate --model-dir model/ --n 100000 -o population.h5ad";

const TRAIN: &str = "\
Examples:
  scx train activa cells.h5ad -o model/
  scx train cscgan cells.h5ad -o model/ --max-minutes 30
  scx train activa cells.h5ad -o model/ --config settings.yaml --resume";

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
    /// Settings in a YAML file: the same words as these options, and `settings:` for the model's own
    #[arg(long, value_name = "FILE.yaml", help_heading = "Model")]
    pub config: Option<PathBuf>,
    /// Print the settings as YAML that --config reads, and stop
    #[arg(long, help_heading = "Model")]
    pub print_config: bool,

    /// Matrix with the counts: a layer, raw or X [default: the first of layers["counts"], raw, X that holds counts]
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub layer: Option<String>,
    /// Column of obs with the labels [default: the first of louvain, leiden, cluster, seurat_clusters, cell_type; with
    /// none of them, clusters are searched]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub cluster_key: Option<String>,
    /// What cells without a label are called [default: they are refused]
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
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}

/// Options of `augment`.
#[derive(Debug, Args)]
#[command(after_help = AUGMENT)]
pub struct AugmentArgs {
    /// A file with raw counts, of any format scx reads
    pub input: PathBuf,
    /// The cluster to make cells of, as its label is written; may be given more than once
    #[arg(long, value_name = "LABEL", required = true)]
    pub cluster: Vec<String>,
    /// Cells to make of each cluster
    #[arg(long, value_name = "N")]
    pub n: usize,
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
    /// Memory for reading and for counts, as 512M or 4G: counts beyond half of it lie in temporary files (TMPDIR)
    /// [default: 2G]
    #[arg(long, value_name = "SIZE", value_parser = super::files::size)]
    pub memory: Option<u64>,

    /// Learning
    #[command(flatten)]
    pub learn: LearnArgs,
    /// Reading
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// Options of `models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Print the table as one JSON object
    #[arg(long)]
    pub json: bool,
}
