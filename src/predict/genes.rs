//! Genes that rules are learnt on, chosen without the cells that are to be predicted.

use ndarray::ArrayView2;

use super::PredictError;
use crate::data::{Dense, Matrix, Values};
use crate::recipe::{Options, variable_genes};

/// The `n` genes that vary most over some cells, increasing; all when there are no more.
///
/// On the scale of counts (nothing below `floor` 0) by dispersion, as scanpy's flavor `seurat`, genes that are zero in all
/// cells left out first; on other scales by variance.
///
/// # Errors
/// [`PredictError`] when they cannot be told.
pub fn choose(
    values: ArrayView2<'_, f32>,
    cells: &[usize],
    n: usize,
    of_counts: bool,
    options: &Options,
) -> Result<Vec<usize>, PredictError> {
    let genes = values.ncols();
    if n == 0 {
        return Err(PredictError::usage("--n-top-genes 0: give at least 1"));
    }
    if genes <= n {
        return Ok((0..genes).collect());
    }
    if !of_counts {
        let (_, variance) = super::moments(values, cells);
        let mut order: Vec<usize> = (0..genes).collect();
        order.sort_by(|&a, &b| variance[b].total_cmp(&variance[a]).then(a.cmp(&b)));
        order.truncate(n);
        order.sort_unstable();
        return Ok(order);
    }
    let seen: Vec<usize> = (0..genes).filter(|&g| cells.iter().any(|&c| values[(c, g)] > 0.0)).collect();
    if seen.len() <= n {
        return Ok(seen);
    }
    let mut picked = Vec::with_capacity(cells.len() * seen.len());
    cells.iter().for_each(|&c| picked.extend(seen.iter().map(|&g| values[(c, g)])));
    let matrix = Matrix::Dense(Dense::new(cells.len(), seen.len(), Values::F32(picked))?);
    let chosen = variable_genes(&matrix, n, options)?;
    Ok(seen.into_iter().zip(chosen).filter(|g| g.1).map(|g| g.0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn what_varies_is_chosen_and_held_out_cells_have_no_say() {
        // Gene 3 varies over the first ten cells, gene 1 over the others alone; gene 0 is never seen in the first ten.
        let values = Array2::from_shape_fn((20, 6), |(c, g)| match (g, c < 10) {
            (3, true) => (c % 2) as f32 * 3.0,
            (1, false) => (c % 2) as f32 * 9.0,
            (0, true) => 0.0,
            _ => 1.0 + 0.01 * ((c * (g + 2)) % 3) as f32,
        });
        let cells: Vec<usize> = (0..10).collect();
        for of_counts in [true, false] {
            let found = choose(values.view(), &cells, 1, of_counts, &Options::default()).unwrap();
            assert_eq!(found, [3], "{of_counts}");
        }
        assert_eq!(choose(values.view(), &cells, 6, true, &Options::default()).unwrap().len(), 6);
        assert!(choose(values.view(), &cells, 0, true, &Options::default()).is_err());
    }
}
