//! Metrics: arrays in, numbers out.

mod classify;
mod correlation;
mod distribution;
pub mod generation;
mod mmd;
pub mod perturbation;
mod spike_in;

pub use classify::{f1, roc_auc, roc_curve, stratified_folds};
pub use correlation::{Discrepancy, correlations, discrepancy};
pub use distribution::{emd, median};
pub use mmd::{MmdParts, bandwidths, kernel, mmd_parts, mmd2};
pub use spike_in::{Agreement, agreement, pearson};
