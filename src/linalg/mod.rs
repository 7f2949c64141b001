//! Linear algebra that several modules need: thin wrappers over libraries, the same bits at any thread count.

mod cholesky;
mod columns;
pub mod community;
mod covariance;
mod eigen;
mod error;
mod forest;
mod fuzzy;
pub mod knn;
mod lanczos;
mod log_rows;
mod logistic;
mod pca;
mod pca_sparse;
mod sparse;
mod tree;

pub use cholesky::cholesky;
pub use covariance::Covariance;
pub use error::LinalgError;
pub use forest::{Forest, ForestConfig};
pub use fuzzy::connectivities;
pub use knn::Neighbours;
pub use logistic::Logistic;
pub use pca::Pca;
pub use sparse::SparseRows;
