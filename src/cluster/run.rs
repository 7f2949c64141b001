//! From counts to clusters.

use super::{ClusterError, ClusterSettings, Clusters, steps};
use crate::data::Dataset;
use crate::linalg::{community, connectivities, knn};
use crate::progress::Progress;

/// Rows whose neighbours are searched exactly to see how good an approximate search was.
const CHECKED: usize = 500;

/// Clusters the cells of a data set with raw counts, which stays as it is.
///
/// # Errors
/// [`ClusterError`] when there are no counts, too few cells or genes, or `progress` stops.
pub fn run(
    dataset: &Dataset,
    settings: &ClusterSettings,
    progress: &dyn Progress,
) -> Result<Clusters, ClusterError> {
    settings.check()?;
    if let Some(made) = crate::data::synthetic::mask(dataset) {
        let n = made.iter().filter(|m| **m).count();
        tracing::warn!(
            "{n} of the {} cells were made by scx; they are clustered with the real ones",
            made.len()
        );
    }
    let (scaled, taken) = steps::scaled(dataset, settings, progress)?;
    let genes = scaled.shape().1;
    let pca = steps::components(&scaled, settings, progress)?;
    let cells = pca.nrows();
    let k = steps::other_neighbours(settings.n_neighbors, cells);
    let neighbours = knn::neighbours(pca.view(), k, knn::Search::Auto, settings.seed, progress)?;
    let recall = if cells > knn::EXACT_UP_TO {
        Some(knn::recall(pca.view(), &neighbours, CHECKED, settings.seed, progress)?)
    } else {
        None
    };
    let graph = connectivities(&neighbours)?;
    let search = community::LeidenSettings {
        method: settings.method,
        resolution: settings.resolution,
        iterations: settings.iterations,
        seed: settings.seed,
    };
    let community::Communities { labels, sizes, modularity } = community::find(&graph, search, progress)?;
    Ok(Clusters { labels, sizes, modularity, pca, graph, neighbours, genes, recall, taken })
}
