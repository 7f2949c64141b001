//! The steps a recipe can hold, and the recipes that have a name.

use serde::{Deserialize, Serialize};

use crate::data::Spillover;

/// To what sum each cell is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetSum {
    /// This sum.
    Sum(f64),
    /// The median of all cells that are not empty.
    Median(Median),
}

/// The word `median`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Median {
    /// `median`
    Median,
}

impl TargetSum {
    /// The median of all cells.
    pub const MEDIAN: TargetSum = TargetSum::Median(Median::Median);
}

/// How highly variable genes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Flavor {
    /// Dispersion of expm1 of logarithmised data against its bin's mean and standard deviation
    #[value(name = "seurat")]
    Seurat,
    /// Dispersion against its bin's median and absolute deviation; high means more variable
    #[value(name = "cell_ranger")]
    CellRanger,
    /// As cell_ranger, but lower than usual counts as well: the older rule, which recipe_zheng17 uses on data without a
    /// logarithm
    #[value(name = "cell_ranger_abs")]
    CellRangerAbs,
    /// Variance of raw counts against a loess curve of variance on mean
    #[value(name = "seurat_v3")]
    SeuratV3,
}

impl Flavor {
    /// The word scanpy has for it.
    pub fn name(self) -> &'static str {
        match self {
            Flavor::Seurat => "seurat",
            Flavor::CellRanger | Flavor::CellRangerAbs => "cell_ranger",
            Flavor::SeuratV3 => "seurat_v3",
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Keeps cells with that many expressed genes or more.
    FilterCells {
        /// Genes above zero.
        min_genes: u64,
    },
    /// Keeps genes that are expressed in that many cells or more.
    FilterGenes {
        /// Cells above zero.
        min_cells: u64,
    },
    /// Scales each cell to the same sum.
    NormalizeTotal {
        /// That sum.
        target_sum: TargetSum,
    },
    /// ln(1 + x).
    Log1p,
    /// Marks the most variable genes, or keeps only those.
    HighlyVariableGenes {
        /// How many.
        n_top: usize,
        /// By which measure.
        flavor: Flavor,
        /// Drop the others.
        #[serde(default)]
        subset: bool,
    },
    /// Centres each gene and divides it by its standard deviation. Makes dense data.
    Scale {
        /// Values beyond this, in either direction, are cut.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_value: Option<f64>,
    },
    /// Takes the spill-over out of fluorescence channels.
    Compensate {
        /// The matrix. Left out, it is the one the file states; whoever knows files fills it in before fitting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spillover: Option<Spillover>,
    },
    /// arcsinh(x / cofactor).
    Arcsinh {
        /// Divides first: 5 for mass, about 150 for fluorescence cytometry.
        cofactor: f64,
        /// The channels; all when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<String>>,
    },
    /// The logicle scale of fluorescence cytometry, 0 to 1.
    Logicle {
        /// Top of the data scale.
        #[serde(default = "top")]
        t: f64,
        /// Decades that are about linear.
        #[serde(default = "half")]
        w: f64,
        /// Decades in all.
        #[serde(default = "decades")]
        m: f64,
        /// More decades below zero.
        #[serde(default)]
        a: f64,
        /// The channels; all when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<String>>,
    },
    /// Undoes the amplifiers of an FCS file: channel numbers become linear intensities by the columns `pne`, `pnr` and
    /// `png` of the channels, which then say so.
    Amplify,
}

fn top() -> f64 {
    262_144.0
}

fn half() -> f64 {
    0.5
}

fn decades() -> f64 {
    4.5
}

impl Step {
    /// Its name in YAML.
    pub fn name(&self) -> &'static str {
        match self {
            Step::FilterCells { .. } => "filter_cells",
            Step::FilterGenes { .. } => "filter_genes",
            Step::NormalizeTotal { .. } => "normalize_total",
            Step::Log1p => "log1p",
            Step::HighlyVariableGenes { .. } => "highly_variable_genes",
            Step::Scale { .. } => "scale",
            Step::Compensate { .. } => "compensate",
            Step::Arcsinh { .. } => "arcsinh",
            Step::Logicle { .. } => "logicle",
            Step::Amplify => "amplify",
        }
    }

    /// The columns it adds: of the table of cells, then of the table of genes.
    pub fn adds(&self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Step::FilterCells { .. } => (&["n_genes"], &[]),
            Step::FilterGenes { .. } => (&[], &["n_cells"]),
            Step::NormalizeTotal { .. } => (&["n_counts"], &[]),
            Step::HighlyVariableGenes { .. } => (&[], &["highly_variable"]),
            Step::Scale { .. } => (&[], &["mean", "std"]),
            Step::Log1p | Step::Compensate { .. } | Step::Arcsinh { .. } => (&[], &[]),
            Step::Logicle { .. } | Step::Amplify => (&[], &[]),
        }
    }

    /// Whether values of X change.
    pub fn changes_values(&self) -> bool {
        !matches!(
            self,
            Step::FilterCells { .. } | Step::FilterGenes { .. } | Step::HighlyVariableGenes { .. }
        )
    }

    /// Whether it belongs to counts of molecules, not to cytometry.
    pub fn needs_counts(&self) -> bool {
        matches!(
            self,
            Step::NormalizeTotal { .. } | Step::HighlyVariableGenes { flavor: Flavor::SeuratV3, .. }
        )
    }
}

/// What is done to a data set, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipe {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Recipe {
    /// Names of the recipes that have one.
    pub const NAMES: [&str; 4] = ["scgan", "trvae", "cytof", "zheng17"];

    /// A recipe by name.
    pub fn named(name: &str) -> Option<Recipe> {
        match name {
            "scgan" => Some(Self::scgan(false)),
            "trvae" => Some(Self::trvae()),
            "cytof" => Some(Self::cytof()),
            "zheng17" => Some(Self::zheng17()),
            _ => None,
        }
    }

    /// As scGAN and ACTIVA: cells with 10 genes, then genes in 3 cells, then 20,000 counts a cell, no logarithm.
    /// `genes_first` takes the order ACTIVA's text states.
    pub fn scgan(genes_first: bool) -> Recipe {
        let mut steps = vec![
            Step::FilterCells { min_genes: 10 },
            Step::FilterGenes { min_cells: 3 },
            Step::NormalizeTotal { target_sum: TargetSum::Sum(20_000.0) },
        ];
        if genes_first {
            steps.swap(0, 1);
        }
        Recipe { steps }
    }

    /// As trVAE and scGen: cells scaled to the median, log1p, 2,000 genes by Seurat's first rule. Genes seen in no cell
    /// go first.
    pub fn trvae() -> Recipe {
        Recipe {
            steps: vec![
                Step::FilterGenes { min_cells: 1 },
                Step::NormalizeTotal { target_sum: TargetSum::MEDIAN },
                Step::Log1p,
                Step::HighlyVariableGenes { n_top: 2000, flavor: Flavor::Seurat, subset: true },
            ],
        }
    }

    /// Mass cytometry: arcsinh(x / 5).
    pub fn cytof() -> Recipe {
        Recipe { steps: vec![Step::Arcsinh { cofactor: 5.0, channels: None }] }
    }

    /// scanpy's `recipe_zheng17`: genes seen at all, cells scaled to the median, 1,000 genes by the older cell_ranger
    /// rule, scaled again, log1p, z-score.
    pub fn zheng17() -> Recipe {
        Recipe {
            steps: vec![
                Step::FilterGenes { min_cells: 1 },
                Step::NormalizeTotal { target_sum: TargetSum::MEDIAN },
                Step::HighlyVariableGenes { n_top: 1000, flavor: Flavor::CellRangerAbs, subset: true },
                Step::NormalizeTotal { target_sum: TargetSum::MEDIAN },
                Step::Log1p,
                Step::Scale { max_value: None },
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_reads_back_from_yaml_as_it_was() {
        for name in Recipe::NAMES {
            let recipe = Recipe::named(name).unwrap();
            let text = serde_yaml::to_string(&recipe).unwrap();
            assert_eq!(serde_yaml::from_str::<Recipe>(&text).unwrap(), recipe, "{text}");
        }
        let text = "- step: normalize_total\n  target_sum: median\n- step: log1p\n- step: logicle\n";
        let recipe: Recipe = serde_yaml::from_str(text).unwrap();
        assert_eq!(recipe.steps[0], Step::NormalizeTotal { target_sum: TargetSum::MEDIAN });
        assert_eq!(recipe.steps[2], Step::Logicle { t: 262_144.0, w: 0.5, m: 4.5, a: 0.0, channels: None });
    }

    #[test]
    fn an_unknown_step_or_field_is_refused() {
        assert!(serde_yaml::from_str::<Recipe>("- step: log2p").is_err());
        assert!(serde_yaml::from_str::<Recipe>("- {step: filter_cells, min_cells: 3}").is_err());
        assert!(serde_yaml::from_str::<Recipe>("- {step: normalize_total, target_sum: mean}").is_err());
    }
}
