//! Options of `cluster`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::counts_args::CountsArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::cluster::{ClusterSettings, Method};
use crate::rng::Seed;

const EXAMPLES: &str = "\
Examples:
  scx cluster cells.h5ad -o clustered.h5ad
  scx cluster cells.h5ad -o clustered.h5ad --layer counts --resolution 0.5 --key-added leiden_0.5
  scx cluster filtered_feature_bc_matrix.h5 -o clustered.h5ad
  scx cluster cells.loom -o clusters.csv

Raw counts go in, from layers[\"counts\"], else raw, else X, whichever holds whole numbers first; they stay as they are. Where \
none does, counts with fractions are taken with a warning, or rounded with --round; logarithms are refused. The way is scanpy's: recipe_zheng17, PCA, \
neighbours with UMAP's weights, Leiden. Clusters are numbered by decreasing size. An h5ad file comes out as it went in, \
with obs[KEY], uns[KEY] and obsm[\"X_pca\"] (obsm[\"X_pca_scx\"] when there is an X_pca already) added.";

/// Options of `cluster`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ClusterArgs {
    /// A file with raw counts, of any format scx reads
    pub input: PathBuf,
    /// The file to write: h5ad, loom, or a table of the cells
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Larger values give more clusters
    #[arg(long, value_name = "R", default_value_t = ClusterSettings::default().resolution, help_heading = "Method")]
    pub resolution: f64,
    /// How communities are searched
    #[arg(long, value_enum, default_value_t, help_heading = "Method")]
    pub method: Method,
    /// Principal components
    #[arg(long, value_name = "N", default_value_t = ClusterSettings::default().n_pcs, help_heading = "Method")]
    pub n_pcs: usize,
    /// Neighbours of a cell, itself among them
    #[arg(long, value_name = "N", default_value_t = ClusterSettings::default().n_neighbors, help_heading = "Method")]
    pub n_neighbors: usize,
    /// Seed of everything random: the same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Method")]
    pub seed: u64,

    /// Which counts
    #[command(flatten)]
    pub counts: CountsArgs,
    /// How input is read
    #[command(flatten)]
    pub reading: ReadArgs,

    /// Column of obs for the clusters
    #[arg(long, value_name = "KEY", default_value = "cluster", help_heading = "Output")]
    pub key_added: String,
    /// Keep the graph of neighbours too, in obsp and uns["scx_neighbors"]
    #[arg(long, help_heading = "Output")]
    pub keep_graph: bool,

    /// How output is written
    #[command(flatten)]
    pub writing: WriteArgs,
    /// Options from a file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How it runs
    #[command(flatten)]
    pub running: RunArgs,
}

impl ClusterArgs {
    /// As settings of the library.
    pub fn settings(&self) -> ClusterSettings {
        let defaults = ClusterSettings::default();
        ClusterSettings {
            method: self.method,
            resolution: self.resolution,
            n_pcs: self.n_pcs,
            n_neighbors: self.n_neighbors,
            wanted: self.counts.wanted_linear(),
            seed: Seed(self.seed),
            memory: self.running.memory.unwrap_or(defaults.memory),
            ..defaults
        }
    }
}
