//! Cells made without a network: the baselines every generator has to beat. Fitted to counts and the label of each
//! cell, they make counts of one label. They serialise whole, so that a stored one needs no data to generate.
//!
//! | model | what it keeps | what it loses |
//! |---|---|---|
//! | [`Oversample`] | everything | every cell is a copy |
//! | [`NegativeBinomial`] | mean and variance of each gene, library sizes | everything genes do together |
//! | [`Copula`] | the same, and correlations of the strongest genes | what is not pairwise |
//! | [`Smote`] | neighbourhoods | each cell lies between two real ones |

mod baseline;
mod copula;
mod error;
mod law;
mod nb;
mod oversample;
mod sampler;
mod smote;

pub use baseline::Baseline;
pub use copula::{Copula, CopulaSettings};
pub use error::SampleError;
pub use nb::NegativeBinomial;
pub use oversample::Oversample;
pub use sampler::{CountSampler, Sampler};
use sampler::{cells_by_label, of_label};
pub use smote::{Smote, SmoteSettings};

#[cfg(test)]
pub(super) mod tests;
