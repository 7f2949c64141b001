//! Counts as a source of minibatches for models.

use candle_core::Device;

use crate::data::Counts;
use crate::nn::SparseBatch;
use crate::zoo::{Batch, BatchSource, CountBatch, ZooError};

/// Some cells of a table of counts, with their labels.
#[derive(Debug)]
pub struct LabelledCells<'a> {
    counts: &'a Counts,
    labels: &'a [u32],
    cells: Vec<usize>,
}

impl<'a> LabelledCells<'a> {
    /// These cells of `counts`; `labels` has one entry for each cell of `counts`.
    ///
    /// # Errors
    /// [`ZooError::Config`] when lengths differ or a cell is out of range.
    pub fn new(counts: &'a Counts, labels: &'a [u32], cells: Vec<usize>) -> Result<Self, ZooError> {
        if labels.len() != counts.n_cells() || cells.iter().any(|&c| c >= counts.n_cells()) {
            let what =
                format!("{} labels or a chosen cell do not fit {} cells", labels.len(), counts.n_cells());
            return Err(ZooError::Config { what });
        }
        Ok(Self { counts, labels, cells })
    }
}

impl BatchSource for LabelledCells<'_> {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn batch(&self, cells: &[usize], _: &Device) -> Result<Batch, ZooError> {
        let (mut indptr, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        let (mut library, mut labels) = (Vec::new(), Vec::new());
        for &cell in cells {
            let cell = self.cells[cell];
            let (genes, counts) = self.counts.cell(cell);
            columns.extend_from_slice(genes);
            values.extend(counts.iter().map(|&v| v as f32));
            indptr.push(columns.len());
            library.push(counts.iter().map(|&v| f64::from(v)).sum::<f64>() as f32);
            labels.push(self.labels[cell]);
        }
        let counts = SparseBatch::new(self.counts.n_genes(), indptr, columns, values)?;
        Ok(Batch::Counts(CountBatch { counts, library, labels }))
    }
}
