//! Options of `concat`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::concat::{Join, OnDuplicate};

const EXAMPLES: &str = "\
Examples:
  scx concat donor1.h5ad donor2.h5ad -o all.h5ad --batch-key donor
  scx concat run*/filtered_feature_bc_matrix.h5 -o all.h5ad --on-duplicate suffix
  scx concat a.h5ad b.loom -o all.h5ad --join outer --batch-names day1,day2
  scx concat *.fcs -o all.h5ad --join inner --dry-run     # which channels would be left behind
  scx concat tube*.fcs -o all.fcs --continuous-time
  scx concat --sheet study.csv -o study.h5ad

Variables are matched by name; X is never held in memory. What was left behind or changed is printed.";

/// Which variables the result has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JoinArg {
    /// Those that all files have
    Inner,
    /// All; what a file does not have is 0 where X is sparse and NaN where it is dense
    Outer,
}

impl From<JoinArg> for Join {
    fn from(j: JoinArg) -> Self {
        match j {
            JoinArg::Inner => Join::Inner,
            JoinArg::Outer => Join::Outer,
        }
    }
}

/// What to do when two cells share a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DuplicateArg {
    /// Refuse, with the list
    Error,
    /// Put -0, -1, … behind the names of all cells
    Suffix,
    /// Put the batch and _ before the names of all cells
    Prefix,
}

impl From<DuplicateArg> for OnDuplicate {
    fn from(d: DuplicateArg) -> Self {
        match d {
            DuplicateArg::Error => OnDuplicate::Error,
            DuplicateArg::Suffix => OnDuplicate::Suffix,
            DuplicateArg::Prefix => OnDuplicate::Prefix,
        }
    }
}

/// Options of `concat`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConcatArgs {
    /// Files to put one below the other, of any format
    #[arg(required_unless_present = "sheet", num_args = 1.., value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// A sample sheet instead of INPUT: a table with a column file, one row a file; run, sample and all other columns become
    /// columns of obs
    #[arg(long, value_name = "SHEET", conflicts_with = "inputs", help_heading = "Data")]
    pub sheet: Option<PathBuf>,
    /// File to write; its format is that of its extension
    #[arg(short, long, value_name = "OUT", help_heading = "Writing")]
    pub output: PathBuf,
    /// Column of obs that tells the file of each cell [default: batch; with --sheet: file]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub batch_key: Option<String>,
    /// What that column calls each file, in order, separated by commas [default: names of the files, or of the folders in which they differ]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = "Data")]
    pub batch_names: Vec<String>,
    /// Which variables, and which columns of obs [default: inner; FCS files of different channels are joined only when it
    /// is given]
    #[arg(long, value_enum, value_name = "JOIN", help_heading = "Data")]
    pub join: Option<JoinArg>,
    /// The channel Time of each file goes on where that of the file before ended
    #[arg(long, help_heading = "Data")]
    pub continuous_time: bool,
    /// What to do when two cells share a name [default: error]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Data")]
    pub on_duplicate: Option<DuplicateArg>,
    /// A layer to keep, may be repeated [default: all that every file has]
    #[arg(long = "keep-layer", value_name = "NAME", help_heading = "Data")]
    pub keep_layers: Vec<String>,
    /// An older spelling of --keep-layer
    #[arg(long = "layer", value_name = "NAME", hide = true)]
    pub layers: Vec<String>,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
    /// How to write
    #[command(flatten)]
    pub writing: WriteArgs,
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}

impl ConcatArgs {
    /// The layers to keep, in either spelling; none: all that every file has.
    pub(in crate::cli) fn kept_layers(&self) -> Vec<String> {
        if !self.layers.is_empty() {
            tracing::warn!("--layer is called --keep-layer now");
        }
        self.keep_layers.iter().chain(&self.layers).cloned().collect()
    }
}
