//! Options of `panel`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::files::ReadArgs;

const EXAMPLES: &str = "\
Examples:
  Which channel carries which marker in which file, and where they do not agree:
    scx panel run1/*.fcs run2/*.fcs
  The same as a table to edit, and a correction that goes by it:
    scx panel *.fcs -o panel.csv
    scx correct --panel panel.csv --spikein c1.fcs c2.fcs --sample s.fcs -o s2.fcs
  Start from a table of CATALYST or premessa:
    scx panel *.fcs --panel catalyst.csv -o panel.csv

The table has a line for each channel and marker: channel, marker, role (lineage, functional, state; none is not corrected;
blank lets scx judge), cofactor, and a column for each file with its stain. What stands in a file's column says that this \
channel of this file is the marker of the line; a blank says nothing. Unchanged, the table pairs as names alone do. The \
columns conflict and note are for reading.";

/// Options of `panel`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PanelArgs {
    /// Files of any format
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where the table goes; without it, it is only shown
    #[arg(short, long, value_name = "PANEL.csv")]
    pub output: Option<PathBuf>,
    /// Start from this table: names, roles and cofactors are taken over
    #[arg(long, value_name = "FILE.csv")]
    pub panel: Option<PathBuf>,
    /// Replace an existing output
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}
