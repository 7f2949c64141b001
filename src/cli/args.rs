//! The command line: help text is here, defaults are in `settings.rs`.

mod classify;
mod cluster;
mod concat;
mod convert;
mod evaluate;
pub mod files;
mod generate;
mod preprocess;
mod running;
mod simulate;
mod split;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::correct::{Method, Preset};

pub use classify::ClassifyArgs;
pub use cluster::ClusterArgs;
pub use concat::ConcatArgs;
pub use convert::ConvertArgs;
pub use evaluate::{AugmentationArgs, EvaluateArgs, EvaluateWhat, GenerationArgs, TimeArgs};
pub use files::{FormatArg, ReadArgs};
pub use generate::{AugmentArgs, GenerateArgs, LearnArgs, ModelsArgs, PresetArg, TrainArgs};
pub use preprocess::PreprocessArgs;
pub use running::RunArgs;
pub use simulate::{SimulateArgs, Simulator};
pub use split::SplitArgs;

/// Single-cell and cytometry files: look inside, correct batch drift from spike-in controls.
///
/// Exit codes: `scx help exit-codes`. Progress and warnings go to stderr, results to stdout.
#[derive(Debug, Parser)]
#[command(name = "scx", version, about, max_term_width = 100, propagate_version = false)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Move samples of one run to where they would lie in another, learnt from control cells measured in both
    Correct(Box<CorrectArgs>),
    /// Turn a file into another format, and say what became of each element
    Convert(Box<ConvertArgs>),
    /// Filter, scale and choose genes, or bring channels to another scale; recorded, so that it can be repeated
    Preprocess(Box<PreprocessArgs>),
    /// Divide cells into parts for training and testing, in the same proportions from every group
    Split(Box<SplitArgs>),
    /// Find clusters of cells in raw counts: variable genes, PCA, neighbours, Leiden
    Cluster(Box<ClusterArgs>),
    /// Judge what was made: how real generated cells are
    Evaluate(Box<EvaluateArgs>),
    /// Make up cells with known truth, from a few numbers or from those of a file: Splat
    Simulate(Box<SimulateArgs>),
    /// Put files one below the other, with a column that tells the file of each cell
    Concat(Box<ConcatArgs>),
    /// Make more cells of a cluster, and put them below the real ones
    Augment(Box<AugmentArgs>),
    /// Make a whole population of cells, from a file or a trained model
    Generate(Box<GenerateArgs>),
    /// Train a model and keep it
    Train(Box<TrainArgs>),
    /// Label cells with a trained model
    Classify(Box<ClassifyArgs>),
    /// List the models: what each needs and does, its paper, its presets
    Models(ModelsArgs),
    /// Show what is in a file
    Info(InfoArgs),
    /// Look for faults in files: structure, lengths, indices, codes, truncation
    Check(CheckArgs),
    /// One file of `info` or `check`, in a process that a damaged file may bring down
    #[command(hide = true)]
    LookInside(LookInsideArgs),
    /// Make a small two-run experiment with known truth and run `correct` on it
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), to be read with `man -l`
    Man,
    /// Show help on a verb or a topic (exit-codes, losses)
    Help {
        /// A verb, exit-codes or losses
        topic: Option<String>,
    },
}

/// How stored values become the scale of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransformArg {
    /// arcsinh(x / cofactor), undone afterwards
    Arcsinh,
    /// Values are on their final scale already
    None,
}

const EXAMPLES: &str = "\
Examples:
  Two controls and a sample, one file each:
    scx correct --spikein control1.fcs control2.fcs --sample sample.fcs -o corrected.fcs
  Several samples, with a second control pair as independent evidence and a report:
    scx correct --spikein c1.fcs c2.fcs --sample a.fcs b.fcs -o corrected/ \\
        --holdout d1.fcs d2.fcs --report report.html
  One annotated file with any number of runs, moved to run2:
    scx correct runs.h5ad --batch-key run --spikein is_control --reference run2 -o corrected.h5ad
  Learn once, apply later:
    scx correct --spikein c1.fcs c2.fcs --sample a.fcs -o a2.fcs --save-model edit/
    scx correct --model-dir edit/ --sample b.fcs -o b2.fcs

Any format in, any format out, by the name of OUT or --to. In h5ad and loom the result is layers[\"scx_correct\"] and X stays \
as it is; in formats with one matrix it takes the place of X, and what else they cannot hold is said.";

/// Options of `correct`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CorrectArgs {
    /// One annotated file with all runs (h5ad, loom); goes with --batch-key
    pub input: Option<PathBuf>,
    /// The control in the source and in the target run: two files; with --batch-key one column that marks control
    /// cells, COLUMN or COLUMN=VALUE
    #[arg(long, num_args = 1.., value_names = ["SOURCE", "TARGET"], help_heading = "Data")]
    pub spikein: Vec<String>,
    /// Files of the source run to correct
    #[arg(long, num_args = 1.., value_name = "FILE", help_heading = "Data")]
    pub sample: Vec<PathBuf>,
    /// Where the result goes: a file; a folder when there are several samples
    #[arg(short, long, value_name = "OUT", help_heading = "Data")]
    pub output: Option<PathBuf>,
    /// Format to write [default: by the extension of OUT, else that of the input]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Data")]
    pub to: Option<FormatArg>,
    /// Column of obs that holds the run of each cell
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub batch_key: Option<String>,
    /// The run that the others are moved to [default: the first category]
    #[arg(long, value_name = "RUN", help_heading = "Data")]
    pub reference: Option<String>,
    /// A second control pair that only the score looks at: two files, or with --batch-key one column
    #[arg(long, num_args = 1.., value_names = ["SOURCE_2", "TARGET_2"], help_heading = "Data")]
    pub holdout: Vec<String>,
    /// Markers to correct: names separated by commas, or a regular expression [default: stained channels without
    /// time, event length, scatter, DNA, barcode, bead, width; h5ad: var["marker"], else all]
    #[arg(long, value_name = "LIST|REGEX", help_heading = "Data")]
    pub markers: Option<String>,
    /// Layer to correct instead of X
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub layer: Option<String>,
    /// Put the result into X (or the chosen layer) instead of layers["scx_correct"]
    #[arg(long, help_heading = "Data")]
    pub into_x: bool,

    /// How to correct [default: neuron-edit]
    #[arg(long, value_enum, help_heading = "Method")]
    pub method: Option<Method>,
    /// Form of neuron-edit [default: default]
    #[arg(long, value_enum, help_heading = "Method")]
    pub preset: Option<Preset>,
    /// Scale to work on [default: arcsinh]
    #[arg(long, value_enum, help_heading = "Method")]
    pub transform: Option<TransformArg>,
    /// Divides values before arcsinh: 5 for mass, about 150 for fluorescence cytometry [default: 5]
    #[arg(long, value_name = "X", help_heading = "Method")]
    pub cofactor: Option<f64>,
    /// Training length in passes over all cells
    #[arg(long, value_name = "N", conflicts_with = "steps", help_heading = "Method")]
    pub epochs: Option<u64>,
    /// Training length in minibatches [default: 3000]
    #[arg(long, value_name = "N", help_heading = "Method")]
    pub steps: Option<u64>,
    /// Seed of everything random: the same seed gives the same bytes [default: 0]
    #[arg(long, value_name = "N", help_heading = "Method")]
    pub seed: Option<u64>,

    /// Write one HTML page with plots that shows whether to trust the result
    #[arg(long, value_name = "FILE.html", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Two markers that the report draws against each other [default: the most and the least shifted]
    #[arg(long, value_name = "X,Y", help_heading = "Output")]
    pub biaxial: Option<String>,
    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Keep what was learnt in this folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub save_model: Option<PathBuf>,
    /// Apply what --save-model kept, without training
    #[arg(long, value_name = "DIR", help_heading = "Method")]
    pub model_dir: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Check everything and say what would be done
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,

    /// Read options from a YAML file; flags win over it
    #[arg(long, value_name = "FILE.yaml", help_heading = "Running")]
    pub config: Option<PathBuf>,
    /// Print all options as YAML that --config can read, and stop
    #[arg(long, help_heading = "Running")]
    pub print_config: bool,
    /// Threads to use [default: all cores]; the result does not depend on it
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub threads: Option<usize>,
    /// No progress, no remarks: only warnings and errors
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}

/// Options of `info`.
#[derive(Debug, Args)]
#[command(
    after_help = "Several FCS files also get a panel: which channel carries which marker in which file.\n\n\
Examples:\n  scx info cells.h5ad\n  scx info *.fcs --json"
)]
pub struct InfoArgs {
    /// Files to look into
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Seconds one file may take, 0 for no end: damaged HDF5 can keep its library busy for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// Options of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 no faults (there may be warnings and notes), 1 faults found, 3 a file could not even be \
opened.\n\nExamples:\n  scx check cells.h5ad\n  scx check --deep run*.fcs cells.h5ad --json"
)]
pub struct CheckArgs {
    /// Files to look for faults in
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read every byte of every array, and count values that are not finite
    #[arg(long)]
    pub deep: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Seconds one file may take, 0 for no end [default: 60; with --deep a second more for each 4 MB]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LookFor {
    /// Its outline.
    Info,
    /// Faults.
    Check,
    /// Faults in every byte.
    DeepCheck,
}

/// Arguments of the process that looks into one file.
#[derive(Debug, Args)]
pub struct LookInsideArgs {
    /// What for
    #[arg(value_enum)]
    pub what: LookFor,
    /// The file
    pub file: PathBuf,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scx demo\n  open scx-demo/report.html in a browser")]
pub struct DemoArgs {
    /// Folder for the files it makes
    #[arg(value_name = "DIR", default_value = "scx-demo")]
    pub dir: PathBuf,
    /// Seed of the simulated experiment and of training
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Replace the files of an earlier demo
    #[arg(long)]
    pub force: bool,
}
