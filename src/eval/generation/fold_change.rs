//! Do generated clusters differ from each other as real ones do?

use ndarray::Array2;

use crate::eval::agreement;
use crate::linalg::SparseRows;

/// Log fold changes of marker genes, cluster against rest: generated cells over real ones.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FoldChanges {
    /// Pairs of a cluster and one of its genes.
    pub pairs: usize,
    /// Least squares slope of generated on real: 1 as strong as in real cells, below 1 blurred.
    pub slope: Option<f64>,
    /// Their Pearson correlation.
    pub r: Option<f64>,
}

/// Mean of every gene in every cluster and in the labelled cells outside it, both clusters × genes; NaN where there are no
/// such cells.
pub fn cluster_means(
    x: &SparseRows,
    labels: &[Option<usize>],
    clusters: usize,
) -> (Array2<f64>, Array2<f64>) {
    let mut sums = Array2::<f64>::zeros((clusters, x.columns()));
    let mut sizes = vec![0usize; clusters];
    for (cell, label) in labels.iter().enumerate() {
        let Some(l) = label.filter(|l| *l < clusters) else { continue };
        sizes[l] += 1;
        let (genes, values) = x.row(cell);
        let mut to = sums.row_mut(l);
        genes.iter().zip(values).for_each(|(&g, &v)| to[g as usize] += f64::from(v));
    }
    let total = sums.sum_axis(ndarray::Axis(0));
    let n: usize = sizes.iter().sum();
    let mean = |sum: f64, k: usize| if k > 0 { sum / k as f64 } else { f64::NAN };
    let inside = Array2::from_shape_fn(sums.dim(), |(c, g)| mean(sums[(c, g)], sizes[c]));
    let outside = Array2::from_shape_fn(sums.dim(), |(c, g)| mean(total[g] - sums[(c, g)], n - sizes[c]));
    (inside, outside)
}

/// Compares differences of mean log expression (cluster − rest, natural logarithm) over pairs of a cluster and a gene; pairs
/// that one side does not have are left out.
pub fn fold_changes(
    real: &(Array2<f64>, Array2<f64>),
    generated: &(Array2<f64>, Array2<f64>),
    pairs: &[(usize, usize)],
) -> FoldChanges {
    let change = |m: &(Array2<f64>, Array2<f64>), at: (usize, usize)| m.0[at] - m.1[at];
    let both = pairs.iter().map(|&at| (change(real, at), change(generated, at)));
    let (u, v): (Vec<f64>, Vec<f64>) = both.filter(|(u, v)| u.is_finite() && v.is_finite()).unzip();
    let a = agreement(&u, &v);
    FoldChanges { pairs: u.len(), slope: a.slope, r: a.r }
}
