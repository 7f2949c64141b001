//! The baselines by name.

use serde::{Deserialize, Serialize};

use super::copula::{Copula, CopulaSettings};
use super::nb::NegativeBinomial;
use super::oversample::Oversample;
use super::smote::{Smote, SmoteSettings};
use super::{SampleError, Sampler};
use crate::data::Counts;
use crate::rng::Seed;

/// The baselines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// Real cells drawn again, with replacement
    Oversample,
    /// A negative binomial law for each gene, the same for all labels; library sizes of the label
    NbPooled,
    /// A negative binomial law for each gene and label
    Nb,
    /// As nb, with correlations of the strongest genes of each label (Gaussian copula)
    NbCopula,
    /// Between a cell and one of its neighbours of the same label
    Smote,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Oversample, Self::NbPooled, Self::Nb, Self::NbCopula, Self::Smote];

    /// Its name in options and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Oversample => "oversample",
            Self::NbPooled => "nb-pooled",
            Self::Nb => "nb",
            Self::NbCopula => "nb-copula",
            Self::Smote => "smote",
        }
    }

    /// Fits it with its default settings to cells × genes and the label of each cell, 0 to `n_labels` − 1.
    ///
    /// # Errors
    /// [`SampleError`] when labels do not fit the cells. A label without cells is an error only when it is asked for.
    pub fn fit(
        self,
        counts: &Counts,
        labels: &[usize],
        n_labels: usize,
        seed: Seed,
    ) -> Result<Sampler, SampleError> {
        Ok(match self {
            Self::Oversample => Sampler::Oversample(Oversample::fit(counts, labels, n_labels)?),
            Self::NbPooled => Sampler::Nb(NegativeBinomial::fit(counts, labels, n_labels, true)?),
            Self::Nb => Sampler::Nb(NegativeBinomial::fit(counts, labels, n_labels, false)?),
            Self::NbCopula => {
                Sampler::NbCopula(Copula::fit(counts, labels, n_labels, CopulaSettings::default(), seed)?)
            }
            Self::Smote => {
                Sampler::Smote(Smote::fit(counts, labels, n_labels, SmoteSettings::default(), seed)?)
            }
        })
    }
}
