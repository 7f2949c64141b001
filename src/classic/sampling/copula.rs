//! Correlated negative binomial counts: a Gaussian copula over the strongest genes of each label.
//!
//! Each count becomes a normal score through its own law, spread over the step that its probability makes
//! (distributional transform), given the library size of its cell. The correlation of the scores is shrunk towards
//! independence by the share of Ledoit and Wolf (2004). With more genes than cells it is never written out:
//! scores are drawn as weighted sums of those seen, plus noise. Genes beyond the limit are independent.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::law::{Law, normal_cdf, normal_quantile};
use super::nb::{Marginals, size_factors, sizes_by_label};
use super::{CountSampler, SampleError, cells_by_label, of_label};
use crate::data::Counts;
use crate::linalg::{Covariance, LinalgError, cholesky};
use crate::rng::{Seed, Stream};

/// Added to the diagonal of a correlation before its root is taken, against rounding.
const RIDGE: f64 = 1e-9;

/// How much a copula holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopulaSettings {
    /// Genes of each label that are correlated: those with the largest means. At most 5,000.
    pub max_genes: usize,
    /// Cells of each label that correlations are learnt from, drawn by chance when there are more.
    pub max_cells: usize,
}

impl Default for CopulaSettings {
    /// 1,000 genes and 5,000 cells: one score matrix takes 20 MB, one stored label at most 4 MB.
    fn default() -> Self {
        Self { max_genes: 1000, max_cells: 5000 }
    }
}

/// What genes of one label do together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Joint {
    /// Places in the marginals, increasing.
    at: Vec<usize>,
    /// F with Fᵀ F = correlation of the scores, rows × joint genes.
    factor: Vec<f32>,
    /// Rows of F.
    rows: usize,
    /// Weight of independence.
    shrinkage: f64,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    law: Marginals,
    sizes: Vec<f64>,
    joint: Option<Joint>,
}

/// Correlated genes for each label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copula {
    n_genes: usize,
    settings: CopulaSettings,
    groups: Vec<Group>,
}

impl Copula {
    /// Laws and correlations of each label.
    ///
    /// # Errors
    /// [`SampleError`] when labels do not fit the cells or more than 5,000 genes are to be correlated.
    pub fn fit(
        counts: &Counts,
        labels: &[usize],
        n_labels: usize,
        settings: CopulaSettings,
        seed: Seed,
    ) -> Result<Self, SampleError> {
        let cells = cells_by_label(counts, labels, n_labels)?;
        let factors = size_factors(counts);
        let all_sizes = sizes_by_label(&cells, &factors);
        let groups = cells
            .par_iter()
            .zip(all_sizes)
            .enumerate()
            .map(|(label, (of, sizes))| {
                let law = Marginals::fit(counts, of, &factors);
                let mut stream = seed.stream(&format!("nb-copula/{label}"));
                let full: Vec<usize> = of.iter().copied().filter(|&c| factors[c] > 0.0).collect();
                let chosen = stream.sample(full.len(), settings.max_cells);
                let used: Vec<usize> = chosen.into_iter().map(|i| full[i]).collect();
                let joint = Joint::fit(counts, &used, &factors, &law, settings.max_genes, &mut stream)?;
                Ok(Group { law, sizes, joint })
            })
            .collect::<Result<Vec<_>, LinalgError>>()?;
        Ok(Self { n_genes: counts.n_genes(), settings, groups })
    }

    /// Weight of independence in the correlation of a label, 0 to 1; `None` where nothing is correlated.
    pub fn shrinkage(&self, label: usize) -> Option<f64> {
        Some(self.groups.get(label)?.joint.as_ref()?.shrinkage)
    }
}

impl Joint {
    fn fit(
        counts: &Counts,
        cells: &[usize],
        factors: &[f64],
        law: &Marginals,
        max_genes: usize,
        stream: &mut Stream,
    ) -> Result<Option<Self>, LinalgError> {
        let mut at: Vec<usize> = (0..law.genes.len()).collect();
        // The strongest genes; equal means by number.
        at.sort_by(|&a, &b| law.mean[b].total_cmp(&law.mean[a]).then(a.cmp(&b)));
        at.truncate(max_genes);
        at.sort_unstable();
        if cells.len() < 2 || at.len() < 2 {
            return Ok(None);
        }
        let scores = scores(counts, cells, factors, law, &at, stream);
        let (shrinkage, correlation) = shrinkage(scores.view())?;
        let (rows, factor) = match correlation {
            // More genes than cells: the scores themselves are the root.
            None => {
                let n = (cells.len() as f64).sqrt();
                (cells.len(), scores.iter().map(|&z| (f64::from(z) / n) as f32).collect())
            }
            Some(mut correlation) => {
                correlation.diag_mut().mapv_inplace(|d| d + RIDGE);
                (at.len(), cholesky(&correlation)?.iter().map(|&v| v as f32).collect())
            }
        };
        Ok(Some(Self { at, factor, rows, shrinkage }))
    }

    /// Scores of one new cell: standard normal, correlated.
    fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        let genes = self.at.len();
        let (own, shared) = (self.shrinkage.sqrt(), (1.0 - self.shrinkage).sqrt());
        let mut z: Vec<f64> = (0..genes).map(|_| own * stream.normal()).collect();
        for row in self.factor.chunks_exact(genes.max(1)) {
            let w = shared * stream.normal();
            z.iter_mut().zip(row).for_each(|(z, &f)| *z += w * f64::from(f));
        }
        z
    }
}

/// Normal scores of some genes, cells × genes, with mean 0 and variance 1 in each column.
fn scores(
    counts: &Counts,
    cells: &[usize],
    factors: &[f64],
    law: &Marginals,
    at: &[usize],
    stream: &mut Stream,
) -> Array2<f32> {
    let mut column = vec![usize::MAX; counts.n_genes()];
    at.iter().enumerate().for_each(|(j, &i)| column[law.genes[i] as usize] = j);
    let mut out = Array2::zeros((cells.len(), at.len()));
    let mut row = vec![0; at.len()];
    for (&cell, mut to) in cells.iter().zip(out.rows_mut()) {
        row.fill(0);
        let (genes, values) = counts.cell(cell);
        for (&g, &v) in genes.iter().zip(values) {
            if let Some(slot) = row.get_mut(column[g as usize]) {
                *slot = v;
            }
        }
        for ((z, &count), &i) in to.iter_mut().zip(&row).zip(at) {
            let (below, up_to) =
                Law { mean: law.mean[i] * factors[cell], theta: law.theta[i] }.around(u64::from(count));
            *z = normal_quantile(below + stream.uniform() * (up_to - below)) as f32;
        }
    }
    for mut column in out.columns_mut() {
        let n = column.len() as f64;
        let mean = column.iter().map(|&z| f64::from(z)).sum::<f64>() / n;
        let sd = (column.iter().map(|&z| (f64::from(z) - mean).powi(2)).sum::<f64>() / n).sqrt();
        column.mapv_inplace(|z| if sd > 0.0 { ((f64::from(z) - mean) / sd) as f32 } else { 0.0 });
    }
    out
}

/// The share of Ledoit and Wolf for centred rows, towards the identity times the mean variance, as scikit-learn's
/// `ledoit_wolf_shrinkage`; and the covariance where there are more rows than columns.
fn shrinkage(x: ArrayView2<'_, f32>) -> Result<(f64, Option<Array2<f64>>), LinalgError> {
    let (n, p) = (x.nrows() as f64, x.ncols() as f64);
    let (covariance, squares) = if x.nrows() > x.ncols() {
        let mut sums = Covariance::new(x.ncols())?;
        sums.add(x)?;
        // Columns have mean 0, so the covariance is that of products.
        let s = sums.finish()?.1 * ((n - 1.0) / n);
        let squares = s.iter().map(|v| v * v).sum::<f64>();
        (Some(s), squares)
    } else {
        // The Gram matrix of the rows has the same sum of squares.
        let wide = x.mapv(f64::from);
        (None, wide.dot(&wide.t()).iter().map(|v| v * v).sum::<f64>() / (n * n))
    };
    let lengths: Vec<f64> =
        x.axis_iter(Axis(0)).map(|r| r.iter().map(|&v| f64::from(v).powi(2)).sum()).collect();
    let trace = lengths.iter().sum::<f64>() / n;
    let fourth: f64 = lengths.iter().map(|l| l * l).sum();
    let mu = trace / p;
    let delta = (squares - 2.0 * mu * trace + p * mu * mu) / p;
    let beta = ((fourth / n - squares) / (p * n)).min(delta);
    let share = if beta > 0.0 && delta > 0.0 { beta / delta } else { 0.0 };
    Ok((share, covariance))
}

impl CountSampler for Copula {
    fn n_genes(&self) -> usize {
        self.n_genes
    }

    fn n_labels(&self) -> usize {
        self.groups.len()
    }

    fn sample(&self, label: usize, n: usize, stream: &mut Stream) -> Result<Counts, SampleError> {
        let Group { law, sizes, joint } = of_label(&self.groups, label)?;
        if sizes.is_empty() {
            return Err(SampleError::TooFew { label, found: 0, needed: 1 });
        }
        let mut place = vec![usize::MAX; law.genes.len()];
        if let Some(joint) = joint {
            joint.at.iter().enumerate().for_each(|(j, &i)| place[i] = j);
        }
        let mut out = Counts::empty(self.n_genes);
        let mut cell = Vec::with_capacity(law.genes.len());
        for _ in 0..n {
            let size = sizes[stream.below(sizes.len())];
            let z = joint.as_ref().map(|j| j.draw(stream)).unwrap_or_default();
            cell.clear();
            for (i, &gene) in law.genes.iter().enumerate() {
                let (mean, theta) = (law.mean[i] * size, law.theta[i]);
                let count = match z.get(place[i]) {
                    Some(&z) => Law { mean, theta }.quantile(normal_cdf(z)),
                    None => stream.negative_binomial(mean, theta),
                };
                cell.push((gene, count as u32));
            }
            out.push(cell.iter().copied());
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::super::tests::toy;
    use super::*;

    /// sklearn 1.9: ledoit_wolf_shrinkage(X, assume_centered=True) of standardised columns, four and six rows.
    #[test]
    fn the_share_equals_scikit_learn_with_few_and_with_many_cells() {
        let standard = |x: Array2<f64>| {
            let mut x = x;
            for mut c in x.columns_mut() {
                let m = c.sum() / c.len() as f64;
                let sd = (c.iter().map(|v| (v - m).powi(2)).sum::<f64>() / c.len() as f64).sqrt();
                c.mapv_inplace(|v| (v - m) / sd);
            }
            x
        };
        let x = standard(array![
            [1.0, 2.0, 0.0, -1.0],
            [0.5, -1.0, 2.0, 0.0],
            [-1.0, 0.5, -0.5, 1.0],
            [-0.5, -1.5, -1.5, 0.0]
        ]);
        let (share, s) = shrinkage(x.mapv(|v| v as f32).view()).unwrap();
        assert!((share - 0.884_232_954_545).abs() < 1e-6 && s.is_none(), "{share}");
        let more = array![
            [1.0, 2.0, 0.0],
            [2.0, 3.0, 1.0],
            [-1.0, 0.5, -0.5],
            [-2.0, -2.5, -1.5],
            [0.5, 0.0, 2.0],
            [3.0, 4.0, -1.0]
        ];
        let (share, s) = shrinkage(standard(more).mapv(|v| v as f32).view()).unwrap();
        assert!((share - 0.741_152_566_233).abs() < 1e-6 && s.is_some(), "{share}");
    }

    /// Mean correlation of log-normalised genes 0 to 4 with each other, and of two genes that have nothing in common.
    fn correlations(c: &Counts) -> (f64, f64) {
        let x = c.log_normalised(100.0).mapv(f64::from);
        let of = |a: usize, b: usize| {
            let (u, v) =
                (&x.column(a) - x.column(a).mean().unwrap(), &x.column(b) - x.column(b).mean().unwrap());
            u.dot(&v) / (u.dot(&u) * v.dot(&v)).sqrt()
        };
        let pairs = (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b)));
        (pairs.map(|(a, b)| of(a, b)).sum::<f64>() / 10.0, of(20, 28))
    }

    /// With more cells than genes, and with more genes than cells.
    #[test]
    fn genes_that_go_together_still_do_and_means_stay() {
        let mut shares = Vec::new();
        for cells in [1200, 36] {
            let (counts, labels) = toy(cells);
            let model = Copula::fit(&counts, &labels, 2, CopulaSettings::default(), Seed(0)).unwrap();
            let made = model.sample(0, 1500, &mut Seed(1).stream("c")).unwrap();
            let real: Vec<usize> = (0..cells).filter(|&c| labels[c] == 0).collect();
            let real = counts.cells(&real);
            let ((r, _), (m, none)) = (correlations(&real), correlations(&made));
            // So few cells say next to nothing against independence.
            let near = if cells > 100 { 0.08 } else { 0.4 };
            assert!(r > 0.2 && (r - m).abs() < near, "{cells}: {r} {m}");
            assert!(none.abs() < 0.15, "{none}");
            let mean = |c: &Counts| c.totals().iter().sum::<u64>() as f64 / c.n_cells() as f64;
            assert!((mean(&made) / mean(&real) - 1.0).abs() < 0.12, "{} {}", mean(&made), mean(&real));
            shares.push(model.shrinkage(0).unwrap());
        }
        assert!(0.0 < shares[0] && shares[0] < shares[1] && shares[1] < 1.0, "{shares:?}");
    }

    /// Two cells and three genes: scores drawn have the shrunk correlation of the scores seen.
    #[test]
    fn scores_drawn_from_fewer_cells_than_genes_have_their_correlation() {
        let half = 0.5f32.sqrt();
        let factor = vec![half, half, -half, half, -half, half];
        let joint = Joint { at: vec![0, 1, 2], factor, rows: 2, shrinkage: 0.25 };
        let mut s = Seed(5).stream("z");
        let mut products = Array2::<f64>::zeros((3, 3));
        for _ in 0..40_000 {
            let z = joint.draw(&mut s);
            for i in 0..3 {
                (0..3).for_each(|j| products[(i, j)] += z[i] * z[j] / 40_000.0);
            }
        }
        let expected = array![[1.0, 0.0, 0.0], [0.0, 1.0, -0.75], [0.0, -0.75, 1.0]];
        assert!((&products - &expected).iter().all(|d| d.abs() < 0.03), "{products}");
    }

    #[test]
    fn genes_beyond_the_limit_are_independent() {
        let (counts, labels) = toy(800);
        let settings = CopulaSettings { max_genes: 3, max_cells: 300 };
        let model = Copula::fit(&counts, &labels, 2, settings, Seed(0)).unwrap();
        let joint = model.groups[0].joint.as_ref().unwrap();
        assert_eq!((joint.at.len(), joint.factor.len()), (3, 9));
        assert!(joint.at.iter().all(|&i| model.groups[0].law.genes[i] < 5));
    }
}
