//! Real cells of a label drawn again, with replacement.

use serde::{Deserialize, Serialize};

use super::{CountSampler, SampleError, cells_by_label, of_label};
use crate::data::Counts;
use crate::rng::Stream;

/// The bootstrap: what "more cells" is worth when nothing is learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oversample {
    labels: Vec<Counts>,
    n_genes: usize,
}

impl Oversample {
    /// Keeps the cells of each label.
    ///
    /// # Errors
    /// [`SampleError`] when labels do not fit the cells.
    pub fn fit(counts: &Counts, labels: &[usize], n_labels: usize) -> Result<Self, SampleError> {
        let cells = cells_by_label(counts, labels, n_labels)?;
        Ok(Self { labels: cells.iter().map(|c| counts.cells(c)).collect(), n_genes: counts.n_genes() })
    }
}

impl CountSampler for Oversample {
    fn n_genes(&self) -> usize {
        self.n_genes
    }

    fn n_labels(&self) -> usize {
        self.labels.len()
    }

    fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SampleError> {
        let real = of_label(&self.labels, label)?;
        if real.n_cells() == 0 {
            return Err(SampleError::TooFew { label, found: 0, needed: 1 });
        }
        let drawn: Vec<usize> = (0..n).map(|_| stream.below(real.n_cells())).collect();
        Ok(real.cells(&drawn))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::toy;
    use super::*;
    use crate::rng::Seed;

    #[test]
    fn every_cell_is_a_real_one_of_its_label_and_all_are_drawn() {
        let (counts, labels) = toy(40);
        let made = Oversample::fit(&counts, &labels, 2).unwrap();
        let made = made.sample(1, 300, &mut Seed(0).stream("o")).unwrap();
        let real: Vec<usize> = (0..40).filter(|&c| labels[c] == 1).collect();
        let mut seen = [false; 40];
        for c in 0..300 {
            let from = real.iter().find(|&&r| counts.cell(r) == made.cell(c)).unwrap();
            seen[*from] = true;
        }
        assert_eq!(seen.iter().filter(|s| **s).count(), real.len());
    }
}
