//! Clusters of cells from raw counts, as scGAN and scanpy's `recipe_zheng17` have them: variable genes, principal
//! components, a graph of neighbours with UMAP's weights, and its communities.

mod clusters;
mod error;
mod run;
mod settings;
mod steps;

pub use crate::linalg::community::Method;
pub use clusters::Clusters;
pub use error::ClusterError;
pub use run::run;
pub use settings::ClusterSettings;
