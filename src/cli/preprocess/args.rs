//! Options of `preprocess`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::kit::config::ConfigArgs;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::recipe::Flavor;

const EXAMPLES: &str = "\
Examples:
  scx preprocess counts.h5ad -o ready.h5ad --recipe scgan
  scx preprocess counts.h5ad -o ready.h5ad --target-sum 10000 --log1p --n-top-genes 2000
  scx preprocess filtered_feature_bc_matrix.h5 -o ready.h5ad --recipe trvae --n-top-genes 3000
  scx preprocess sample.fcs -o sample.h5ad --compensate --logicle
  scx preprocess new.h5ad -o new_ready.h5ad --replay ready.h5ad   # exactly what ready.h5ad saw

Recipes: scgan (cells with 10 genes, genes in 3 cells, 20,000 counts a cell), trvae (median, log1p, 2,000 genes), cytof \
(arcsinh of a fifth), zheng17 (scanpy's), or a YAML file with a list of steps:
  - {step: filter_cells, min_genes: 200}
  - {step: normalize_total, target_sum: median}
  - {step: log1p}
  - {step: highly_variable_genes, n_top: 2000, flavor: seurat, subset: true}
  - {step: scale, max_value: 10}
Further steps: filter_genes {min_cells}, compensate {spillover?}, amplify, arcsinh {cofactor, channels?}, logicle {t, w, m, \
a, channels?}.

Without a recipe only the steps asked for are done, in the order of this page. Counts are taken from layers[\"counts\"], \
else raw, else X, whichever holds whole numbers first. They stay in layers[\"counts\"].";

/// Options of `preprocess`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PreprocessArgs {
    /// A file of any format scx reads
    #[arg(value_name = "INPUT")]
    pub input: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// A recipe by name, or a YAML file; the options below change its numbers and add steps to its end
    #[arg(long, value_name = "NAME|FILE.yaml", help_heading = "Steps")]
    pub recipe: Option<String>,
    /// Repeat what an earlier output of `preprocess` saw, with its genes, sums, means: nothing is learnt anew
    #[arg(long, value_name = "FILE", conflicts_with = "recipe", help_heading = "Steps")]
    pub replay: Option<PathBuf>,
    /// Take the spill-over stated in the FCS file out of its channels
    #[arg(long, help_heading = "Steps")]
    pub compensate: bool,
    /// Undo the amplifiers stated in the FCS file
    #[arg(long, help_heading = "Steps")]
    pub amplify: bool,
    /// Keep cells with that many expressed genes
    #[arg(long, value_name = "N", help_heading = "Steps")]
    pub min_genes: Option<u64>,
    /// Keep genes that are expressed in that many cells
    #[arg(long, value_name = "N", help_heading = "Steps")]
    pub min_cells: Option<u64>,
    /// Filter genes before cells
    #[arg(long, help_heading = "Steps")]
    pub genes_first: bool,
    /// Scale each cell to this sum: a number, or median
    #[arg(long, value_name = "SUM|median", help_heading = "Steps")]
    pub target_sum: Option<String>,
    /// Take ln(1 + x)
    #[arg(long, help_heading = "Steps")]
    pub log1p: bool,
    /// Mark that many highly variable genes
    #[arg(long, value_name = "N", help_heading = "Steps")]
    pub n_top_genes: Option<usize>,
    /// How they are found [default: seurat]
    #[arg(long, value_enum, help_heading = "Steps")]
    pub flavor: Option<Flavor>,
    /// Keep only those
    #[arg(long, help_heading = "Steps")]
    pub subset: bool,
    /// Take arcsinh(x / COFACTOR) of the markers: 5 for mass, about 150 for fluorescence cytometry
    #[arg(long, value_name = "COFACTOR", help_heading = "Steps")]
    pub arcsinh: Option<f64>,
    /// Bring the markers to the logicle scale; T,W,M,A when given, each with a default
    #[arg(long, value_name = "T,W,M,A", num_args = 0..=1, default_missing_value = "", help_heading = "Steps")]
    pub logicle: Option<String>,
    /// Markers that --arcsinh, --logicle and such steps of a recipe work on: names separated by commas, or a regular
    /// expression [default: stained channels without time, scatter and the like]
    #[arg(long, value_name = "LIST|REGEX", conflicts_with = "replay", help_heading = "Steps")]
    pub markers: Option<String>,
    /// Centre each gene and divide it by its standard deviation; values beyond MAX are cut when given
    #[arg(long, value_name = "MAX", num_args = 0..=1, default_missing_value = "", help_heading = "Steps")]
    pub scale: Option<String>,

    /// Matrix to work on instead of X or the counts: a layer, or raw
    #[arg(long, value_name = "NAME", help_heading = "Data")]
    pub layer: Option<String>,
    /// Round counts with fractions, as SoupX, CellBender and EM quantification leave them, to the nearest whole numbers
    #[arg(long, help_heading = "Data")]
    pub round: bool,
    /// Features to work on where var["feature_types"] tells several types: one of them, or all; the others stay as they are
    /// [default: Gene Expression]
    #[arg(long, value_name = "TYPE|all", help_heading = "Data")]
    pub feature_type: Option<String>,
    /// Column of var with the gene names of the replayed recipe [default: the names, or a column that matches where they
    /// do not]
    #[arg(long, value_name = "COLUMN", requires = "replay", help_heading = "Data")]
    pub gene_column: Option<String>,
    /// Go on although the data look as if they were on the scale already
    #[arg(long, help_heading = "Data")]
    pub force_space: bool,
    /// Share of the genes of a replayed recipe that the file may lack; they are filled with zeros [default: 0.1]
    #[arg(long, value_name = "SHARE", requires = "replay", help_heading = "Data")]
    pub max_missing: Option<f64>,
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
