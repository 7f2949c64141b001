//! New values for some cells and some variables of a matrix that is otherwise kept.

use ndarray::{Array2, ArrayView1};

use super::DataError;

/// New values for chosen rows and columns of a matrix; everything else stays as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    columns: Vec<usize>,
    rows: Vec<usize>,
    values: Array2<f32>,
}

impl Patch {
    /// New values, `rows.len()` × `columns.len()`, on the scale of the matrix they go into.
    ///
    /// # Errors
    /// [`DataError`] when lengths disagree or `rows` or `columns` are not strictly increasing.
    pub fn new(rows: Vec<usize>, columns: Vec<usize>, values: Array2<f32>) -> Result<Self, DataError> {
        if values.dim() != (rows.len(), columns.len()) {
            return Err(DataError::Shape {
                what: "patch".into(),
                found: values.dim(),
                obs: rows.len(),
                vars: columns.len(),
            });
        }
        if rows.windows(2).any(|w| w[1] <= w[0]) || columns.windows(2).any(|w| w[1] <= w[0]) {
            return Err(DataError::Invalid { what: "patch rows or columns out of order".into() });
        }
        Ok(Self { columns, rows, values })
    }

    /// Columns with new values, increasing.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Rows with new values, increasing.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The new values of matrix row `row`, in the order of [`Patch::columns`]; `None` when the row is kept.
    pub fn row(&self, row: usize) -> Option<ArrayView1<'_, f32>> {
        self.rows.binary_search(&row).ok().map(|i| self.values.row(i))
    }

    /// All new values, rows × columns of the patch.
    pub fn values(&self) -> &Array2<f32> {
        &self.values
    }
}
