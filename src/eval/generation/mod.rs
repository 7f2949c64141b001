//! How real are generated cells, and do they help?
//!
//! Every figure compares as many real test cells as generated ones, in a space it names: ln(1 + counts scaled to 20,000 per
//! cell), or ln(1 + counts) where library sizes are left as they are, over the genes that real cells have; or 50 principal
//! components of that. What a generator learnt from are the training cells; what it is compared with are test cells it has
//! never seen.
//!
//! [`Judge`] does all of it for one set of generated cells after the other; the functions it uses stand alone as well.

mod detection;
mod fold_change;
mod judge;
mod laws;
mod markers;
mod memorisation;
mod rare;
mod score;
mod types;
mod verdict;

pub use detection::{Detection, DetectionConfig, Space, detect};
pub use fold_change::{FoldChanges, cluster_means, fold_changes};
pub use judge::{Cells, Judge, JudgeSettings};
pub use laws::{Laws, Quantiles, ks_distance, laws};
pub use markers::{Markers, rank_sums, top_markers};
pub use memorisation::{Distances, Memorisation, copies, nearest_genes, nearest_points};
pub use rare::{Augment, Features, RareCluster, RareProtocol, RareScore, RareSummary, help, rare_cluster};
pub use score::{
    CorrelationScore, GeneUse, GenerationScore, MmdScore, SCHEMA_VERSION, SetKind, SetScore, TypeShare, Types,
};
pub use types::TypeForest;
pub use verdict::{Finding, Thresholds, Verdict, judge as verdict_of};

use crate::data::Counts;
use crate::linalg::{LinalgError, SparseRows};
use crate::rng::Seed;

/// What cells are scaled to before a logarithm is taken, as scGAN and ACTIVA do.
pub const TARGET: f64 = 20_000.0;

/// Why generated cells could not be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// The cells do not allow it.
    #[error("{what}")]
    Input {
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// A decomposition or a forest failed.
    #[error(transparent)]
    Linalg(LinalgError),
    /// A generator that was asked for cells failed.
    #[error("{method}: {what}")]
    Augment {
        /// Which one.
        method: String,
        /// What it said.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl From<LinalgError> for GenerationError {
    fn from(e: LinalgError) -> Self {
        match e {
            LinalgError::Cancelled => Self::Cancelled,
            e => Self::Linalg(e),
        }
    }
}

impl GenerationError {
    fn input(what: impl Into<String>) -> Self {
        Self::Input { what: what.into() }
    }
}

/// ln(1 + count / library size × target), cells × genes, or ln(1 + count) without a target; an empty cell stays empty.
pub fn log_rows(counts: &Counts, target: Option<f64>) -> SparseRows {
    let mut out = SparseRows::empty(counts.n_genes());
    for c in 0..counts.n_cells() {
        let (genes, values) = counts.cell(c);
        let total: f64 = values.iter().map(|&v| f64::from(v)).sum();
        let factor = target.map_or(1.0, |t| t / total);
        out.push(genes.iter().zip(values).map(|(&g, &v)| (g, (f64::from(v) * factor).ln_1p() as f32)));
    }
    out
}

/// A seed of its own for one part of the work.
fn derive(seed: Seed, name: &str) -> Seed {
    Seed(seed.stream(name).below(usize::MAX) as u64)
}

/// Mean and sample standard deviation (n − 1 in the denominator; 0 of one value).
fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 })
}

#[cfg(test)]
mod tests;
