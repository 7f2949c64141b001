//! Clusters: against scanpy, and what the command writes.

mod command;
mod scanpy;

use std::collections::BTreeMap;

use scx::data::{Column, Dataset, Frame, Index, Layout, Matrix, Sparse, Values};
use scx::rng::Seed;

/// Adjusted Rand index of two partitions.
fn ari<A: Ord + Copy, B: Ord + Copy>(a: &[A], b: &[B]) -> f64 {
    assert_eq!(a.len(), b.len());
    let (mut both, mut left, mut right) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (&x, &y) in a.iter().zip(b) {
        *both.entry((x, y)).or_insert(0.0) += 1.0;
        *left.entry(x).or_insert(0.0) += 1.0;
        *right.entry(y).or_insert(0.0) += 1.0;
    }
    let pairs = |n: &f64| n * (n - 1.0) / 2.0;
    let (both, left, right): (f64, f64, f64) =
        (both.values().map(pairs).sum(), left.values().map(pairs).sum(), right.values().map(pairs).sum());
    let expected = left * right / pairs(&(a.len() as f64));
    (both - expected) / (f64::midpoint(left, right) - expected)
}

/// Labels of a categorical column.
fn labels(column: &Column) -> Vec<i32> {
    match column {
        Column::Categorical(c) => c.codes.clone(),
        other => panic!("{}", other.kind()),
    }
}

/// Counts of 150, 100 and 50 cells in mixed order, 90 genes, every third of which is high in one kind of cell.
pub(crate) struct Kinds {
    pub(crate) dataset: Dataset,
    pub(crate) truth: Vec<usize>,
}

pub(crate) fn kinds() -> Kinds {
    let mut s = Seed(8).stream("kinds");
    let truth: Vec<usize> = (0..300).map(|i| [0, 1, 0, 2, 0, 1][i % 6]).collect();
    let (mut indptr, mut indices, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for &kind in &truth {
        for gene in 0..90u32 {
            // The rate of a gene differs between genes, so that their means do.
            let rate = (1.0 + f64::from(gene) / 30.0) * if gene as usize % 3 == kind { 6.0 } else { 0.7 };
            let count = (0..8).filter(|_| s.uniform() < rate / (rate + 8.0)).count() as i32;
            if count > 0 {
                indices.push(gene);
                values.push(count);
            }
        }
        indptr.push(indices.len() as u64);
    }
    let names =
        |prefix: &str, n: usize| Frame::new(Index::names((0..n).map(|i| format!("{prefix}{i}")).collect()));
    let sample = Column::Strings((0..300).map(|i| format!("s{}", i % 2)).collect());
    let mut dataset = Dataset::new(names("cell", 300).with("sample", sample), names("gene", 90));
    let x = Sparse::new(Layout::Csr, (300, 90), indptr, indices, Values::I32(values)).unwrap();
    dataset.x = Some(Matrix::Sparse(x));
    Kinds { dataset, truth }
}

#[test]
fn the_adjusted_rand_index_is_as_defined() {
    // sklearn.metrics.adjusted_rand_score([0, 0, 1, 1, 2], [0, 0, 1, 2, 2])
    assert!((ari(&[0, 0, 1, 1, 2], &[0, 0, 1, 2, 2]) - 0.375).abs() < 1e-12);
    assert_eq!(ari(&[0, 0, 1, 1], &["b", "b", "a", "a"]), 1.0);
}
