//! Clusters and what led to them, as they are stored.

use ndarray::Array2;

use crate::data::counts::Taken;
use crate::data::{
    Annotation, Categorical, Categories, Column, DataError, Dataset, Dense, Layout, Matrix, Sparse, Values,
};
use crate::linalg::Neighbours;

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
