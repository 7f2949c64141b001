//! What makes cells of a label, and the fitted baselines.

use serde::{Deserialize, Serialize};

use super::SampleError;
use super::copula::Copula;
use super::nb::NegativeBinomial;
use super::oversample::Oversample;
use super::smote::Smote;
use crate::data::Counts;
use crate::rng::Stream;

/// Makes cells of a label.
pub trait CountSampler: Send + Sync {
    /// Genes of the cells it makes.
    fn n_genes(&self) -> usize;
    /// Labels it was fitted on, with cells or without.
    fn n_labels(&self) -> usize;
    /// `n` new cells of `label`, n × genes. The stream decides about all that is random: one stream for each run of
    /// cells gives the same cells whatever else is made beside them.
    ///
    /// # Errors
    /// [`SampleError`] when there is no such label, or too few cells of it were there to learn from.
    fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SampleError>;
}

/// A fitted baseline, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Real cells again.
    Oversample(Oversample),
    /// Independent genes, for each label or pooled.
    Nb(NegativeBinomial),
    /// Correlated genes.
    NbCopula(Copula),
    /// Between neighbours.
    Smote(Smote),
}

impl Sampler {
    fn inner(&self) -> &dyn CountSampler {
        match self {
            Self::Oversample(s) => s,
            Self::Nb(s) => s,
            Self::NbCopula(s) => s,
            Self::Smote(s) => s,
        }
    }
}

impl CountSampler for Sampler {
    fn n_genes(&self) -> usize {
        self.inner().n_genes()
    }

    fn n_labels(&self) -> usize {
        self.inner().n_labels()
    }

    fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SampleError> {
        self.inner().sample(label, n, stream)
    }
}

/// The cells of each label, in their order.
pub(super) fn cells_by_label(
    counts: &Counts,
    labels: &[usize],
    n_labels: usize,
) -> Result<Vec<Vec<usize>>, SampleError> {
    if labels.len() != counts.n_cells() {
        return Err(SampleError::Lengths { labels: labels.len(), cells: counts.n_cells() });
    }
    let mut cells = vec![Vec::new(); n_labels];
    for (cell, &label) in labels.iter().enumerate() {
        cells.get_mut(label).ok_or(SampleError::NoLabel { label, n_labels })?.push(cell);
    }
    Ok(cells)
}

/// The entry of a label.
pub(super) fn of_label<T>(all: &[T], label: usize) -> Result<&T, SampleError> {
    all.get(label).ok_or(SampleError::NoLabel { label, n_labels: all.len() })
}
