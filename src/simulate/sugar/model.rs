//! What SUGAR has learnt, and the cells it makes.

use ndarray::{Array2, ArrayView1, Axis};
use serde::{Deserialize, Serialize};

use super::geometry::Geometry;
use super::{Amount, SugarError, SugarSettings};
use crate::data::Counts;
use crate::linalg::{Pca, SparseRows, knn};
use crate::progress::{Progress, Silent};
use crate::rng::{Seed, Stream};

/// Sum each cell is scaled to before the logarithm.
const TARGET: f64 = 20_000.0;

/// Points at most, real or new: kernels hold every pair. The reference stops there too.
pub const MOST_POINTS: usize = 10_000;

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
pub(super) fn percentiles(x: &Array2<f32>) -> Vec<f64> {
    let each = |c: ArrayView1<'_, f32>| {
        let mut sorted: Vec<f64> = c.iter().map(|&v| f64::from(v)).collect();
        sorted.sort_by(f64::total_cmp);
        let at = 0.95 * sorted.len().saturating_sub(1) as f64;
        let (low, high) = (at as usize, (at as usize + 1).min(sorted.len().saturating_sub(1)));
        sorted.get(low).map_or(0.0, |v| v + at.fract() * (sorted[high] - v))
    };
    x.axis_iter(Axis(1)).map(each).collect()
}
