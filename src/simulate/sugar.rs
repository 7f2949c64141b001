//! SUGAR (Lindenbaum, Stanley, Wolf, Krishnaswamy 2018): new cells where real ones are rare, along the
//! geometry of the data.
//!
//! Works on principal components of ln(1 + 20,000-scaled counts). Sparsity of a cell is one over its kernel degree; each
//! cell sends out points from a Gaussian with the covariance of its neighbourhood; the points are pulled onto the data by
//! one step of a measure-based diffusion, and each component is stretched so that its 95th percentile stays.
//!
//! Points become counts by this rule: components times loadings plus the mean of each gene; negative values are zero; back
//! from the logarithm; times a factor of each gene, chosen so that the real cells, sent through the same way, keep the mean
//! of each gene (the mean of a logarithm is not the logarithm of the mean); a library size is drawn from the real cells of
//! the label of the nearest real cell; counts are Poisson with these shares. Components hold means, not the noise of
//! counting, so Poisson noise is what rounding by chance would lack.

mod geometry;

use ndarray::{Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

use crate::data::Counts;
use crate::linalg::{LinalgError, Pca, SparseRows, knn};
use crate::progress::{Progress, Silent};
use crate::rng::{Seed, Stream};
use geometry::Geometry;

/// Sum each cell is scaled to before the logarithm.
const TARGET: f64 = 20_000.0;
/// Points at most, real or new: kernels hold every pair. The reference stops there too.
pub const MOST_POINTS: usize = 10_000;

/// Why SUGAR cannot learn or make cells.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SugarError {
    /// As many labels as cells are needed, each below the number of labels.
    #[error("{labels} labels below {n_labels} for {cells} cells; each cell needs one")]
    Labels {
        /// Labels given.
        labels: usize,
        /// Number of different ones.
        n_labels: usize,
        /// Cells given.
        cells: usize,
    },
    /// Too few cells to have neighbourhoods.
    #[error("{found} cells with counts; SUGAR needs {needed} to know a neighbourhood")]
    TooFew {
        /// Cells with counts.
        found: usize,
        /// Cells needed.
        needed: usize,
    },
    /// More points than kernels over all pairs allow.
    #[error(
        "{found} {what}; SUGAR works with kernels over all pairs and takes at most {MOST_POINTS}: \
         take fewer cells, or another model"
    )]
    TooMany {
        /// Points found or asked for.
        found: usize,
        /// Real cells or new ones.
        what: &'static str,
    },
    /// Principal components or neighbours could not be found.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
}

/// How SUGAR works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SugarSettings {
    /// Principal components; fewer where the data have fewer.
    pub n_pcs: usize,
    /// Cells of a neighbourhood, the cell itself among them; also the neighbour whose distance is the width of a kernel of
    /// the diffusion.
    pub neighbours: usize,
}

impl Default for SugarSettings {
    /// Few components: in many, most of them noise, all distances are alike, the diffusion averages over everything, and
    /// what is left of a component is stretched by a large factor.
    fn default() -> Self {
        Self { n_pcs: 5, neighbours: 5 }
    }
}

/// How many points each real cell sends out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// As many as make all neighbourhoods equally dense.
    Equalise,
    /// So many in all, shared out by sparsity. Shares are rounded down as in the reference; the points that are then
    /// missing go to the largest remainders.
    Total(usize),
}

/// New cells.
#[derive(Debug, Clone)]
pub struct Sugared {
    /// Counts, cells × genes.
    pub counts: Counts,
    /// Label of the nearest real cell of each.
    pub labels: Vec<usize>,
}

/// SUGAR fitted to a data set. Holds components and library sizes, no counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sugar {
    settings: SugarSettings,
    n_genes: usize,
    /// Real cells × components, row after row.
    points: Vec<f32>,
    n_pcs: usize,
    /// Label of each real cell.
    labels: Vec<usize>,
    /// Library sizes of the cells of each label.
    libraries: Vec<Vec<u64>>,
    mean: Vec<f32>,
    /// Components × genes.
    loadings: Vec<f32>,
    /// What each gene is multiplied with on the linear scale.
    gene_factor: Vec<f32>,
}

impl Sugar {
    /// Learns components, neighbourhoods and library sizes. Cells without counts are passed over.
    ///
    /// # Errors
    /// [`SugarError`] for labels that do not fit, too few or more than [`MOST_POINTS`] cells.
    pub fn fit(
        counts: &Counts,
        labels: &[usize],
        n_labels: usize,
        settings: SugarSettings,
        seed: Seed,
    ) -> Result<Self, SugarError> {
        let cells = counts.n_cells();
        if labels.len() != cells || labels.iter().any(|&l| l >= n_labels) {
            return Err(SugarError::Labels { labels: labels.len(), n_labels, cells });
        }
        let full: Vec<usize> = (0..cells).filter(|&c| !counts.cell(c).0.is_empty()).collect();
        let needed = settings.neighbours.max(2) + 1;
        if full.len() < needed {
            return Err(SugarError::TooFew { found: full.len(), needed });
        }
        if full.len() > MOST_POINTS {
            return Err(SugarError::TooMany { found: full.len(), what: "real cells" });
        }
        let counts = counts.cells(&full);
        let labels: Vec<usize> = full.iter().map(|&c| labels[c]).collect();
        let mut libraries = vec![Vec::new(); n_labels];
        counts.totals().into_iter().zip(&labels).for_each(|(t, &l)| libraries[l].push(t));
        let rows = SparseRows::log_normalised(&counts, TARGET);
        let n_pcs = settings.n_pcs.clamp(1, counts.n_genes().min(full.len() - 1));
        let pca = Pca::fit_sparse(&rows, n_pcs, seed)?;
        let points = pca.transform_sparse(&rows)?.mapv(|v| v as f32);
        let mut model = Self {
            settings,
            n_genes: counts.n_genes(),
            n_pcs,
            mean: pca.mean.iter().map(|&v| v as f32).collect(),
            loadings: pca.components.iter().map(|&v| v as f32).collect(),
            gene_factor: vec![1.0; counts.n_genes()],
            labels,
            libraries,
            points: points.iter().copied().collect(),
        };
        model.gene_factor = model.factors(&counts, &points);
        Ok(model)
    }

    /// Mean of each gene in the real cells over its mean in what their components say of them.
    fn factors(&self, counts: &Counts, points: &Array2<f32>) -> Vec<f32> {
        let (mut real, mut told) = (vec![0.0; self.n_genes], vec![0.0; self.n_genes]);
        for (cell, point) in points.rows().into_iter().enumerate() {
            let (genes, values) = counts.cell(cell);
            let total: f64 = values.iter().map(|&v| f64::from(v)).sum();
            genes.iter().zip(values).for_each(|(&g, &v)| real[g as usize] += f64::from(v) / total * TARGET);
            self.rates(point).into_iter().zip(&mut told).for_each(|(r, t)| *t += r);
        }
        real.iter().zip(&told).map(|(r, t)| if *t > 0.0 { (r / t) as f32 } else { 0.0 }).collect()
    }

    /// Expression of each gene at a point, on the linear scale.
    fn rates(&self, point: ArrayView1<'_, f32>) -> Vec<f64> {
        let mut log: Vec<f64> = self.mean.iter().map(|&m| f64::from(m)).collect();
        for (&score, loadings) in point.iter().zip(self.loadings.chunks_exact(self.n_genes.max(1))) {
            log.iter_mut().zip(loadings).for_each(|(x, &l)| *x += f64::from(score) * f64::from(l));
        }
        log.iter().zip(&self.gene_factor).map(|(x, &f)| x.max(0.0).exp_m1() * f64::from(f)).collect()
    }

    /// Genes of the cells it makes.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// New points in the components, points × components, before they become counts.
    ///
    /// # Errors
    /// [`SugarError::TooMany`]; [`SugarError::Linalg`] when `progress` stops.
    pub fn points(
        &self,
        amount: Amount,
        stream: &mut Stream,
        progress: &dyn Progress,
    ) -> Result<Array2<f32>, SugarError> {
        let real = self.real();
        let too_many = |found| Err(SugarError::TooMany { found, what: "new cells asked for" });
        if let Amount::Total(n) = amount
            && n > MOST_POINTS
        {
            return too_many(n);
        }
        let geometry = Geometry::new(real.clone(), self.settings.neighbours)?;
        let numbers = match amount {
            Amount::Total(n) => geometry.shared_out(n),
            Amount::Equalise => geometry.equalising(),
        };
        let n: usize = numbers.iter().sum();
        if n > MOST_POINTS {
            return too_many(n);
        }
        if n == 0 {
            return Ok(Array2::zeros((0, self.n_pcs)));
        }
        let sent = geometry.send(&numbers, stream);
        Ok(geometry.pull(sent, progress)?)
    }

    /// New cells. All randomness comes from `stream`.
    ///
    /// # Errors
    /// [`SugarError::TooMany`]; [`SugarError::Linalg`] when `progress` stops.
    pub fn sample(
        &self,
        amount: Amount,
        stream: &mut Stream,
        progress: &dyn Progress,
    ) -> Result<Sugared, SugarError> {
        let points = self.points(amount, stream, progress)?;
        let nearest = knn::nearest(points.view(), self.real().view(), 1, &Silent)?;
        let labels: Vec<usize> = nearest.indices().iter().map(|&i| self.labels[i as usize]).collect();
        let mut counts = Counts::empty(self.n_genes);
        for (point, &label) in points.rows().into_iter().zip(&labels) {
            let rates = self.rates(point);
            let sum: f64 = rates.iter().sum();
            let library = self.libraries[label][stream.below(self.libraries[label].len())] as f64;
            let scale = if sum > 0.0 { library / sum } else { 0.0 };
            let draw = |r: f64| u32::try_from(stream.poisson(r * scale)).unwrap_or(u32::MAX);
            counts.push((0..).zip(rates.into_iter().map(draw)));
        }
        Ok(Sugared { counts, labels })
    }

    fn real(&self) -> Array2<f32> {
        let rows: Vec<f32> = self.points.clone();
        // Stored points that are no whole rows make no cells.
        Array2::from_shape_vec((self.labels.len(), self.n_pcs), rows)
            .unwrap_or_else(|_| Array2::zeros((0, self.n_pcs)))
            .as_standard_layout()
            .into_owned()
    }
}

/// The 95th percentile of each column.
fn percentiles(x: &Array2<f32>) -> Vec<f64> {
    let each = |c: ArrayView1<'_, f32>| {
        let mut sorted: Vec<f64> = c.iter().map(|&v| f64::from(v)).collect();
        sorted.sort_by(f64::total_cmp);
        let at = 0.95 * sorted.len().saturating_sub(1) as f64;
        let (low, high) = (at as usize, (at as usize + 1).min(sorted.len().saturating_sub(1)));
        sorted.get(low).map_or(0.0, |v| v + at.fract() * (sorted[high] - v))
    };
    x.axis_iter(Axis(1)).map(each).collect()
}

#[cfg(test)]
mod tests;
