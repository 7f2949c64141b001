//! The command line: one row a verb.

use clap::{Parser, Subcommand};

use crate::cli::augment::AugmentArgs;
use crate::cli::check::CheckArgs;
use crate::cli::classify::ClassifyArgs;
use crate::cli::cluster::ClusterArgs;
use crate::cli::concat::ConcatArgs;
use crate::cli::convert::ConvertArgs;
use crate::cli::correct::CorrectArgs;
use crate::cli::demo::DemoArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::generate::GenerateArgs;
use crate::cli::info::InfoArgs;
use crate::cli::kit::apart::LookInsideArgs;
use crate::cli::models::ModelsArgs;
use crate::cli::panel::PanelArgs;
use crate::cli::predict::PredictArgs;
use crate::cli::preprocess::PreprocessArgs;
use crate::cli::simulate::SimulateArgs;
use crate::cli::split::SplitArgs;
use crate::cli::train::TrainArgs;

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
    /// Judge what was made: how real generated cells are, how well a response was predicted
    Evaluate(Box<EvaluateArgs>),
    /// Make up cells with known truth, from a few numbers or from those of a file: Splat
    Simulate(Box<SimulateArgs>),
    /// Put files one below the other, with a column that tells the file of each cell
    Concat(Box<ConcatArgs>),
    /// Make more cells of a cluster, and put them below the real ones
    Augment(Box<AugmentArgs>),
    /// Make a whole population of cells, from a file or a trained model
    Generate(Box<GenerateArgs>),
    /// Predict what cells of one type would do under a treatment, from types that were measured with and without it
    Predict(Box<PredictArgs>),
    /// Train a model and keep it
    Train(Box<TrainArgs>),
    /// Label cells with a trained model
    Classify(Box<ClassifyArgs>),
    /// List the models: what each needs and does, its paper, its presets
    Models(ModelsArgs),
    /// Show what is in a file
    Info(InfoArgs),
    /// Show which channel carries which marker in which file, and write it as a table that `correct` goes by
    Panel(PanelArgs),
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
