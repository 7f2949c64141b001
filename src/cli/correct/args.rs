//! Options of `correct`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::correct::scale::{Cofactors, TransformArg, cofactors, transform};
use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::correct::{Method, Preset, Zeros};

/// What becomes of runs without a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unanchored {
    /// Nothing is written for them
    Skip,
    /// Their files are written as they are
    Pass,
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
  A whole study: many runs, many files, one table that says which is which:
    scx correct --sheet study.csv -o corrected/ --report report.html
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
    /// A table of a whole study, one row a file: columns file, run, control (1 or 0), and optional sample, donor, group,
    /// holdout, panel, cofactor; other columns become columns of obs
    #[arg(long, value_name = "CSV", help_heading = "Study")]
    pub sheet: Option<PathBuf>,
    /// What to do with runs that have no control: `skip` writes nothing for them, `pass` writes their files as they are
    /// [default: refuse]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Study")]
    pub unanchored: Option<Unanchored>,
    /// Leave out files that are damaged or hold no cells, list them, and end with exit code 1
    #[arg(long, help_heading = "Study")]
    pub keep_going: bool,
    /// Leave alone what an earlier run of the same settings on the same files has written
    #[arg(long, help_heading = "Study")]
    pub resume: bool,
    /// Column of obs that holds the run of each cell
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    pub batch_key: Option<String>,
    /// The run that the others are moved to; with --sheet also `mean`, the mean of the controls of all runs [default: the
    /// first category, the first run of the sheet]
    #[arg(long, value_name = "RUN", help_heading = "Data")]
    pub reference: Option<String>,
    /// A second control pair that only the score looks at: two files, or with --batch-key one column
    #[arg(long, num_args = 1.., value_names = ["SOURCE_2", "TARGET_2"], help_heading = "Data")]
    pub holdout: Vec<String>,
    /// Markers to correct: names separated by commas, or a regular expression [default: channels with the stain of an
    /// antibody, without time, scatter, DNA, barcodes, beads, viability, ids, clusters and the like; h5ad: var["marker"]
    /// where it says yes]
    #[arg(long, value_name = "LIST|REGEX", help_heading = "Data")]
    pub markers: Option<String>,
    /// Table that says which channel carries which marker, and what is corrected (columns channel, marker, role, cofactor,
    /// spellings); `scx panel` writes a first one
    #[arg(long, value_name = "FILE.csv", help_heading = "Data")]
    pub panel: Option<PathBuf>,
    /// Layer to correct instead of X
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub layer: Option<String>,
    /// Put the result into X (or the chosen layer) instead of layers["scx_correct"]
    #[arg(long, help_heading = "Data")]
    pub into_x: bool,
    /// Correct a file once more that scx has corrected before
    #[arg(long, help_heading = "Data")]
    pub again: bool,

    /// How to correct [default: neuron-edit]
    #[arg(long, value_enum, help_heading = "Method")]
    pub method: Option<Method>,
    /// Apply the method and nothing else: no rivals, no scores, no verdict
    #[arg(long, help_heading = "Method")]
    pub only: bool,
    /// What becomes of values that are exactly zero, as mass cytometry has them [default: keep]
    #[arg(long, value_enum, value_name = "RULE", help_heading = "Method")]
    pub zeros: Option<Zeros>,
    /// Form of neuron-edit [default: default]
    #[arg(long, value_enum, help_heading = "Method")]
    pub preset: Option<Preset>,
    /// Scale to work on: `arcsinh` takes arcsinh(x / cofactor) and undoes it afterwards, `arcsinh-done[:COFACTOR]` says
    /// that the file holds such values already, `none` that it holds values of another final scale [default: arcsinh]
    #[arg(long, value_name = "SCALE", value_parser = transform, help_heading = "Method")]
    pub transform: Option<TransformArg>,
    /// Divides values before arcsinh: 5 for mass, about 150 for fluorescence cytometry. Single channels may have their
    /// own: 150,CD3=5,FITC-A=6000 [default: 5]
    #[arg(long, value_name = "X|NAME=X", value_parser = cofactors, help_heading = "Method")]
    pub cofactor: Option<Cofactors>,
    /// Remove spillover between fluorescence channels first, by the matrix in the file ($SPILLOVER)
    #[arg(long, help_heading = "Method")]
    pub compensate: bool,
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
    /// Keep what was learnt in this folder
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub save_model: Option<PathBuf>,
    /// Apply what --save-model kept, without training
    #[arg(long, value_name = "DIR", help_heading = "Method")]
    pub model_dir: Option<PathBuf>,

    /// Hidden layers of the encoder; in a configuration `model: {hidden: [500, 250, 50]}`
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide = true)]
    pub model_hidden: Vec<usize>,
    /// Cells per minibatch; in a configuration `model: {minibatch: 100}`
    #[arg(long, value_name = "N", hide = true)]
    pub model_minibatch: Option<usize>,
    /// Step size; in a configuration `model: {learning_rate: 0.001}`
    #[arg(long, value_name = "X", hide = true)]
    pub model_learning_rate: Option<f64>,

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
