//! What is known of one set of generated cells: plain numbers that can be written and read again.

use super::{Detection, FoldChanges, Laws, Memorisation, Space, TARGET, Verdict};
use crate::eval::Discrepancy;

/// Version of [`GenerationScore`] as it is written.
pub const SCHEMA_VERSION: u32 = 1;

/// What a set of cells is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetKind {
    /// The cells to be judged.
    Generated,
    /// Real training cells: the best that can be reached.
    Real,
    /// Cells of a simple method that makes new cells.
    Baseline,
    /// Training cells drawn again: real, but nothing new.
    Copies,
}

/// Which genes figures are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GeneUse {
    /// Genes that real and generated cells have in common.
    pub common: usize,
    /// Those of them found in enough real cells.
    pub used: usize,
    /// How many cells are enough.
    pub min_cells: usize,
}

/// Do genes go together as in real cells?
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CorrelationScore {
    /// The marker genes that were looked at. CD grows with their number: compare equal numbers only.
    pub genes: Vec<String>,
    /// CD: largest column sum of absolute differences between correlation matrices.
    pub cd: f64,
    /// Mean absolute difference off the diagonal.
    pub mean: f64,
}

impl CorrelationScore {
    pub(super) fn new(genes: Vec<String>, d: Discrepancy) -> Self {
        Self { genes, cd: d.cd, mean: d.mean }
    }
}

/// How far the distributions are apart on principal components.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MmdScore {
    /// Squared maximum mean discrepancy, biased estimate.
    pub mmd2: f64,
    /// Its root, which is what papers seem to print.
    pub mmd: f64,
    /// What the biased estimate is above zero by even where distributions are equal.
    pub floor: f64,
    /// Mean kernel between real cells.
    pub within_real: f64,
    /// Mean kernel between generated cells: far above that of real ones when they are all alike.
    pub within_generated: f64,
    /// Bandwidths of the kernels.
    pub bandwidths: [f64; 3],
    /// Principal components.
    pub components: usize,
    /// Real cells; as many generated ones.
    pub cells: usize,
}

/// How many cells of one type look like it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TypeShare {
    /// The type.
    pub label: String,
    /// Cells that were meant to be of it.
    pub cells: usize,
    /// Share of them that a forest trained on other real cells takes for it.
    pub confirmed: f64,
    /// Real cells of the type the forest was trained on.
    pub trained_on: usize,
}

/// Is a cell of the type that was asked for?
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Types {
    /// Share of all cells.
    pub confirmed: f64,
    /// Type by type.
    pub labels: Vec<TypeShare>,
}

/// One set of cells against the real test cells.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SetScore {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SetKind,
    /// Cells there are.
    pub cells: usize,
    /// Cells of it, and as many real test cells, that figures are over.
    pub compared: usize,
    /// Share of its counts that lie in genes real cells do not have; those are left out.
    pub outside_genes: f64,
    /// Random forests, in the spaces and on the scales they name.
    pub detection: Vec<Detection>,
    /// Correlations of marker genes; none when no gene marks a cluster.
    pub correlation: Option<CorrelationScore>,
    /// Distance of distributions.
    pub mmd: MmdScore,
    /// Distances from the training cells; none without them, and for the training cells themselves.
    pub memorisation: Option<Memorisation>,
    /// Library sizes, zeros, variance.
    pub laws: Laws,
    /// Fold changes of markers; none without labels.
    pub fold_changes: Option<FoldChanges>,
    /// Types; none without labels.
    pub types: Option<Types>,
}

impl SetScore {
    /// The forest in that space, with library sizes scaled or as they are.
    pub fn detection(&self, space: Space, scaled: bool) -> Option<&Detection> {
        self.detection.iter().find(|d| d.space == space && d.scaled_to.is_some() == scaled)
    }

    /// Area under the ROC curve on principal components of scaled cells: the figure that decides.
    pub fn auc(&self) -> f64 {
        self.detection(Space::Components, true).map_or(f64::NAN, |d| d.auc)
    }
}

/// All that is known of one set of generated cells, with controls and baselines beside it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GenerationScore {
    /// Version of this object.
    pub schema_version: u32,
    /// What cells are scaled to before the logarithm.
    pub target: f64,
    /// The only cluster that was looked at, where one was chosen.
    pub cluster: Option<String>,
    /// Real test cells there are.
    pub test_cells: usize,
    /// Real training cells there are; none when they were not given.
    pub training_cells: Option<usize>,
    /// What components and markers were found on: training cells, or test cells when those were not given.
    pub fitted_on: String,
    /// Genes.
    pub genes: GeneUse,
    /// Seed of everything random.
    pub seed: u64,
    /// The cells to be judged.
    pub generated: SetScore,
    /// Real training cells against the same test cells: the ceiling; none without training cells.
    pub ceiling: Option<SetScore>,
    /// Simple methods.
    pub baselines: Vec<SetScore>,
    /// What to think of it.
    pub verdict: Verdict,
}

impl GenerationScore {
    /// All sets: the generated cells, the ceiling, the baselines.
    pub fn sets(&self) -> impl Iterator<Item = &SetScore> {
        std::iter::once(&self.generated).chain(&self.ceiling).chain(&self.baselines)
    }

    /// The scale, for people.
    pub fn scale() -> String {
        format!("ln(1 + counts scaled to {TARGET} per cell)")
    }
}
