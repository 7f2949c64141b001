//! What a model that makes cells gives, and the libraries they are drawn with.

use candle_core::{D, Tensor};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{CountBatch, ZooError};
use crate::data::Counts;
use crate::rng::Stream;

/// A trained model that makes cells.
pub trait Generate: Send + Sync {
    /// Makes `n` cells of that label, or of the whole population in the proportions it was trained on. All randomness
    /// comes from `stream`. A model that tries and rejects gives fewer when it runs out of rounds.
    ///
    /// # Errors
    /// [`ZooError`] when the label is unknown, the model cannot be asked for one, or tensors refuse.
    fn cells(&self, label: Option<u32>, n: usize, stream: &mut Stream) -> Result<Made, ZooError>;

    /// As [`Generate::cells`] of a label, but those alone that the model's own classifier confirms, where it has one.
    ///
    /// # Errors
    /// As [`Generate::cells`].
    fn confirmed(&self, label: u32, n: usize, stream: &mut Stream) -> Result<Made, ZooError> {
        self.cells(Some(label), n, stream)
    }

    /// Whether cells of a label can be drawn as they are, and not only found by trying.
    fn draws_labels(&self) -> bool {
        true
    }
}

/// A trained model that labels cells.
pub trait Classify: Send + Sync {
    /// Probability of each label, cells × labels.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    fn probabilities(&self, cells: &CountBatch) -> Result<Array2<f32>, ZooError>;
}

/// Probabilities [n, labels] of logits [n, labels].
pub(super) fn softmax(logits: &Tensor) -> Result<Array2<f32>, ZooError> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?.exp()?;
    let p = shifted.broadcast_div(&shifted.sum_keepdim(D::Minus1)?)?;
    Array2::from_shape_vec(p.dims2()?, p.flatten_all()?.to_vec1()?)
        .map_err(|e| ZooError::Config { what: e.to_string() })
}

/// Cells as a model made them.
#[derive(Debug, Clone)]
pub struct Made {
    /// Their genes.
    pub cells: MadeCells,
    /// Their labels, where the model knows them.
    pub labels: Option<Vec<u32>>,
    /// Cells that were made to get these; more when some were rejected.
    pub tried: u64,
}

/// Genes of made cells, in the terms of the model.
#[derive(Debug, Clone)]
pub enum MadeCells {
    /// Whole counts.
    Counts(Counts),
    /// Expression, cells × genes, scaled to a common library size; ln(1 + x) of it when `log`.
    Scaled {
        /// The values.
        values: Array2<f32>,
        /// Whether they are logarithms.
        log: bool,
    },
}

impl Made {
    /// Number of cells.
    pub fn len(&self) -> usize {
        match &self.cells {
            MadeCells::Counts(c) => c.n_cells(),
            MadeCells::Scaled { values, .. } => values.nrows(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl MadeCells {
    /// Counts. Expression becomes counts by this rule: the share of each gene in its cell, times a library size given
    /// by `library` for that cell, is the mean of a Poisson law from which the count is drawn.
    pub fn into_counts(
        self,
        stream: &mut Stream,
        mut library: impl FnMut(usize, &mut Stream) -> f64,
    ) -> Counts {
        let (values, log) = match self {
            MadeCells::Counts(counts) => return counts,
            MadeCells::Scaled { values, log } => (values, log),
        };
        let mut out = Counts::empty(values.ncols());
        for (cell, row) in values.rows().into_iter().enumerate() {
            let rate = |v: f32| if log { f64::from(v).exp_m1() } else { f64::from(v) }.max(0.0);
            let total: f64 = row.iter().map(|&v| rate(v)).sum();
            let factor = if total > 0.0 { library(cell, stream) / total } else { 0.0 };
            let draw = |(g, &v): (usize, &f32)| {
                let count = stream.poisson(rate(v) * factor);
                (g as u32, u32::try_from(count).unwrap_or(u32::MAX))
            };
            let counts: Vec<(u32, u32)> = row.iter().enumerate().map(draw).collect();
            out.push(counts);
        }
        out
    }
}

/// Library sizes of the training cells of each label, as quantiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LibrarySizes {
    /// Evenly spaced quantiles of each label, from the smallest to the largest.
    pub quantiles: Vec<Vec<f32>>,
}

/// Quantiles kept of a label at most.
const KNOTS: usize = 1001;

impl LibrarySizes {
    /// Learns the law of each of `labels` classes.
    pub fn fit(library: &[f32], labels: &[u32], classes: usize) -> Self {
        let mut of = vec![Vec::new(); classes];
        for (&size, &label) in library.iter().zip(labels) {
            if let Some(of) = of.get_mut(label as usize) {
                of.push(size);
            }
        }
        let quantiles = of.into_iter().map(|mut sizes| {
            sizes.sort_by(f32::total_cmp);
            if sizes.len() <= KNOTS {
                return sizes;
            }
            let at = |k: usize| sizes[k * (sizes.len() - 1) / (KNOTS - 1)];
            (0..KNOTS).map(at).collect()
        });
        Self { quantiles: quantiles.collect() }
    }

    /// A library size of that label, between the quantiles; 0 for a label without cells.
    pub fn draw(&self, label: u32, stream: &mut Stream) -> f64 {
        let Some(q) = self.quantiles.get(label as usize).filter(|q| !q.is_empty()) else { return 0.0 };
        let at = stream.uniform() * (q.len() - 1) as f64;
        let (low, part) = (at as usize, at.fract());
        let high = q[(low + 1).min(q.len() - 1)];
        f64::from(q[low]) * (1.0 - part) + f64::from(high) * part
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::rng::Seed;

    #[test]
    fn libraries_stay_within_those_of_their_label() {
        let law = LibrarySizes::fit(&[100.0, 300.0, 5.0, 200.0], &[0, 0, 1, 0], 3);
        let mut stream = Seed(1).stream("library");
        let drawn: Vec<f64> = (0..500).map(|_| law.draw(0, &mut stream)).collect();
        assert!(drawn.iter().all(|d| (100.0..=300.0).contains(d)));
        let mean = drawn.iter().sum::<f64>() / 500.0;
        assert!((mean - 200.0).abs() < 15.0, "{mean}");
        assert_eq!((law.draw(1, &mut stream), law.draw(2, &mut stream)), (5.0, 0.0));
    }

    #[test]
    fn expression_becomes_counts_with_the_library_that_was_asked_for() {
        let mut stream = Seed(2).stream("counts");
        for log in [false, true] {
            let values =
                array![[3.0f32, 0.0, 1.0], [0.0, 0.0, 0.0]].mapv(|v: f32| if log { v.ln_1p() } else { v });
            let counts = MadeCells::Scaled { values, log }.into_counts(&mut stream, |_, _| 40_000.0);
            let (genes, values) = counts.cell(0);
            assert_eq!(genes, [0, 2]);
            assert!(
                (29_000..31_000).contains(&values[0]) && (9_500..10_500).contains(&values[1]),
                "{values:?}"
            );
            assert_eq!(counts.totals()[1], 0);
        }
    }
}
