//! SMOTE (Chawla et al. 2002) for counts: a new cell lies between a cell and one of its nearest neighbours of the same
//! label.
//!
//! Neighbours are searched on principal components of ln(1 + 20,000-scaled counts), fitted to all labels together.
//! The two cells are interpolated on that log scale; the result is taken back to the linear scale, scaled to the
//! library size interpolated on the log scale too, and rounded up or down by chance so that the expectation stays.
//! Cells with many counts are neighbours of many others, so new cells tend to be larger than real ones.

use ndarray::Axis;
use serde::{Deserialize, Serialize};

use super::{CountSampler, SampleError, cells_by_label, of_label};
use crate::data::Counts;
use crate::linalg::knn::{Search, neighbours};
use crate::linalg::{Pca, SparseRows};
use crate::progress::Silent;
use crate::rng::{Seed, Stream};

/// Sum each cell is scaled to before the logarithm.
const TARGET: f64 = 20_000.0;

/// How neighbours are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmoteSettings {
    /// Nearest neighbours to choose from; fewer where a label has fewer cells.
    pub k: usize,
    /// Principal components to search on; fewer where the data have fewer.
    pub n_pcs: usize,
}

impl Default for SmoteSettings {
    /// Chawla's 5 neighbours, on 30 components.
    fn default() -> Self {
        Self { k: 5, n_pcs: 30 }
    }
}

/// The cells of one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    counts: Counts,
    /// Neighbours of each cell by their place in `counts`, cells × k.
    neighbours: Vec<u32>,
    k: usize,
}

/// Between neighbours of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smote {
    n_genes: usize,
    settings: SmoteSettings,
    groups: Vec<Group>,
}

impl Smote {
    /// Keeps the cells with counts and finds their neighbours.
    ///
    /// # Errors
    /// [`SampleError`] when labels do not fit the cells.
    pub fn fit(
        counts: &Counts,
        labels: &[usize],
        n_labels: usize,
        settings: SmoteSettings,
        seed: Seed,
    ) -> Result<Self, SampleError> {
        let mut cells = cells_by_label(counts, labels, n_labels)?;
        for of in &mut cells {
            of.retain(|&c| !counts.cell(c).0.is_empty());
        }
        let k_pcs = settings.n_pcs.min(counts.n_genes()).min(counts.n_cells().saturating_sub(1));
        let points = if k_pcs == 0 {
            None
        } else {
            let rows = SparseRows::log_normalised(counts, TARGET);
            let pca = Pca::fit_sparse(&rows, k_pcs, seed)?;
            Some(pca.transform_sparse(&rows)?.mapv(|v| v as f32))
        };
        let groups = cells
            .iter()
            .map(|of| {
                let k = settings.k.min(of.len().saturating_sub(1));
                let found = match &points {
                    Some(points) if k > 0 => {
                        let own = points.select(Axis(0), of);
                        neighbours(own.view(), k, Search::Auto, seed, &Silent)?.indices().to_vec()
                    }
                    _ => Vec::new(),
                };
                Ok(Group { counts: counts.cells(of), neighbours: found, k })
            })
            .collect::<Result<_, SampleError>>()?;
        Ok(Self { n_genes: counts.n_genes(), settings, groups })
    }
}

impl CountSampler for Smote {
    fn n_genes(&self) -> usize {
        self.n_genes
    }

    fn n_labels(&self) -> usize {
        self.groups.len()
    }

    fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SampleError> {
        let group = of_label(&self.groups, label)?;
        let found = group.counts.n_cells();
        if found < 2 || group.k == 0 {
            return Err(SampleError::TooFew { label, found, needed: 2 });
        }
        let mut out = Counts::empty(self.n_genes);
        for _ in 0..n {
            let from = stream.below(found);
            let to = group.neighbours[from * group.k + stream.below(group.k)] as usize;
            out.push(between(&group.counts, from, to, stream));
        }
        Ok(out)
    }
}

/// A cell at a random place between two.
fn between(counts: &Counts, from: usize, to: usize, stream: &mut Stream) -> Vec<(u32, u32)> {
    let share = stream.uniform();
    let total = |c: usize| counts.cell(c).1.iter().map(|&v| f64::from(v)).sum::<f64>();
    let (a, b) = (total(from), total(to));
    let size = ((1.0 - share) * a.ln() + share * b.ln()).exp();
    let mixed = mixed(counts, (from, a), (to, b), share);
    let sum: f64 = mixed.iter().map(|m| m.1).sum();
    mixed
        .into_iter()
        .map(|(gene, rate)| {
            let expected = rate * size / sum;
            let up = stream.uniform() < expected.fract();
            (gene, expected as u32 + u32::from(up))
        })
        .collect()
}

/// Scaled counts of a mix on the log scale, over the genes that either cell has. Cells come with their totals.
fn mixed(counts: &Counts, from: (usize, f64), to: (usize, f64), share: f64) -> Vec<(u32, f64)> {
    let ((a_genes, a_values), (b_genes, b_values)) = (counts.cell(from.0), counts.cell(to.0));
    let a_log = |i: usize| (1.0 - share) * (f64::from(a_values[i]) / from.1 * TARGET).ln_1p();
    let b_log = |j: usize| share * (f64::from(b_values[j]) / to.1 * TARGET).ln_1p();
    let mut out = Vec::with_capacity(a_genes.len() + b_genes.len());
    let (mut i, mut j) = (0, 0);
    while i < a_genes.len() || j < b_genes.len() {
        let (a, b) =
            (a_genes.get(i).copied().unwrap_or(u32::MAX), b_genes.get(j).copied().unwrap_or(u32::MAX));
        let gene = a.min(b);
        let mut log = 0.0;
        if a == gene {
            log += a_log(i);
            i += 1;
        }
        if b == gene {
            log += b_log(j);
            j += 1;
        }
        out.push((gene, log.exp_m1()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::toy;
    use super::*;

    #[test]
    fn the_ends_of_the_line_are_the_cells_themselves() {
        let mut c = Counts::empty(5);
        c.push([(0, 3), (2, 1), (4, 6)]);
        c.push([(1, 2), (2, 2)]);
        for (share, cell, total) in [(0.0, 0, 10.0), (1.0, 1, 4.0)] {
            let m = mixed(&c, (0, 10.0), (1, 4.0), share);
            assert_eq!(m.iter().map(|x| x.0).collect::<Vec<_>>(), [0, 1, 2, 4]);
            let (genes, values) = c.cell(cell);
            for (gene, rate) in m {
                let real = genes.iter().position(|&g| g == gene).map_or(0, |i| values[i]);
                assert!((rate - f64::from(real) / total * TARGET).abs() < 1e-6, "{gene} {rate}");
            }
        }
    }

    #[test]
    fn neighbours_have_the_same_label_and_library_sizes_lie_between() {
        let (counts, labels) = toy(200);
        let model = Smote::fit(&counts, &labels, 2, SmoteSettings::default(), Seed(0)).unwrap();
        let made = model.sample(0, 400, &mut Seed(1).stream("s")).unwrap();
        let real: Vec<u64> =
            counts.totals().into_iter().zip(&labels).filter(|(_, l)| **l == 0).map(|(t, _)| t).collect();
        let (low, high) = (real.iter().min().unwrap(), real.iter().max().unwrap());
        // Rounding by chance moves a sum by less than the square root of the number of genes, nearly always.
        assert!(made.totals().iter().all(|t| t + 12 >= *low && *t <= high + 12));
    }

    /// A neighbour at the same place changes nothing; a mix has the geometric mean of the library sizes.
    #[test]
    fn a_cell_and_its_copy_give_the_cell() {
        let mut c = Counts::empty(5);
        c.push([(0, 3), (2, 1), (4, 60)]);
        c.push([(0, 30), (2, 10), (4, 600)]);
        let mut s = Seed(2).stream("copy");
        for _ in 0..20 {
            assert_eq!(between(&c, 0, 0, &mut s), [(0, 3), (2, 1), (4, 60)]);
        }
        let sums: Vec<f64> =
            (0..4000).map(|_| between(&c, 0, 1, &mut s).iter().map(|m| f64::from(m.1)).sum()).collect();
        let mean = sums.iter().sum::<f64>() / 4000.0;
        // The mean of 64 · 10^u over u from 0 to 1.
        let expected = 64.0 * 9.0 / 10f64.ln();
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean} {expected}");
    }

    #[test]
    fn one_cell_of_a_label_has_no_neighbour() {
        let (counts, mut labels) = toy(40);
        labels.iter_mut().for_each(|l| *l = 0);
        labels[7] = 1;
        let model = Smote::fit(&counts, &labels, 2, SmoteSettings::default(), Seed(0)).unwrap();
        let e = model.sample(1, 1, &mut Seed(0).stream("x")).unwrap_err();
        assert!(matches!(e, SampleError::TooFew { label: 1, found: 1, needed: 2 }), "{e}");
        assert_eq!(model.sample(0, 5, &mut Seed(0).stream("x")).unwrap().n_cells(), 5);
    }
}
