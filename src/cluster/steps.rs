//! From raw counts to principal components, in bounded memory.

use ndarray::{Array2, ArrayView2, s};

use super::{ClusterError, ClusterSettings};
use crate::data::counts::{self, Taken};
use crate::data::{Block, DataError, Dataset, Frame, Index, Matrix, Values};
use crate::linalg::{Covariance, Pca};
use crate::progress::Progress;
use crate::recipe::{self, Recipe};

/// Fewer cells have no neighbours to speak of.
const LEAST_CELLS: usize = 4;

/// Standardised values of variable genes, cells × genes, computed when it is walked through.
pub(super) fn scaled(
    dataset: &Dataset,
    settings: &ClusterSettings,
    progress: &dyn Progress,
) -> Result<(Matrix, Taken), ClusterError> {
    let mut taken = counts::find(dataset, &settings.wanted)?;
    let place = taken.place.clone();
    let (mut counts, _) = taken.of(dataset)?;
    let (cells, genes) = counts.shape();
    if cells < LEAST_CELLS || genes < 2 {
        let what = format!(
            "{place} has {cells} cells and {genes} genes; clusters need {LEAST_CELLS} cells and 2 genes at least"
        );
        return Err(ClusterError::Input { what });
    }
    if taken.round {
        let (whole, what) = counts::rounded(&counts, settings.memory)?;
        (counts, taken.rounded) = (whole, Some(what));
    }
    if let Some(looks) = &taken.fractions {
        tracing::warn!(
            "{place} holds {looks}, no raw counts: the clusters may mean little; --layer names another matrix, and --round takes \
             the nearest whole numbers if these are counts with fractions (SoupX, CellBender, alevin)"
        );
    }
    let range = |n| Frame::new(Index::Range(n));
    let mut work = Dataset::new(range(cells), range(genes));
    work.x = Some(counts);
    // Shallow counts look like logarithms once they are normalised; whether they are counts is known here.
    let raw = taken.fractions.is_none();
    let options =
        recipe::Options { memory: settings.memory, progress, force_space: raw, ..recipe::Options::default() };
    Recipe::zheng17().fit_apply(&mut work, &options)?;
    match work.x {
        Some(x) => Ok((x, taken)),
        None => Err(ClusterError::Input { what: format!("{place}: nothing is left after the recipe") }),
    }
}

/// Coordinates of all cells on the principal components: one walk for the covariance, one for the coordinates.
pub(super) fn components(
    scaled: &Matrix,
    settings: &ClusterSettings,
    progress: &dyn Progress,
) -> Result<Array2<f32>, ClusterError> {
    let (cells, genes) = scaled.shape();
    let k = settings.n_pcs.min(cells - 1).min(genes);
    if k < settings.n_pcs {
        tracing::warn!("{k} principal components instead of {}: there are no more", settings.n_pcs);
    }
    let mut sums = Covariance::new(genes)?;
    walk(scaled, settings, progress, "covariance", |_, x| Ok(sums.add(x)?))?;
    let pca = Pca::from_covariance(sums, k)?;
    let mut out = Array2::zeros((cells, k));
    walk(scaled, settings, progress, "components", |start, x| {
        let scores = pca.transform(x)?;
        let mut to = out.slice_mut(s![start..start + scores.nrows(), ..]);
        to.zip_mut_with(&scores, |t, v| *t = *v as f32);
        Ok(())
    })?;
    Ok(out)
}

/// Neighbours besides the cell itself, which scanpy counts as the first; with few cells half of them, as there.
pub(super) fn other_neighbours(asked: usize, cells: usize) -> usize {
    if asked <= cells {
        return asked - 1;
    }
    tracing::warn!("{} neighbours instead of {asked}: there are only {cells} cells", cells / 2 + 1);
    cells / 2
}

fn walk(
    m: &Matrix,
    settings: &ClusterSettings,
    progress: &dyn Progress,
    what: &str,
    mut see: impl FnMut(usize, ArrayView2<'_, f32>) -> Result<(), ClusterError>,
) -> Result<(), ClusterError> {
    progress.start(what, m.shape().0 as u64);
    let done = m.stream(settings.memory, &mut |start, block| {
        if progress.cancelled() {
            return Err(DataError::stopped(ClusterError::Cancelled));
        }
        let rows = block.len();
        let seen = match &block {
            Block::Dense(d) => match d.values() {
                Values::F32(v) => ArrayView2::from_shape(d.shape(), v)
                    .map_err(|e| ClusterError::Input { what: e.to_string() })
                    .and_then(|x| see(start, x)),
                _ => see(start, block.to_f64().mapv(|v| v as f32).view()),
            },
            Block::Csr(_) => see(start, block.to_f64().mapv(|v| v as f32).view()),
        };
        progress.advance((start + rows) as u64, "cells");
        seen.map_err(DataError::stopped)
    });
    progress.finish();
    Ok(done?)
}
