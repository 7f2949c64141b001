//! Cells made without a network: the baselines every generator has to beat. Fitted to counts and the label of each
//! cell, they make counts of one label. They serialise whole, so that a stored one needs no data to generate.
//!
//! | model | what it keeps | what it loses |
//! |---|---|---|
//! | [`Oversample`] | everything | every cell is a copy |
//! | [`NegativeBinomial`] | mean and variance of each gene, library sizes | everything genes do together |
//! | [`Copula`] | the same, and correlations of the strongest genes | what is not pairwise |
//! | [`Smote`] | neighbourhoods | each cell lies between two real ones |

mod copula;
mod law;
mod nb;
mod oversample;
mod smote;

use serde::{Deserialize, Serialize};

pub use copula::{Copula, CopulaSettings};
pub use nb::NegativeBinomial;
pub use oversample::Oversample;
pub use smote::{Smote, SmoteSettings};

use crate::data::Counts;
use crate::linalg::LinalgError;
use crate::rng::{Seed, Stream};

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

/// Why a sampler cannot be fitted, or cannot make cells of a label.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// As many labels as cells are needed.
    #[error("{labels} labels for {cells} cells")]
    Lengths {
        /// Labels given.
        labels: usize,
        /// Cells given.
        cells: usize,
    },
    /// A label outside its range.
    #[error("there is no label {label}; there are {n_labels}, numbered from 0")]
    NoLabel {
        /// The label asked for.
        label: usize,
        /// Number of labels.
        n_labels: usize,
    },
    /// Not enough cells of a label.
    #[error("label {label} had {found} cells with counts to learn from; {needed} are needed")]
    TooFew {
        /// The label.
        label: usize,
        /// Cells it had.
        found: usize,
        /// Cells needed.
        needed: usize,
    },
    /// Principal components or neighbours could not be found.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}

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
fn cells_by_label(
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
fn of_label<T>(all: &[T], label: usize) -> Result<&T, SampleError> {
    all.get(label).ok_or(SampleError::NoLabel { label, n_labels: all.len() })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Two kinds of cells over 30 genes; genes 0 to 4 of the first go up and down together.
    pub(super) fn toy(cells: usize) -> (Counts, Vec<usize>) {
        let mut s = Seed(9).stream("toy");
        let mut out = Counts::empty(30);
        let labels: Vec<usize> = (0..cells).map(|c| usize::from(c % 4 == 0)).collect();
        for &label in &labels {
            let (size, together) = ((0.4 * s.normal()).exp(), (0.6 * s.normal()).exp());
            let row: Vec<(u32, u32)> = (0..30u32)
                .map(|g| {
                    let mean = match (label, g) {
                        (0, 0..5) => 4.0 * together,
                        (1, 0..5) => 0.5,
                        (1, 10..15) => 9.0,
                        _ => 1.0 + f64::from(g) / 10.0,
                    };
                    (g, s.negative_binomial(mean * size, 4.0) as u32)
                })
                .collect();
            out.push(row);
        }
        (out, labels)
    }

    #[test]
    fn every_baseline_repeats_itself_and_comes_back_from_json() {
        let (counts, labels) = toy(200);
        for baseline in Baseline::ALL {
            let sampler = baseline.fit(&counts, &labels, 3, Seed(1)).unwrap();
            let draw = |s: &Sampler| s.sample(1, 20, &mut Seed(2).stream("cells")).unwrap();
            let cells = draw(&sampler);
            assert_eq!((cells.n_cells(), cells.n_genes()), (20, 30));
            assert_eq!((sampler.n_genes(), sampler.n_labels()), (30, 3));
            assert_eq!(baseline.fit(&counts, &labels, 3, Seed(1)).unwrap(), sampler);
            let text = serde_json::to_string(&sampler).unwrap();
            let back: Sampler = serde_json::from_str(&text).unwrap();
            assert_eq!(draw(&back), cells, "{}", baseline.name());
            // A cell of label 1 is told by its genes, not by its number.
            let sum = |c: &Counts, genes: std::ops::Range<u32>| -> u64 {
                (0..c.n_cells())
                    .flat_map(|i| {
                        let (g, v) = c.cell(i);
                        g.iter().zip(v).filter(|(g, _)| genes.contains(g)).map(|(_, &v)| u64::from(v))
                    })
                    .sum()
            };
            if baseline != Baseline::NbPooled {
                assert!(sum(&cells, 10..15) > 4 * sum(&cells, 0..5), "{}", baseline.name());
            }
        }
    }

    #[test]
    fn labels_that_do_not_fit_and_empty_labels_are_named() {
        let (counts, labels) = toy(40);
        for baseline in Baseline::ALL {
            assert!(matches!(
                baseline.fit(&counts, &labels[1..], 2, Seed(0)),
                Err(SampleError::Lengths { labels: 39, cells: 40 })
            ));
            assert!(matches!(
                baseline.fit(&counts, &labels, 1, Seed(0)),
                Err(SampleError::NoLabel { label: 1, n_labels: 1 })
            ));
            let sampler = baseline.fit(&counts, &labels, 3, Seed(0)).unwrap();
            let mut stream = Seed(0).stream("x");
            assert!(matches!(
                sampler.sample(2, 1, &mut stream),
                Err(SampleError::TooFew { label: 2, found: 0, .. })
            ));
            assert!(matches!(sampler.sample(3, 1, &mut stream), Err(SampleError::NoLabel { label: 3, .. })));
        }
    }
}
