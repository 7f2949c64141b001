//! Genes that mark clusters: Wilcoxon's rank sum test, one cluster against the rest.

use ndarray::Array2;
use rayon::prelude::*;

use crate::linalg::SparseRows;

/// The genes that go together is asked of, and what they mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    /// Genes, each once, cluster after cluster.
    pub genes: Vec<usize>,
    /// The cluster that brought each of them in.
    pub cluster: Vec<usize>,
}

/// z of Wilcoxon's rank sum test for every gene, cells with a label against all other labelled cells: clusters × genes.
///
/// Values are ranked over all labelled cells, ties share their mean rank, and the variance is corrected for them, as in
/// `scipy.stats.mannwhitneyu` without continuity correction. Positive where the cluster has the larger values; 0 for
/// clusters that hold no cell or all, and for genes with one value.
pub fn rank_sums(x: &SparseRows, labels: &[Option<usize>], clusters: usize) -> Array2<f64> {
    let cells: Vec<usize> = (0..x.rows()).filter(|&i| labels[i].is_some_and(|l| l < clusters)).collect();
    let turned = x.select(&cells).transposed();
    let label: Vec<usize> = cells.iter().filter_map(|&i| labels[i]).collect();
    let mut sizes = vec![0usize; clusters];
    label.iter().for_each(|&l| sizes[l] += 1);
    let per_gene: Vec<Vec<f64>> =
        (0..x.columns()).into_par_iter().map(|g| gene(turned.row(g), &label, &sizes)).collect();
    Array2::from_shape_fn((clusters, x.columns()), |(c, g)| per_gene[g][c])
}

/// z of one gene in every cluster, from its values other than zero.
fn gene((cells, values): (&[u32], &[f32]), label: &[usize], sizes: &[usize]) -> Vec<f64> {
    let n = label.len() as f64;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let zeros = label.len() - values.len();
    // Zeros in each cluster; they are one tie, between negative and positive values.
    let mut zero_in = sizes.to_vec();
    cells.iter().for_each(|&c| zero_in[label[c as usize]] -= 1);
    let (mut sums, mut ties) = (vec![0.0; sizes.len()], 0.0);
    let (mut below, mut zeros_done) = (0usize, zeros == 0);
    let add_zeros = |below: &mut usize, sums: &mut [f64], ties: &mut f64| {
        let rank = *below as f64 + (zeros as f64 + 1.0) / 2.0;
        sums.iter_mut().zip(&zero_in).for_each(|(s, &k)| *s += rank * k as f64);
        *ties += (zeros as f64).powi(3) - zeros as f64;
        *below += zeros;
    };
    let mut i = 0;
    while i < order.len() {
        let value = values[order[i]];
        if value > 0.0 && !zeros_done {
            add_zeros(&mut below, &mut sums, &mut ties);
            zeros_done = true;
        }
        let tied = order[i..].iter().take_while(|&&k| values[k] == value).count().max(1);
        let rank = below as f64 + (tied as f64 + 1.0) / 2.0;
        order[i..i + tied].iter().for_each(|&k| sums[label[cells[k] as usize]] += rank);
        ties += (tied as f64).powi(3) - tied as f64;
        below += tied;
        i += tied;
    }
    if !zeros_done {
        add_zeros(&mut below, &mut sums, &mut ties);
    }
    let correction = 1.0 - ties / (n.powi(3) - n);
    let z = |(c, &size): (usize, &usize)| {
        let (a, b) = (size as f64, n - size as f64);
        let sd = (correction.max(0.0) * a * b * (n + 1.0) / 12.0).sqrt();
        if sd > 1e-12 { (sums[c] - a * (n + 1.0) / 2.0) / sd } else { 0.0 }
    };
    sizes.iter().enumerate().map(z).collect()
}

/// The `top` genes with the largest z of each cluster, those that mark several clusters once. Clusters in order, the
/// strongest gene first; equal ones by number; genes that mark nothing (z ≤ 0) are left out.
pub fn top_markers(z: &Array2<f64>, top: usize) -> Markers {
    let mut out = Markers { genes: Vec::new(), cluster: Vec::new() };
    for (c, row) in z.rows().into_iter().enumerate() {
        let mut order: Vec<usize> = (0..row.len()).filter(|&g| row[g] > 0.0).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
        for gene in order.into_iter().take(top) {
            if !out.genes.contains(&gene) {
                out.genes.push(gene);
                out.cluster.push(c);
            }
        }
    }
    out
}
