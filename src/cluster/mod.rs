//! Clusters of cells from raw counts, as scGAN and scanpy's `recipe_zheng17` have them: variable genes, principal
//! components, a graph of neighbours with UMAP's weights, and its communities.

mod steps;

use std::collections::BTreeMap;

use ndarray::Array2;

pub use crate::linalg::community::Method;

use crate::data::counts::{CountsError, Fractions, Taken, Wanted};
use crate::data::{
    Annotation, Categorical, Categories, Column, DataError, Dataset, Dense, Layout, Matrix, Sparse, Uns,
    Values,
};
use crate::linalg::{LinalgError, Neighbours, community, connectivities, knn};
use crate::progress::Progress;
use crate::recipe::RecipeError;
use crate::rng::Seed;

/// Rows whose neighbours are searched exactly to see how good an approximate search was.
const CHECKED: usize = 500;

/// What decides about the clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSettings {
    /// How communities are searched.
    pub method: Method,
    /// Larger values give more clusters.
    pub resolution: f64,
    /// Times the search runs, each from the result of the one before.
    pub iterations: usize,
    /// Principal components; fewer where the data have fewer.
    pub n_pcs: usize,
    /// Neighbours of each cell, the cell itself among them as scanpy counts; fewer where there are fewer cells.
    pub n_neighbors: usize,
    /// Which counts.
    pub wanted: Wanted,
    /// Seed of everything random.
    pub seed: Seed,
    /// Bytes a walk through the counts may take.
    pub memory: u64,
}

impl Default for ClusterSettings {
    /// scGAN's: Leiden of resolution 0.15 on 15 neighbours in 50 principal components.
    fn default() -> Self {
        Self {
            method: Method::Leiden,
            resolution: 0.15,
            iterations: 2,
            n_pcs: 50,
            n_neighbors: 15,
            wanted: Wanted { fractions: Fractions::Kept, ..Wanted::default() },
            seed: Seed(0),
            memory: crate::io::DEFAULT_MEMORY,
        }
    }
}

/// Clusters and what led to them.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// Cluster of each cell, from 0 by decreasing size; equal sizes by their first cell.
    pub labels: Vec<u32>,
    /// Cells of each cluster.
    pub sizes: Vec<usize>,
    /// Modularity of the graph at the resolution asked for.
    pub modularity: f64,
    /// Coordinates of each cell, cells × principal components.
    pub pca: Array2<f32>,
    /// Weights between neighbours, cells × cells, symmetric.
    pub graph: Sparse,
    /// The nearest other cells of each cell.
    pub neighbours: Neighbours,
    /// Genes that the components were taken from.
    pub genes: usize,
    /// Share of true neighbours found, where the search was approximate.
    pub recall: Option<f64>,
    /// Which counts were taken.
    pub taken: Taken,
}

/// Why cells could not be clustered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A request that does not fit the data.
    #[error("{what}")]
    Usage {
        /// What is wrong, and what to do.
        what: String,
    },
    /// The data are not what can be clustered.
    #[error("{what}")]
    Input {
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
    /// No counts.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// The counts could not be prepared.
    #[error(transparent)]
    Recipe(RecipeError),
    /// A decomposition, a search or the community detection failed.
    #[error(transparent)]
    Linalg(LinalgError),
    /// The counts could not be read on.
    #[error(transparent)]
    Data(DataError),
}

impl From<RecipeError> for ClusterError {
    fn from(e: RecipeError) -> Self {
        match e {
            RecipeError::Cancelled => ClusterError::Cancelled,
            e => ClusterError::Recipe(e),
        }
    }
}

impl From<LinalgError> for ClusterError {
    fn from(e: LinalgError) -> Self {
        match e {
            LinalgError::Cancelled => ClusterError::Cancelled,
            e => ClusterError::Linalg(e),
        }
    }
}

impl From<DataError> for ClusterError {
    fn from(e: DataError) -> Self {
        match e {
            DataError::Stopped(inner) => match inner.downcast::<ClusterError>() {
                Ok(own) => *own,
                Err(inner) => ClusterError::Data(DataError::Stopped(inner)),
            },
            e => ClusterError::Data(e),
        }
    }
}

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

impl ClusterSettings {
    fn check(&self) -> Result<(), ClusterError> {
        let wrong = |what: &str| Err(ClusterError::Usage { what: what.into() });
        if !self.resolution.is_finite() || self.resolution <= 0.0 {
            return wrong("the resolution must be a number above 0");
        }
        if self.n_pcs == 0 {
            return wrong("one principal component is the least");
        }
        if self.n_neighbors < 2 {
            return wrong("two neighbours are the least: a cell counts as its own first");
        }
        if self.iterations == 0 {
            return wrong("one iteration is the least");
        }
        Ok(())
    }

    /// What scanpy keeps of such a run in `uns`.
    pub fn uns(&self) -> Uns {
        let float = |x: f64| Uns::Number(Values::F64(vec![x]));
        let whole = |x: usize| Uns::Number(Values::I64(vec![i64::try_from(x).unwrap_or(i64::MAX)]));
        let text = |s: &str| Uns::String(s.to_owned());
        let mut params = BTreeMap::from([
            ("method".to_owned(), text(self.method.name())),
            ("resolution".to_owned(), float(self.resolution)),
            ("n_iterations".to_owned(), whole(self.iterations)),
            ("n_pcs".to_owned(), whole(self.n_pcs)),
            ("n_neighbors".to_owned(), whole(self.n_neighbors)),
            ("recipe".to_owned(), text("zheng17")),
            ("random_state".to_owned(), Uns::Number(Values::U64(vec![self.seed.0]))),
        ]);
        if let Some(place) = &self.wanted.place {
            params.insert("layer".into(), text(place.option()));
        }
        Uns::Map(BTreeMap::from([("params".to_owned(), Uns::Map(params))]))
    }
}

impl Clusters {
    /// The labels as a column of the table of cells: text categories "0", "1", ….
    pub fn column(&self) -> Column {
        Column::Categorical(Categorical {
            codes: self.labels.iter().map(|&l| i32::try_from(l).unwrap_or(-1)).collect(),
            categories: Categories::Strings((0..self.sizes.len()).map(|i| i.to_string()).collect()),
            ordered: false,
        })
    }

    /// The coordinates as a dense matrix.
    ///
    /// # Errors
    /// [`DataError`] when they do not fit its shape.
    pub fn pca_matrix(&self) -> Result<Matrix, DataError> {
        let (rows, columns) = self.pca.dim();
        Dense::new(rows, columns, Values::F32(self.pca.iter().copied().collect())).map(Matrix::Dense)
    }

    /// The distances to the neighbours, cells × cells in CSR.
    ///
    /// # Errors
    /// [`DataError`] when they do not fit together.
    pub fn distances(&self) -> Result<Sparse, DataError> {
        let (n, k) = (self.neighbours.len(), self.neighbours.k());
        let (mut indices, mut values) = (Vec::with_capacity(n * k), Vec::with_capacity(n * k));
        for i in 0..n {
            let (rows, distances) = self.neighbours.row(i);
            let mut pairs: Vec<(u32, f32)> = rows.iter().copied().zip(distances.iter().copied()).collect();
            pairs.sort_by_key(|p| p.0);
            indices.extend(pairs.iter().map(|p| p.0));
            values.extend(pairs.iter().map(|p| p.1));
        }
        let indptr = (0..=n).map(|i| (i * k) as u64).collect();
        Sparse::new(Layout::Csr, (n, n), indptr, indices, Values::F32(values))
    }

    /// Puts labels and components into the data set itself, for what goes on with it in memory.
    ///
    /// # Errors
    /// [`DataError`] when there are other numbers of cells.
    pub fn attach(&self, dataset: &mut Dataset, key: &str) -> Result<(), DataError> {
        let column = self.column();
        if column.len() != dataset.n_obs() {
            return Err(DataError::Length {
                what: "clusters".into(),
                expected: dataset.n_obs(),
                found: column.len(),
            });
        }
        dataset.obs.columns.retain(|(name, _)| name != key);
        dataset.obs.columns.push((key.to_owned(), column));
        if !dataset.obsm.contains_key("X_pca") {
            dataset.obsm.insert("X_pca".into(), Annotation::Matrix(self.pca_matrix()?));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let bad = [
            ClusterSettings { resolution: 0.0, ..ClusterSettings::default() },
            ClusterSettings { resolution: f64::NAN, ..ClusterSettings::default() },
            ClusterSettings { n_pcs: 0, ..ClusterSettings::default() },
            ClusterSettings { n_neighbors: 1, ..ClusterSettings::default() },
            ClusterSettings { iterations: 0, ..ClusterSettings::default() },
        ];
        assert!(ClusterSettings::default().check().is_ok());
        for s in bad {
            assert!(matches!(s.check(), Err(ClusterError::Usage { .. })), "{s:?}");
        }
    }
}
