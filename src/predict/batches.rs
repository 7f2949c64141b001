//! Batches as a covariate: what they add to each gene, told apart from conditions and types.

use ndarray::{Array1, Array2};

use super::{PredictError, Study};
use crate::linalg::solve_definite;

/// What each batch adds to each gene, batches × genes; zeros for batches that share no group of cells with others.
///
/// Least squares of value = (type in a condition) + batch: only differences between batches within the same type and
/// condition count, so a response can never be taken for a batch. Effects add up to nothing over all cells, as far as a little ridge lets them.
///
/// # Errors
/// [`PredictError::Linalg`] when the sums are no finite numbers.
pub(super) fn effects(study: &Study, batch: &[usize]) -> Result<Array2<f64>, PredictError> {
    let n_batches = batch.iter().max().map_or(0, |b| b + 1);
    let genes = study.values.ncols();
    let mut normal = Array2::<f64>::zeros((n_batches, n_batches));
    let mut right = Array2::<f64>::zeros((n_batches, genes));
    for cells in study.source.iter().chain(&study.target).filter(|c| !c.is_empty()) {
        let (sums, counts) = sums(study.values, cells, batch, n_batches);
        let all = cells.len() as f64;
        let total = sums.sum_axis(ndarray::Axis(0));
        for a in 0..n_batches {
            normal[(a, a)] += counts[a];
            for b in 0..n_batches {
                normal[(a, b)] -= counts[a] * counts[b] / all;
            }
            let mut row = right.row_mut(a);
            row += &sums.row(a);
            row.scaled_add(-counts[a] / all, &total);
        }
    }
    // The level of all batches together is not told by the data: a ridge chooses the smallest effects.
    let ridge = 1e-6 * (0..n_batches).map(|b| normal[(b, b)]).sum::<f64>() / n_batches.max(1) as f64 + 1e-9;
    (0..n_batches).for_each(|b| normal[(b, b)] += ridge);
    Ok(solve_definite(&normal, &right)?)
}

fn sums(values: &Array2<f32>, cells: &[usize], batch: &[usize], n: usize) -> (Array2<f64>, Array1<f64>) {
    let (mut sums, mut counts) = (Array2::zeros((n, values.ncols())), Array1::zeros(n));
    for &cell in cells {
        let b = batch[cell];
        counts[b] += 1.0;
        sums.row_mut(b)
            .iter_mut()
            .zip(values.row(cell))
            .for_each(|(s, v): (&mut f64, _)| *s += f64::from(*v));
    }
    (sums, counts)
}

/// What batches add to the mean of some cells.
pub(super) fn share(effects: &Array2<f64>, batch: &[usize], cells: &[usize]) -> Array1<f64> {
    let mut out = Array1::zeros(effects.ncols());
    let part = 1.0 / cells.len().max(1) as f64;
    for &cell in cells {
        out.scaled_add(part, &effects.row(batch[cell]));
    }
    out
}

/// Whether every batch holds cells of one condition only: then no batch effect can be told from the response.
pub fn confounded(study: &Study) -> bool {
    let Some(batch) = &study.batch else { return false };
    let held = |cells: &[Vec<usize>]| -> std::collections::BTreeSet<usize> {
        cells.iter().flatten().map(|&c| batch[c]).collect()
    };
    held(&study.source).is_disjoint(&held(&study.target))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type 0 was measured more in batch 0, type 1 more in batch 1; batch 1 adds 3 to gene 0.
    #[test]
    fn a_batch_is_told_from_conditions_and_types() {
        let batch = [0, 0, 1, 0, 1, 1, 1, 0];
        let group = [0, 0, 0, 1, 1, 1, 2, 2];
        let values = Array2::from_shape_fn((8, 2), |(c, g)| {
            (group[c] * 10) as f32 + if g == 0 { 3.0 * batch[c] as f32 } else { 0.0 }
        });
        let study = Study {
            values: &values,
            variable: vec![0, 1],
            types: vec!["a".into(), "b".into()],
            source: vec![vec![0, 1, 2], vec![3, 4, 5]],
            target: vec![vec![6, 7], vec![]],
            batch: Some(batch.to_vec()),
            floor: None,
        };
        let e = effects(&study, &batch).unwrap();
        assert!((e[(1, 0)] - e[(0, 0)] - 3.0).abs() < 1e-4 && e[(1, 1)].abs() < 1e-9, "{e}");
        assert!(!confounded(&study));
        let apart = Study { batch: Some(vec![0, 0, 0, 0, 0, 0, 1, 1]), ..study };
        assert!(confounded(&apart));
    }
}
