//! How real are generated cells, and do they help?
//!
//! Every figure compares as many real test cells as generated ones, in a space it names: ln(1 + counts scaled to 20,000 per
//! cell), or ln(1 + counts) where library sizes are left as they are, over the genes that real cells have; or 50 principal
//! components of that. What a generator learnt from are the training cells; what it is compared with are test cells it has
//! never seen.
//!
//! [`Judge`] does all of it for one set of generated cells after the other; the functions it uses stand alone as well.

mod detection;
mod error;
mod fold_change;
mod judge;
mod laws;
mod markers;
mod memorisation;
mod rare;
mod score;
#[cfg(test)]
mod tests;
mod types;
mod values;
mod verdict;

pub use detection::{Detection, DetectionConfig, Space, detect};
pub use error::GenerationError;
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
pub use values::{TARGET, log_rows};
use values::{derive, mean_sd};
pub use verdict::{Finding, Thresholds, Verdict, judge as verdict_of};
