//! Minibatches: what a loader hands to a model.

use candle_core::{Device, Tensor};

use super::ZooError;
use crate::nn::SparseBatch;

/// A minibatch, in the form the source keeps its cells in.
#[derive(Debug, Clone)]
pub enum Batch {
    /// Values [cells, width].
    Dense(Tensor),
    /// Raw counts, with what belongs to them.
    Counts(CountBatch),
}

/// Raw counts of some cells.
#[derive(Debug, Clone)]
pub struct CountBatch {
    /// Counts, cells × genes.
    pub counts: SparseBatch,
    /// Library size of each cell.
    pub library: Vec<f32>,
    /// Label of each cell.
    pub labels: Vec<u32>,
}

impl Batch {
    /// A dense minibatch from row-major values.
    ///
    /// # Errors
    /// [`ZooError`] when the values are no whole number of rows.
    pub fn dense(values: Vec<f32>, width: usize, device: &Device) -> Result<Self, ZooError> {
        let n = values.len().checked_div(width).unwrap_or(0);
        Ok(Batch::Dense(Tensor::from_vec(values, (n, width), device)?))
    }

    /// The values of a dense minibatch.
    ///
    /// # Errors
    /// [`ZooError::Config`] when it holds counts.
    pub fn values(&self) -> Result<&Tensor, ZooError> {
        match self {
            Batch::Dense(x) => Ok(x),
            Batch::Counts(_) => Err(ZooError::Config { what: "this model takes values, not counts".into() }),
        }
    }

    /// The counts of a minibatch.
    ///
    /// # Errors
    /// [`ZooError::Config`] when it holds other values.
    pub fn counts(&self) -> Result<&CountBatch, ZooError> {
        match self {
            Batch::Counts(c) => Ok(c),
            Batch::Dense(_) => Err(ZooError::Config { what: "this model takes counts".into() }),
        }
    }
}

impl CountBatch {
    /// Labels as a tensor [cells].
    ///
    /// # Errors
    /// Candle's.
    pub fn label_tensor(&self, device: &Device) -> Result<Tensor, ZooError> {
        Ok(Tensor::from_slice(&self.labels, self.labels.len(), device)?)
    }
}

/// Where minibatches come from.
pub trait BatchSource: Sync {
    /// Number of cells.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// These cells, in that order.
    ///
    /// # Errors
    /// [`ZooError`] when they cannot be read.
    fn batch(&self, cells: &[usize], device: &Device) -> Result<Batch, ZooError>;
}
