//! The weights UMAP gives the edges of a neighbour graph (McInnes, Healy & Melville 2018).

use rayon::prelude::*;

use super::Neighbours;
use crate::data::{DataError, Layout, Sparse, Values};

/// Steps of the bisection at most.
const STEPS: usize = 64;
/// The bisection ends this near its target.
const TOLERANCE: f64 = 1e-5;
/// Widths below this share of the mean distance are raised to it.
const LEAST_WIDTH: f64 = 1e-3;

/// The symmetric graph of memberships, n × n in CSR: one neighbour of each row has weight 1, the others fall off with
/// distance so that all of a row add up to log2(k + 1), and the two directions of an edge are joined as a + b − ab.
/// The row itself counts as the first of its k + 1 neighbours, as umap-learn and scanpy have it.
///
/// # Errors
/// [`DataError`] when there are more edges than can be counted.
pub fn connectivities(found: &Neighbours) -> Result<Sparse, DataError> {
    let (n, k) = (found.len(), found.k());
    let all: f64 = found.distances().iter().map(|d| f64::from(*d)).sum();
    let mean = all / (n as f64 * (k + 1) as f64).max(1.0);
    let mut weights = vec![0.0f32; n * k];
    weights.par_chunks_mut(k.max(1)).enumerate().for_each(|(i, to)| {
        memberships(found.row(i).1, mean, to);
    });
    symmetric(found, &weights)
}

/// Memberships of the neighbours of one row, from their distances in increasing order.
fn memberships(distances: &[f32], mean_of_all: f64, to: &mut [f32]) {
    let nearest = distances.iter().copied().find(|d| *d > 0.0).unwrap_or(0.0);
    let beyond: Vec<f64> = distances.iter().map(|d| f64::from(d - nearest)).collect();
    let mut width = bisect(&beyond);
    let own: f64 = distances.iter().map(|d| f64::from(*d)).sum::<f64>() / (distances.len() + 1) as f64;
    width = width.max(LEAST_WIDTH * if nearest > 0.0 { own } else { mean_of_all });
    for (to, d) in to.iter_mut().zip(&beyond) {
        *to = if *d <= 0.0 || width == 0.0 { 1.0 } else { (-d / width).exp() as f32 };
    }
}

/// The width at which the memberships add up to the logarithm of their number.
fn bisect(beyond: &[f64]) -> f64 {
    let target = ((beyond.len() + 1) as f64).log2();
    let (mut low, mut high, mut width) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..STEPS {
        let sum: f64 = beyond.iter().map(|d| if *d > 0.0 { (-d / width).exp() } else { 1.0 }).sum();
        if (sum - target).abs() < TOLERANCE {
            break;
        }
        if sum > target {
            high = width;
            width = f64::midpoint(low, high);
        } else {
            low = width;
            width = if high.is_infinite() { width * 2.0 } else { f64::midpoint(low, high) };
        }
    }
    width
}

/// Joins both directions of every edge.
fn symmetric(found: &Neighbours, weights: &[f32]) -> Result<Sparse, DataError> {
    let (n, k) = (found.len(), found.k().max(1));
    let mut starts = vec![0usize; n + 1];
    for &to in found.indices() {
        starts[to as usize + 1] += 1;
    }
    for i in 0..n {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut back = vec![(0u32, 0.0f32); weights.len()];
    for (at, (&to, &weight)) in found.indices().iter().zip(weights).enumerate() {
        let slot = &mut next[to as usize];
        back[*slot] = ((at / k) as u32, weight);
        *slot += 1;
    }
    let rows: Vec<Vec<(u32, f32)>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let mut edges: Vec<(u32, f32)> =
                found.row(i).0.iter().copied().zip(weights[i * k..].iter().copied()).collect();
            edges.extend_from_slice(&back[starts[i]..starts[i + 1]]);
            edges.sort_by_key(|e| e.0);
            edges.dedup_by(|b, a| {
                let both = a.0 == b.0;
                if both {
                    a.1 = a.1 + b.1 - a.1 * b.1;
                }
                both
            });
            edges.retain(|e| e.1 > 0.0);
            edges
        })
        .collect();
    let (mut indptr, mut indices, mut values) = (vec![0u64], Vec::new(), Vec::new());
    for edges in rows {
        indices.extend(edges.iter().map(|e| e.0));
        values.extend(edges.iter().map(|e| e.1));
        indptr.push(indices.len() as u64);
    }
    Sparse::new(Layout::Csr, (n, n), indptr, indices, Values::F32(values))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::linalg::knn::{Search, neighbours};
    use crate::progress::Silent;
    use crate::rng::Seed;

    #[test]
    fn rows_at_the_same_place_are_joined_with_weight_one_and_without_nan() {
        // Three rows at each of two places: all distances to the first two neighbours are zero.
        let x = Array2::from_shape_fn((6, 2), |(i, _)| if i < 3 { 0.0f32 } else { 5.0 });
        let found = neighbours(x.view(), 3, Search::Exact, Seed(0), &Silent).unwrap();
        let graph = connectivities(&found).unwrap();
        let at = |i: usize, j: u32| {
            let span = graph.indptr()[i] as usize..graph.indptr()[i + 1] as usize;
            let k = span.clone().find(|&k| graph.indices()[k] == j)?;
            graph.values().get(k)
        };
        assert_eq!((at(0, 1), at(0, 2), at(3, 5)), (Some(1.0), Some(1.0), Some(1.0)));
        assert!(graph.values().iter().all(|w| w > 0.0 && w <= 1.0));
        for i in 0..6 {
            for j in 0..6u32 {
                assert_eq!(at(i, j), at(j as usize, i as u32), "the graph is symmetric");
            }
        }
    }
}
