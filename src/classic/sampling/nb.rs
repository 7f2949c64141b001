//! Independent negative binomial counts, one law for each gene, by moments of size-corrected counts.

use serde::{Deserialize, Serialize};

use super::{CountSampler, SampleError, cells_by_label, of_label};
use crate::data::Counts;
use crate::rng::Stream;

/// The least inverse dispersion, and the least variance beyond Poisson's: guards against division by zero.
const LEAST_THETA: f64 = 1e-3;
const LEAST_EXCESS: f64 = 1e-8;

/// The laws of the genes that are above zero in some cell. Mean and variance of counts divided by their cell's size
/// factor (library size over the mean library size of all cells, whatever their label); θ = mean² / (variance − mean).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marginals {
    /// Genes, increasing.
    pub genes: Vec<u32>,
    /// Mean of each, for a size factor of one.
    pub mean: Vec<f64>,
    /// Inverse dispersion of each.
    pub theta: Vec<f64>,
}

impl Marginals {
    /// By moments over these cells; those without any count say nothing about shares and are passed over.
    pub(super) fn fit(counts: &Counts, cells: &[usize], sizes: &[f64]) -> Self {
        let n_genes = counts.n_genes();
        let full: Vec<usize> = cells.iter().copied().filter(|&c| sizes[c] > 0.0).collect();
        let n = full.len() as f64;
        let (mut mean, mut seen) = (vec![0.0; n_genes], vec![0.0; n_genes]);
        for &cell in &full {
            let (genes, values) = counts.cell(cell);
            for (&g, &v) in genes.iter().zip(values) {
                mean[g as usize] += f64::from(v) / sizes[cell] / n;
                seen[g as usize] += 1.0;
            }
        }
        let mut spread: Vec<f64> = mean.iter().zip(&seen).map(|(m, s)| (n - s) * m * m).collect();
        for &cell in &full {
            let (genes, values) = counts.cell(cell);
            for (&g, &v) in genes.iter().zip(values) {
                spread[g as usize] += (f64::from(v) / sizes[cell] - mean[g as usize]).powi(2);
            }
        }
        let genes: Vec<u32> = (0..n_genes as u32).filter(|&g| mean[g as usize] > 0.0).collect();
        let theta = |g: u32| {
            let (m, v) = (mean[g as usize], spread[g as usize] / n);
            (m * m / (v - m).max(LEAST_EXCESS)).max(LEAST_THETA)
        };
        Self {
            mean: genes.iter().map(|&g| mean[g as usize]).collect(),
            theta: genes.iter().map(|&g| theta(g)).collect(),
            genes,
        }
    }
}

/// Size factor of each cell: library size over the mean library size.
pub(super) fn size_factors(counts: &Counts) -> Vec<f64> {
    let totals = counts.totals();
    let mean = totals.iter().map(|&t| t as f64).sum::<f64>() / totals.len().max(1) as f64;
    totals.iter().map(|&t| if t > 0 { t as f64 / mean } else { 0.0 }).collect()
}

/// Size factors of the cells with counts, label by label.
pub(super) fn sizes_by_label(cells: &[Vec<usize>], sizes: &[f64]) -> Vec<Vec<f64>> {
    cells.iter().map(|of| of.iter().map(|&c| sizes[c]).filter(|&s| s > 0.0).collect()).collect()
}

/// Independent genes. A cell draws a library size of its label and each gene from its own law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeBinomial {
    n_genes: usize,
    /// One for each label, or one for all.
    laws: Vec<Marginals>,
    /// Size factors of the cells of each label.
    sizes: Vec<Vec<f64>>,
}

impl NegativeBinomial {
    /// One law for each gene and label, or for each gene alone when `pooled`.
    ///
    /// # Errors
    /// [`SampleError`] when labels do not fit the cells.
    pub fn fit(
        counts: &Counts,
        labels: &[usize],
        n_labels: usize,
        pooled: bool,
    ) -> Result<Self, SampleError> {
        let cells = cells_by_label(counts, labels, n_labels)?;
        let sizes = size_factors(counts);
        let all: Vec<usize> = (0..counts.n_cells()).collect();
        let laws = if pooled {
            vec![Marginals::fit(counts, &all, &sizes)]
        } else {
            cells.iter().map(|of| Marginals::fit(counts, of, &sizes)).collect()
        };
        Ok(Self { n_genes: counts.n_genes(), laws, sizes: sizes_by_label(&cells, &sizes) })
    }
}

impl CountSampler for NegativeBinomial {
    fn n_genes(&self) -> usize {
        self.n_genes
    }

    fn n_labels(&self) -> usize {
        self.sizes.len()
    }

    fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SampleError> {
        let sizes = of_label(&self.sizes, label)?;
        if sizes.is_empty() {
            return Err(SampleError::TooFew { label, found: 0, needed: 1 });
        }
        let law = of_label(&self.laws, if self.laws.len() == 1 { 0 } else { label })?;
        let mut out = Counts::empty(self.n_genes);
        for _ in 0..n {
            let size = sizes[stream.below(sizes.len())];
            let laws = law.genes.iter().zip(law.mean.iter().zip(&law.theta));
            out.push(laws.map(|(&g, (&m, &t))| (g, stream.negative_binomial(m * size, t) as u32)));
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::toy;
    use super::*;
    use crate::rng::Seed;

    /// numpy: s = C.sum(1) / C.sum(1).mean(); Z = C / s[:, None]; m = Z.mean(0); v = Z.var(0);
    /// m ** 2 / np.maximum(v - m, 1e-8) for C = [[4, 0, 1], [1, 2, 2], [0, 9, 1]]
    #[test]
    fn moments_equal_numpy() {
        let mut c = Counts::empty(3);
        c.push([(0, 4), (2, 1)]);
        c.push([(0, 1), (1, 2), (2, 2)]);
        c.push([(1, 9), (2, 1)]);
        let sizes = size_factors(&c);
        let m = Marginals::fit(&c, &[0, 1, 2], &sizes);
        let expected = [
            (2.222222222222222, 1.6949152542372876),
            (2.888888888888889, 2.6614173228346445),
            (1.5555555555555556, 241975308.6419753),
        ];
        for (i, (mean, theta)) in expected.into_iter().enumerate() {
            assert!((m.mean[i] / mean - 1.0).abs() < 1e-12, "{} {mean}", m.mean[i]);
            assert!((m.theta[i] / theta - 1.0).abs() < 1e-9, "{} {theta}", m.theta[i]);
        }
    }

    #[test]
    fn cells_have_the_mean_of_their_label_and_pooled_ones_that_of_all() {
        let (counts, labels) = toy(2000);
        let mean = |c: &Counts, cells: &[usize], gene: u32| {
            let sum: u32 = cells
                .iter()
                .map(|&i| {
                    let (g, v) = c.cell(i);
                    g.iter().position(|&x| x == gene).map_or(0, |at| v[at])
                })
                .sum();
            f64::from(sum) / cells.len() as f64
        };
        let of = |l: usize| (0..2000).filter(|&c| labels[c] == l).collect::<Vec<_>>();
        let all: Vec<usize> = (0..2000).collect();
        for pooled in [false, true] {
            let law = NegativeBinomial::fit(&counts, &labels, 2, pooled).unwrap();
            let made = law.sample(0, 2000, &mut Seed(3).stream("nb")).unwrap();
            let real = if pooled { all.clone() } else { of(0) };
            for gene in [0, 12, 29] {
                // Sizes of label 0 beside those of all: pooled means follow the size of the label.
                let sizes = size_factors(&counts);
                let size =
                    |cells: &[usize]| cells.iter().map(|&c| sizes[c]).sum::<f64>() / cells.len() as f64;
                let expected = mean(&counts, &real, gene) / size(&real) * size(&of(0));
                let found = mean(&made, &all, gene);
                assert!((found / expected - 1.0).abs() < 0.15, "{pooled} {gene}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_gene_no_cell_of_the_label_has_stays_zero_and_empty_cells_are_passed_over() {
        let mut c = Counts::empty(2);
        c.push([(0, 5)]);
        c.push([]);
        c.push([(0, 3), (1, 1)]);
        let law = NegativeBinomial::fit(&c, &[0, 0, 1], 2, false).unwrap();
        let made = law.sample(0, 50, &mut Seed(0).stream("z")).unwrap();
        assert_eq!(made.cells_of_gene()[1], 0);
        assert!(made.totals().iter().sum::<u64>() > 150);
    }
}
