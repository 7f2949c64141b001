//! Splat as a generator of cells like those of a data set: one set of parameters for each label.
//!
//! Splat draws gene means from a law and so knows no gene by name. Here the means drawn for a label are given to its genes
//! in the order of their real means: the gene with the largest mean gets the largest one drawn. Genes that at most one
//! cell of the label has stay zero.

use serde::{Deserialize, Serialize};

use super::estimate::{Genes, estimate_from};
use super::run::{CellLaw, genes, libraries, shares};
use super::{SplatError, SplatParams};
use crate::data::Counts;
use crate::rng::{Seed, Stream};

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    params: SplatParams,
    /// Genes that can be above zero, increasing.
    genes: Vec<u32>,
    /// Share of each in the counts of a cell.
    shares: Vec<f64>,
    bcv_factor: Vec<f64>,
}

/// Splat fitted to each label of a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplatModel {
    n_genes: usize,
    proportions: Vec<f64>,
    /// What could not be fitted holds why.
    kinds: Vec<Result<Kind, String>>,
}

impl SplatModel {
    /// Estimates each label on its own and draws the truth about its genes.
    ///
    /// # Errors
    /// [`SplatError::Input`] when labels do not fit the cells. A label with too few cells is an error only when cells of
    /// it are asked for.
    pub fn fit(counts: &Counts, labels: &[usize], n_labels: usize, seed: Seed) -> Result<Self, SplatError> {
        if labels.len() != counts.n_cells() || labels.iter().any(|&l| l >= n_labels) {
            let what = format!(
                "{} labels below {n_labels} for {} cells; each cell needs one",
                labels.len(),
                counts.n_cells()
            );
            return Err(SplatError::Input { what });
        }
        let mut kinds = Vec::with_capacity(n_labels);
        let mut proportions = Vec::with_capacity(n_labels);
        for label in 0..n_labels {
            let cells: Vec<usize> = (0..labels.len()).filter(|&c| labels[c] == label).collect();
            proportions.push(cells.len() as f64 / labels.len().max(1) as f64);
            // A seed of its own, so that labels do not share their truth.
            let seed = Seed(seed.stream(&format!("splat/label/{label}")).below(usize::MAX) as u64);
            kinds.push(Kind::fit(&counts.cells(&cells), seed).map_err(|e| e.to_string()));
        }
        Ok(Self { n_genes: counts.n_genes(), proportions, kinds })
    }

    /// Genes of the cells it makes.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// Share of each label in the data it was fitted on.
    pub fn proportions(&self) -> &[f64] {
        &self.proportions
    }

    /// Parameters of a label, where it could be fitted.
    pub fn params(&self, label: usize) -> Option<&SplatParams> {
        Some(&self.kinds.get(label)?.as_ref().ok()?.params)
    }

    /// `n` cells of a label, n × genes.
    ///
    /// # Errors
    /// [`SplatError::Label`] when there is no such label or it had too few cells.
    pub fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SplatError> {
        let refuse = |what: String| SplatError::Label { label, what };
        let kind = self
            .kinds
            .get(label)
            .ok_or_else(|| refuse(format!("there are {} labels, numbered from 0", self.kinds.len())))?;
        let kind = kind.as_ref().map_err(|what| refuse(what.clone()))?;
        let law = CellLaw { shares: &kind.shares, bcv_factor: &kind.bcv_factor, params: &kind.params };
        let mut out = Counts::empty(self.n_genes);
        for library in libraries(kind.params.library, n, stream) {
            out.push(kind.genes.iter().copied().zip(law.draw(library, stream)));
        }
        Ok(out)
    }
}

impl Kind {
    fn fit(counts: &Counts, seed: Seed) -> Result<Self, SplatError> {
        let known = Genes::new(counts)?;
        let params = estimate_from(&known, counts.n_cells(), known.genes.len(), seed)?;
        let truth = genes(&params, seed);
        let order = |values: &[f64]| {
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
            order
        };
        let (mut mean, mut bcv_factor) = (vec![0.0; known.genes.len()], vec![1.0; known.genes.len()]);
        for (to, from) in order(&known.means).into_iter().zip(order(&truth.mean)) {
            mean[to] = truth.mean[from];
            bcv_factor[to] = truth.bcv_factor[from];
        }
        let shares = shares(&mean, &vec![1.0; mean.len()]);
        Ok(Self { params, genes: known.genes, shares, bcv_factor })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Group, LibraryLaw, simulate};
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn cells_of_a_label_have_its_strong_genes_and_its_library() {
        let de = super::super::DeLaw { probability: 0.4, scale: 1.0, ..Default::default() };
        let params = SplatParams {
            n_cells: 300,
            n_genes: 500,
            library: LibraryLaw::LogNormal { location: 8.0, scale: 0.3 },
            groups: ["A", "B"].map(|n| Group { name: n.into(), proportion: 1.0, de }).to_vec(),
            ..SplatParams::default()
        };
        let real = simulate(&params, Seed(1), u64::MAX, &Silent).unwrap();
        let model = SplatModel::fit(&real.counts, &real.groups, 3, Seed(2)).unwrap();
        assert!((model.proportions().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let text = serde_json::to_string(&model).unwrap();
        let model: SplatModel = serde_json::from_str(&text).unwrap();
        let profile = |c: &Counts| {
            let mut sums = vec![0.0f64; 500];
            for i in 0..c.n_cells() {
                let (g, v) = c.cell(i);
                g.iter().zip(v).for_each(|(&g, &v)| sums[g as usize] += f64::from(v));
            }
            let total: f64 = sums.iter().sum();
            sums.iter().map(|s| (s / total * 1e4).ln_1p()).collect::<Vec<_>>()
        };
        let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
        let of = |g: usize| real.counts.cells(&(0..300).filter(|&c| real.groups[c] == g).collect::<Vec<_>>());
        let (a, b) = (profile(&of(0)), profile(&of(1)));
        let made = model.sample(1, 200, &mut Seed(3).stream("m")).unwrap();
        let p = profile(&made);
        assert!(2.0 * distance(&p, &b) < distance(&p, &a), "{} {}", distance(&p, &b), distance(&p, &a));
        let mean = |c: &Counts| c.totals().iter().sum::<u64>() as f64 / c.n_cells() as f64;
        assert!((mean(&made) / mean(&of(1)) - 1.0).abs() < 0.12);
        assert!(matches!(
            model.sample(2, 1, &mut Seed(0).stream("x")),
            Err(SplatError::Label { label: 2, .. })
        ));
        assert!(model.sample(7, 1, &mut Seed(0).stream("x")).is_err());
    }
}
