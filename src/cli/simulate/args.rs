//! Options of `simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::counts_args::CountsArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::simulate::splat::DropoutKind;

const EXAMPLES: &str = "\
Examples:
  scx simulate --like counts.h5ad -o simulated.h5ad --groups 3 --save-params params.yaml
  scx simulate --params params.yaml -o simulated.h5ad --n-cells 5000 --seed 1
  scx simulate splat --like filtered_feature_bc_matrix.h5 -o mtx/ --groups 0.6,0.3,0.1 --de-prob 0.2

Splat (Zappia et al. 2017): gene means are gamma, library sizes log-normal or normal, counts gamma-Poisson with a \
dispersion that falls with the mean; groups differ by log-normal factors on some genes. --like estimates all numbers but \
the groups from raw counts: layers[\"counts\"], else raw, else X. Genes and cells are new ones, Gene1, Gene2, …, not \
those of the file. The truth is in obs (group, expected_library_size) and var (base_mean, outlier_factor, mean, \
bcv_factor, de_factor_GROUP), the parameters in uns[\"scx\"].

A parameter file is YAML or JSON with the names that --save-params writes; what it leaves out is as in the R package.";

/// How cells are made up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Simulator {
    /// Gamma-Poisson counts with known truth
    #[default]
    Splat,
}

/// Options of `simulate`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct SimulateArgs {
    /// How cells are made up [default: splat]
    #[arg(value_enum, value_name = "MODEL")]
    pub model: Option<Simulator>,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,

    /// Estimate the parameters from raw counts, in a file of any format scx reads
    #[arg(long, value_name = "IN", conflicts_with = "params", help_heading = "Parameters")]
    pub like: Option<PathBuf>,
    /// Read the parameters from a YAML or JSON file
    #[arg(long, value_name = "FILE", help_heading = "Parameters")]
    pub params: Option<PathBuf>,
    /// Which counts of --like
    #[command(flatten)]
    pub counts: CountsArgs,
    /// Cells to simulate [default: as many as the file has, or as the parameters say]
    #[arg(long, value_name = "N", help_heading = "Parameters")]
    pub n_cells: Option<usize>,
    /// Genes to simulate [default: as many as the file has, or as the parameters say]
    #[arg(long, value_name = "N", help_heading = "Parameters")]
    pub n_genes: Option<usize>,
    /// Kinds of cells: how many of equal size, or their shares
    #[arg(long, value_name = "N|SHARE,…", help_heading = "Parameters")]
    pub groups: Option<String>,
    /// Share of the genes of each group that differ [default: 0.1]
    #[arg(long, value_name = "SHARE", help_heading = "Parameters")]
    pub de_prob: Option<f64>,
    /// Whether counts are lost beyond the zeros of counting [default: none]
    #[arg(long, value_enum, value_name = "KIND", help_heading = "Parameters")]
    pub dropout: Option<DropoutKind>,
    /// Write the parameters in use to this file
    #[arg(long, value_name = "FILE.yaml", help_heading = "Parameters")]
    pub save_params: Option<PathBuf>,
    /// Seed of everything random: the same seed gives the same bytes [default: 0]
    #[arg(long, value_name = "N", help_heading = "Parameters")]
    pub seed: Option<u64>,

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
