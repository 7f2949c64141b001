//! SUGAR (Lindenbaum, Stanley, Wolf, Krishnaswamy 2018): new cells where real ones are rare, along the
//! geometry of the data.
//!
//! Works on principal components of ln(1 + 20,000-scaled counts). Sparsity of a cell is one over its kernel degree; each
//! cell sends out points from a Gaussian with the covariance of its neighbourhood; the points are pulled onto the data by
//! one step of a measure-based diffusion, and each component is stretched so that its 95th percentile stays.
//!
//! Points become counts by this rule: components times loadings plus the mean of each gene; negative values are zero; back
//! from the logarithm; times a factor of each gene, chosen so that the real cells, sent through the same way, keep the mean
//! of each gene (the mean of a logarithm is not the logarithm of the mean); a library size is drawn from the real cells of
//! the label of the nearest real cell; counts are Poisson with these shares. Components hold means, not the noise of
//! counting, so Poisson noise is what rounding by chance would lack.

mod error;
mod geometry;
mod model;
mod settings;
#[cfg(test)]
mod tests;

pub use error::SugarError;
use model::percentiles;
pub use model::{MOST_POINTS, Sugar, Sugared};
pub use settings::{Amount, SugarSettings};
