//! Gradient boosting of small regression trees on binned features: what a weighted sum of rules leaves over.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

/// Trees.
const TREES: usize = 60;

/// Step of each tree.
const RATE: f64 = 0.05;

/// Leaves of a tree.
const LEAVES: usize = 8;

/// Rows of a leaf at least.
const LEAF_ROWS: usize = 100;

/// Bins of a feature.
const BINS: usize = 255;

/// Rows below which nothing is boosted.
pub(super) const LEAST_ROWS: usize = 2000;

/// A fitted sum of trees.
#[derive(Debug, Clone)]
pub(super) struct Boost {
    start: f64,
    trees: Vec<Vec<Node>>,
}

/// A leaf, or a question about a feature.
#[derive(Debug, Clone, Copy)]
enum Node {
    Leaf(f64),
    Split { feature: usize, up_to: f64, left: usize, right: usize },
}

/// Features as bins: for each feature its borders, and for each row its bin.
struct Binned {
    borders: Vec<Vec<f64>>,
    bins: Vec<Vec<u8>>,
}

impl Boost {
    /// Fits trees to `y` by least squares, rows × features.
    pub(super) fn fit(x: ArrayView2<'_, f64>, y: &[f64]) -> Self {
        let start = y.iter().sum::<f64>() / y.len().max(1) as f64;
        let binned = Binned::of(x);
        let mut left: Vec<f64> = y.iter().map(|v| v - start).collect();
        let mut trees = Vec::with_capacity(TREES);
        for _ in 0..TREES {
            let (tree, leaves) = grow(&binned, &left);
            for (rows, value) in leaves {
                rows.into_iter().for_each(|r| left[r as usize] -= value);
            }
            trees.push(tree);
        }
        Self { start, trees }
    }

    /// What the trees say of each row.
    pub(super) fn at(&self, x: ArrayView2<'_, f64>) -> Vec<f64> {
        x.axis_iter(Axis(0))
            .map(|row| self.start + self.trees.iter().map(|t| walk(t, row)).sum::<f64>())
            .collect()
    }
}

fn walk(tree: &[Node], row: ndarray::ArrayView1<'_, f64>) -> f64 {
    let mut at = 0;
    loop {
        match tree[at] {
            Node::Leaf(value) => return value,
            Node::Split { feature, up_to, left, right } => {
                at = if row[feature] <= up_to { left } else { right };
            }
        }
    }
}

impl Binned {
    fn of(x: ArrayView2<'_, f64>) -> Self {
        let columns: Vec<(Vec<f64>, Vec<u8>)> = (0..x.ncols())
            .into_par_iter()
            .map(|j| {
                let mut v = x.column(j).to_vec();
                v.sort_by(f64::total_cmp);
                let borders = borders(&v);
                let bins = x.column(j).iter().map(|v| borders.partition_point(|b| b < v) as u8).collect();
                (borders, bins)
            })
            .collect();
        let (borders, bins) = columns.into_iter().unzip();
        Self { borders, bins }
    }
}

/// Borders between at most [`BINS`] bins: between neighbouring values where these are few, else at quantiles.
fn borders(sorted: &[f64]) -> Vec<f64> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    if distinct.len() <= BINS {
        return distinct.windows(2).map(|w| w[0] + 0.5 * (w[1] - w[0])).collect();
    }
    let at = |i: usize| sorted[i * (sorted.len() - 1) / BINS];
    let mut out: Vec<f64> = (1..BINS).map(at).collect();
    out.dedup();
    out
}

/// A leaf that may be split: its rows, where it stands in the tree, and its best split.
struct Open {
    rows: Vec<u32>,
    node: usize,
    split: Option<(f64, usize, usize)>,
}

/// Grows one tree, the leaf that gains most first, and returns the rows and the value of each leaf.
fn grow(x: &Binned, y: &[f64]) -> (Vec<Node>, Vec<(Vec<u32>, f64)>) {
    let all: Vec<u32> = (0..y.len() as u32).collect();
    let mut tree = vec![Node::Leaf(0.0)];
    let mut open = vec![Open { split: best(x, y, &all), rows: all, node: 0 }];
    while open.len() < LEAVES {
        let gain = |o: &Open| o.split.map_or(f64::NEG_INFINITY, |s| s.0);
        let Some(at) = (0..open.len())
            .filter(|&i| open[i].split.is_some())
            .max_by(|&a, &b| gain(&open[a]).total_cmp(&gain(&open[b])).then(b.cmp(&a)))
        else {
            break;
        };
        let Open { rows, node, split } = open.swap_remove(at);
        let Some((_, feature, bin)) = split else { break };
        let (left, right): (Vec<u32>, Vec<u32>) =
            rows.into_iter().partition(|&r| usize::from(x.bins[feature][r as usize]) <= bin);
        let (l, r) = (tree.len(), tree.len() + 1);
        tree[node] = Node::Split { feature, up_to: x.borders[feature][bin], left: l, right: r };
        tree.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
        open.push(Open { split: best(x, y, &left), rows: left, node: l });
        open.push(Open { split: best(x, y, &right), rows: right, node: r });
    }
    let mut leaves = Vec::with_capacity(open.len());
    for Open { rows, node, .. } in open {
        let value = RATE * rows.iter().map(|&r| y[r as usize]).sum::<f64>() / rows.len().max(1) as f64;
        tree[node] = Node::Leaf(value);
        leaves.push((rows, value));
    }
    (tree, leaves)
}

/// The split that lowers the squared error most: gain, feature, last bin on the left.
fn best(x: &Binned, y: &[f64], rows: &[u32]) -> Option<(f64, usize, usize)> {
    if rows.len() < 2 * LEAF_ROWS {
        return None;
    }
    let total: f64 = rows.iter().map(|&r| y[r as usize]).sum();
    let whole = total * total / rows.len() as f64;
    let of = |feature: usize| {
        let bins = &x.bins[feature];
        let mut sums = vec![(0.0, 0usize); x.borders[feature].len() + 1];
        for &r in rows {
            let s = &mut sums[usize::from(bins[r as usize])];
            *s = (s.0 + y[r as usize], s.1 + 1);
        }
        let (mut sum, mut n) = (0.0, 0);
        let mut best: Option<(f64, usize, usize)> = None;
        for (bin, s) in sums.iter().enumerate().take(x.borders[feature].len()) {
            (sum, n) = (sum + s.0, n + s.1);
            let other = rows.len() - n;
            if n < LEAF_ROWS || other < LEAF_ROWS {
                continue;
            }
            let gain = sum * sum / n as f64 + (total - sum).powi(2) / other as f64 - whole;
            if gain > 1e-12 && best.is_none_or(|b| gain > b.0) {
                best = Some((gain, feature, bin));
            }
        }
        best
    };
    let found: Vec<Option<(f64, usize, usize)>> = (0..x.bins.len()).into_par_iter().map(of).collect();
    found.into_iter().flatten().fold(None, |b: Option<(f64, usize, usize)>, s| match b {
        Some(b) if b.0 >= s.0 => Some(b),
        _ => Some(s),
    })
}

/// Features side by side, rows below each other.
pub(super) fn stacked(parts: &[Array2<f64>]) -> Array2<f64> {
    let columns = parts.first().map_or(0, Array2::ncols);
    let mut out = Array2::zeros((parts.iter().map(Array2::nrows).sum(), columns));
    let mut at = 0;
    for part in parts {
        out.slice_mut(ndarray::s![at..at + part.nrows(), ..]).assign(part);
        at += part.nrows();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    /// A step and a product that no weighted sum of the features gives.
    #[test]
    fn trees_find_what_no_sum_gives_and_little_in_noise() {
        let mut s = Seed(2).stream("boost");
        let x = Array2::from_shape_fn((4000, 3), |_| s.uniform());
        let truth = |r: ndarray::ArrayView1<'_, f64>| {
            let step = if r[0] > 0.6 { 1.0 } else { 0.0 };
            step + if r[1] > 0.5 && r[2] > 0.5 { 2.0 } else { 0.0 }
        };
        let y: Vec<f64> = x.rows().into_iter().map(|r| truth(r) + 0.1 * s.normal()).collect();
        let new = Array2::from_shape_fn((500, 3), |_| s.uniform());
        let wanted: Vec<f64> = new.rows().into_iter().map(truth).collect();
        let error = |p: &[f64]| p.iter().zip(&wanted).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 500.0;
        let found = Boost::fit(x.view(), &y).at(new.view());
        let mean = y.iter().sum::<f64>() / 4000.0;
        assert!(error(&found) < 0.1 * error(&[mean; 500]), "{} {}", error(&found), error(&[mean; 500]));
        let noise: Vec<f64> = (0..4000).map(|_| s.normal()).collect();
        let spread = Boost::fit(x.view(), &noise).at(new.view()).iter().map(|v| v * v).sum::<f64>() / 500.0;
        assert!(spread < 0.05, "{spread}");
    }

    #[test]
    fn a_leaf_is_never_smaller_than_allowed() {
        let x = Array2::from_shape_fn((250, 1), |(i, _)| i as f64);
        let y: Vec<f64> = (0..250).map(|i| if i < 20 { 5.0 } else { 0.0 }).collect();
        let (_, leaves) = grow(&Binned::of(x.view()), &y);
        assert_eq!(leaves.len(), 2);
        assert!(leaves.iter().all(|l| l.0.len() >= LEAF_ROWS));
    }
}
