//! The geometry of points: how dense they lie, which way their neighbourhoods stretch, and how new ones are pulled onto
//! them. Kernels over all pairs are summed row by row and never kept.

use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;

use super::percentiles;
use crate::linalg::{LinalgError, cholesky, knn};
use crate::progress::{Progress, Silent};
use crate::rng::{Seed, Stream};

/// Kernel values below count as none in the degree.
const LEAST: f64 = 1e-3;
/// The least width of a kernel: points that lie on each other have one too.
const LEAST_WIDTH: f64 = 1e-12;

/// Points with their density.
pub(super) struct Geometry {
    points: Array2<f32>,
    /// Width of the kernel of the degree.
    width: f64,
    /// Kernel degree of each point.
    pub(super) degree: Vec<f64>,
    /// Neighbourhood of each point, itself first; points × k.
    around: Vec<u32>,
    k: usize,
}

fn squared(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f64 {
    a.iter().zip(b).map(|(x, y)| f64::from(x - y).powi(2)).sum()
}

impl Geometry {
    /// The width of the kernel is the standard deviation over points of the mean distance to all points.
    pub(super) fn new(points: Array2<f32>, k: usize) -> Result<Self, LinalgError> {
        let n = points.nrows();
        let k = k.clamp(2, n.saturating_sub(1).max(2));
        let rows = || (0..n).into_par_iter();
        let to_all = |i: usize| {
            let own = points.row(i);
            points.axis_iter(Axis(0)).map(move |r| squared(own, r))
        };
        let means: Vec<f64> = rows().map(|i| to_all(i).map(f64::sqrt).sum::<f64>() / n as f64).collect();
        let centre = means.iter().sum::<f64>() / n as f64;
        let spread: f64 = means.iter().map(|m| (m - centre).powi(2)).sum();
        let width = (spread / (n as f64 - 1.0)).sqrt().max(LEAST_WIDTH);
        let kernel = |square: f64| Some((-square / (width * width)).exp()).filter(|v| *v >= LEAST);
        let degree = rows().map(|i| to_all(i).filter_map(kernel).sum()).collect();
        let others = knn::neighbours(points.view(), k - 1, knn::Search::Exact, Seed(0), &Silent)?;
        let around = (0..n).flat_map(|i| std::iter::once(i as u32).chain(others.row(i).0.to_vec())).collect();
        Ok(Self { points, width, degree, around, k })
    }

    fn neighbourhood(&self, i: usize) -> &[u32] {
        &self.around[i * self.k..(i + 1) * self.k]
    }

    /// Columns of the root of the covariance around a point, k × components: deviations over √(k − 1).
    fn root(&self, i: usize) -> Array2<f64> {
        let rows: Vec<usize> = self.neighbourhood(i).iter().map(|&j| j as usize).collect();
        let own = self.points.select(Axis(0), &rows).mapv(f64::from);
        let mean = own.sum_axis(Axis(0)) / self.k as f64;
        (own - mean) / ((self.k - 1) as f64).sqrt()
    }

    /// How far each point is from the densest.
    fn sparsity(&self) -> Vec<f64> {
        let most = self.degree.iter().copied().fold(0.0, f64::max);
        self.degree.iter().map(|d| most - d).collect()
    }

    /// Points to send so that all neighbourhoods become equally dense: sparsity × √det(I + Σ / 2σ²), rounded down.
    pub(super) fn equalising(&self) -> Vec<usize> {
        let volume = |i: usize| {
            let root = self.root(i);
            // det(I + AᵀA) = det(I + AAᵀ), which is k × k; the root of a determinant is the product of Cholesky's diagonal.
            let small = root.dot(&root.t()) / (2.0 * self.width * self.width) + Array2::<f64>::eye(self.k);
            cholesky(&small).map_or(1.0, |r| r.diag().product())
        };
        self.sparsity().iter().enumerate().map(|(i, s)| (s * volume(i)).floor() as usize).collect()
    }

    /// So many points in all, by sparsity; evenly where all are equally dense.
    pub(super) fn shared_out(&self, n: usize) -> Vec<usize> {
        let mut shares = self.sparsity();
        let mut sum: f64 = shares.iter().sum();
        if sum <= 0.0 {
            shares.fill(1.0);
            sum = shares.len() as f64;
        }
        let exact: Vec<f64> = shares.iter().map(|s| s / sum * n as f64).collect();
        let mut out: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
        let mut order: Vec<usize> = (0..exact.len()).collect();
        order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
        let missing = n.saturating_sub(out.iter().sum());
        order.into_iter().take(missing).for_each(|i| out[i] += 1);
        out
    }

    /// Draws that many points around each point, from a Gaussian with the covariance of its neighbourhood.
    pub(super) fn send(&self, numbers: &[usize], stream: &mut Stream) -> Array2<f32> {
        let mut out = Array2::zeros((numbers.iter().sum(), self.points.ncols()));
        let mut rows = out.rows_mut().into_iter();
        for (i, &number) in numbers.iter().enumerate().filter(|(_, n)| **n > 0) {
            let root = self.root(i);
            for mut to in rows.by_ref().take(number) {
                let mut at = self.points.row(i).mapv(f64::from);
                root.rows().into_iter().for_each(|r| at.scaled_add(stream.normal(), &r));
                to.assign(&at.mapv(|v| v as f32));
            }
        }
        out
    }

    /// One step of the diffusion from new points over real ones and back, weighted by sparsity: with K from new to old,
    /// S = 1 / degree and L from old to new, M = K S L is made symmetric, its rows scaled to one, and applied to the points.
    /// Then each component is stretched so that its 95th percentile is what it was.
    pub(super) fn pull(&self, new: Array2<f32>, progress: &dyn Progress) -> Result<Array2<f32>, LinalgError> {
        let old = &self.points;
        let from_new = widths(&new, old, self.k)?;
        let from_old = widths(old, &new, self.k)?;
        let columns = new.ncols();
        // The last column counts, so that it becomes the row sums.
        let mut values = Array2::ones((new.nrows(), columns + 1));
        values.slice_mut(ndarray::s![.., ..columns]).assign(&new.mapv(f64::from));
        let weigh = |mut x: Array2<f64>| {
            x.rows_mut().into_iter().zip(&self.degree).for_each(|(mut r, d)| r /= *d);
            x
        };
        progress.start("diffusion", 4);
        let step = |done: u64, x: Array2<f64>| {
            progress.advance(done, "");
            if progress.cancelled() { Err(LinalgError::Cancelled) } else { Ok(x) }
        };
        // L · V and Kᵀ · V over old points, then K and Lᵀ back to new ones.
        let out_of_old = weigh(step(1, summed(old, &new, |j, _| from_old[j], &values))?);
        let out_of_new = weigh(step(2, summed(old, &new, |_, i| from_new[i], &values))?);
        let forth = step(3, summed(&new, old, |i, _| from_new[i], &out_of_old))?;
        let back = step(4, summed(&new, old, |_, j| from_old[j], &out_of_new))?;
        progress.finish();
        let sums = forth + back;
        let mut out = new.clone();
        for ((mut to, sum), own) in out.rows_mut().into_iter().zip(sums.rows()).zip(new.rows()) {
            let weight = sum[columns];
            for d in 0..columns {
                // A point no real one reaches stays where it is.
                to[d] = if weight > 0.0 { (sum[d] / weight) as f32 } else { own[d] };
            }
        }
        let stretches = percentiles(&new).into_iter().zip(percentiles(&out));
        let stretches: Vec<(f64, f64)> = stretches.collect();
        for (mut column, (before, after)) in out.axis_iter_mut(Axis(1)).zip(stretches) {
            let ratio = before / after;
            // Percentiles on two sides of zero have no ratio to stretch by.
            if ratio.is_finite() && ratio > 0.0 {
                column.mapv_inplace(|v| (f64::from(v) * ratio) as f32);
            }
        }
        Ok(out)
    }
}

/// Distance of each point to its `k`-th nearest of `others`.
fn widths(points: &Array2<f32>, others: &Array2<f32>, k: usize) -> Result<Vec<f64>, LinalgError> {
    let k = k.min(others.nrows());
    let found = knn::nearest(points.view(), others.view(), k, &Silent)?;
    let last = |r: &[f32]| r.last().map_or(LEAST_WIDTH, |&d| f64::from(d).max(LEAST_WIDTH));
    Ok(found.distances().chunks_exact(k).map(last).collect())
}

/// For each row of `to`: the sum over rows of `from` of exp(−(distance / width)²) times their values. The width belongs to
/// the row of `to`, or to that of `from`.
fn summed(
    to: &Array2<f32>,
    from: &Array2<f32>,
    width: impl Fn(usize, usize) -> f64 + Sync,
    values: &Array2<f64>,
) -> Array2<f64> {
    let mut out = Array2::zeros((to.nrows(), values.ncols()));
    out.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(i, mut sum)| {
        for (j, point) in from.rows().into_iter().enumerate() {
            let weight = (-squared(to.row(i), point) / width(i, j).powi(2)).exp();
            if weight > 0.0 {
                sum.scaled_add(weight, &values.row(j));
            }
        }
    });
    out
}
