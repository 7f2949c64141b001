//! Are generated cells copies of training cells? Cells that lie closer to the training cells than other real cells do were
//! learnt by heart.

use std::collections::HashSet;

use ndarray::Array2;
use rayon::prelude::*;

use super::{GenerationError, Space};
use crate::data::Counts;
use crate::eval::median;
use crate::linalg::{SparseRows, knn};
use crate::progress::Progress;

/// Distances to the nearest training cell in one space.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Distances {
    /// Where distances were taken.
    pub space: Space,
    /// Median Euclidean distance of generated cells.
    pub generated: f64,
    /// Median Euclidean distance of real cells that were held out.
    pub held_out: f64,
    /// The first over the second: 1 as far as real cells are, 0 copies.
    pub ratio: f64,
}

/// How far generated cells are from those they were learnt from.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Memorisation {
    /// Cells learnt from.
    pub training_cells: usize,
    /// In each space.
    pub distances: Vec<Distances>,
    /// Generated cells with exactly the counts of a training cell.
    pub copies: usize,
    /// Generated cells looked at for it.
    pub of: usize,
    /// Held-out real cells with exactly the counts of a training cell.
    pub held_out_copies: usize,
}

/// Cells of `cells` whose counts are those of some cell of `training`, on the same genes. Empty cells do not count.
pub fn copies(cells: &Counts, training: &Counts) -> usize {
    let known: HashSet<(&[u32], &[u32])> = (0..training.n_cells()).map(|c| training.cell(c)).collect();
    (0..cells.n_cells()).map(|c| cells.cell(c)).filter(|c| !c.0.is_empty() && known.contains(c)).count()
}

/// Euclidean distance of each point to the nearest training point; points × components.
///
/// # Errors
/// Other components, no training points, values that are not finite, or `progress` stops.
pub fn nearest_points(
    points: &Array2<f64>,
    training: &Array2<f64>,
    progress: &dyn Progress,
) -> Result<Vec<f32>, GenerationError> {
    let single = |x: &Array2<f64>| x.mapv(|v| v as f32);
    let found = knn::nearest(single(points).view(), single(training).view(), 1, progress)?;
    Ok(found.distances().to_vec())
}

/// Euclidean distance of each row to the nearest training row, on the same columns. None when there are no training rows.
pub fn nearest_genes(cells: &SparseRows, training: &SparseRows) -> Vec<f32> {
    let square = |x: &SparseRows, r: usize| x.row(r).1.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let squares: Vec<f64> = (0..training.rows()).map(|t| square(training, t)).collect();
    let nearest = |dense: &mut Vec<f32>, c: usize| {
        let (genes, values) = cells.row(c);
        genes.iter().zip(values).for_each(|(&g, &v)| dense[g as usize] = v);
        let own = square(cells, c);
        let distance = |t: usize| {
            let (genes, values) = training.row(t);
            let product: f64 =
                genes.iter().zip(values).map(|(&g, &v)| f64::from(v) * f64::from(dense[g as usize])).sum();
            own + squares[t] - 2.0 * product
        };
        let least = (0..training.rows()).map(distance).fold(f64::INFINITY, f64::min);
        genes.iter().for_each(|&g| dense[g as usize] = 0.0);
        least.max(0.0).sqrt() as f32
    };
    if training.rows() == 0 {
        return Vec::new();
    }
    (0..cells.rows()).into_par_iter().map_init(|| vec![0.0f32; cells.columns()], nearest).collect()
}

/// The two medians and their ratio.
pub(super) fn distances(space: Space, mut generated: Vec<f32>, mut held_out: Vec<f32>) -> Distances {
    let (generated, held_out) = (median(&mut generated), median(&mut held_out));
    Distances { space, generated, held_out, ratio: generated / held_out }
}
