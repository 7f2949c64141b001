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
mod nnls;
mod pca;
mod pca_sparse;
mod pca_wide;
mod solve;
mod sparse;
mod transport;
mod tree;

pub use cholesky::cholesky;
pub use covariance::Covariance;
pub use error::LinalgError;
pub use forest::{Forest, ForestConfig};
pub use fuzzy::connectivities;
pub use knn::Neighbours;
pub use logistic::Logistic;
pub use nnls::nnls;
pub use pca::Pca;
pub use solve::solve_definite;
pub use sparse::SparseRows;
pub use transport::{MOST_POINTS, Transport, transport};
