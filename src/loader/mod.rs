//! From data sets to what models take: the only bridge, and the only place where values become `f32`.

mod cells;
pub(crate) mod labels;

use candle_core::Device;
use ndarray::{Array2, Axis};

use crate::data::{DataError, Matrix};
use crate::recipe::{ScaleGuess, Transform};
use crate::rng::Seed;
use crate::zoo::{Batch, BatchSource, ZooError};

pub use cells::LabelledCells;
pub use labels::{By, LABEL_KEYS, LabelError, Labels, NO_LABEL, too_few};

/// Chosen columns of a matrix on the model's scale, cells × markers, with a look at the stored scale. `names` and `scale` have
/// one entry a column.
///
/// # Errors
/// [`DataError`] when the matrix cannot be read, or holds NaN or infinite values: those are named by cell and column.
pub fn table(
    matrix: &Matrix,
    columns: &[usize],
    names: &[String],
    scale: &[Transform],
    guess: &mut ScaleGuess,
) -> Result<Array2<f32>, DataError> {
    let rows: Vec<usize> = (0..matrix.shape().0).collect();
    some(matrix, &rows, columns, names, scale, guess)
}

/// The same of some rows only, which increase; the others are not looked at.
///
/// # Errors
/// As [`table`].
pub fn some(
    matrix: &Matrix,
    rows: &[usize],
    columns: &[usize],
    names: &[String],
    scale: &[Transform],
    guess: &mut ScaleGuess,
) -> Result<Array2<f32>, DataError> {
    if scale.len() != columns.len() {
        let what = "scales of columns".into();
        return Err(DataError::Length { what, expected: columns.len(), found: scale.len() });
    }
    let mut out = Array2::zeros((rows.len(), columns.len()));
    let mut done = 0;
    matrix.columns(columns, &mut |first, run| {
        while let Some(&row) = rows.get(done).filter(|r| **r < first + run.nrows()) {
            let from = run.row(row - first);
            for (c, ((&x, y), transform)) in from.iter().zip(out.row_mut(done)).zip(scale).enumerate() {
                guess.see(x);
                *y = transform.forward(x) as f32;
                if !y.is_finite() {
                    return Err(not_finite(x, row, names.get(c).map_or("?", String::as_str)));
                }
            }
            done += 1;
        }
        Ok(())
    })?;
    Ok(out)
}

/// A value that no model can take.
fn not_finite(x: f64, row: usize, name: &str) -> DataError {
    let what = if x.is_finite() {
        "too large for single precision on the chosen scale; use --transform arcsinh or remove such cells first"
    } else {
        "expected a finite number; remove such cells first"
    };
    DataError::Invalid { what: format!("cell {row}, {name}: found {x}, {what}") }
}

/// Some rows of one of several tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Which table.
    pub table: usize,
    /// Which rows, increasing.
    pub rows: Vec<usize>,
}

impl Group {
    /// Copies the rows out.
    pub fn gather(&self, tables: &[Array2<f32>]) -> Array2<f32> {
        tables[self.table].select(Axis(0), &self.rows)
    }
}

/// The union of groups as a source of minibatches; no value is copied before it is asked for.
#[derive(Debug)]
pub struct Union<'a> {
    tables: &'a [Array2<f32>],
    cells: Vec<(u32, usize)>,
}

impl<'a> Union<'a> {
    /// All cells of these groups, each table row once.
    pub fn new(tables: &'a [Array2<f32>], groups: &[&Group]) -> Self {
        let mut cells: Vec<(u32, usize)> =
            groups.iter().flat_map(|g| g.rows.iter().map(|&r| (g.table as u32, r))).collect();
        cells.sort_unstable();
        cells.dedup();
        Self { tables, cells }
    }

    /// Number of values per cell.
    pub fn width(&self) -> usize {
        self.tables.first().map_or(0, |t| t.ncols())
    }

    /// Appends the values of these cells to `out`, cell by cell.
    pub fn fill(&self, cells: &[usize], out: &mut Vec<f32>) {
        for &i in cells {
            let (table, row) = self.cells[i];
            out.extend(self.tables[table as usize].row(row));
        }
    }

    /// Copies up to `most` cells out, always the same ones, in their order.
    pub fn some(&self, most: usize) -> Array2<f32> {
        let cells = Seed(0).stream("loader/some").sample(self.cells.len(), most);
        let mut values = Vec::with_capacity(cells.len() * self.width());
        self.fill(&cells, &mut values);
        Array2::from_shape_vec((cells.len(), self.width()), values)
            .unwrap_or_else(|_| Array2::zeros((0, self.width())))
    }
}

impl BatchSource for Union<'_> {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn batch(&self, cells: &[usize], device: &Device) -> Result<Batch, ZooError> {
        let mut values = Vec::with_capacity(cells.len() * self.width());
        self.fill(cells, &mut values);
        Batch::dense(values, self.width(), device)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::data::{Dense, Values};

    #[test]
    fn a_nan_is_named_by_cell_and_marker() {
        let m = Matrix::Dense(Dense::new(2, 2, Values::F32(vec![1.0, 2.0, 3.0, f32::NAN])).unwrap());
        let names = ["CD3".to_owned(), "CD4".to_owned()];
        let e = table(&m, &[0, 1], &names, &[Transform::None; 2], &mut ScaleGuess::default()).unwrap_err();
        assert!(e.to_string().contains("cell 1, CD4: found NaN"), "{e}");
        assert!(table(&m, &[0], &names, &[Transform::None], &mut ScaleGuess::default()).is_ok());
    }

    #[test]
    fn a_union_holds_every_cell_once() {
        let tables = [array![[1.0f32], [2.0]], array![[3.0f32]]];
        let a = Group { table: 0, rows: vec![0, 1] };
        let b = Group { table: 0, rows: vec![1] };
        let c = Group { table: 1, rows: vec![0] };
        let union = Union::new(&tables, &[&c, &a, &b]);
        let mut out = Vec::new();
        union.fill(&[0, 1, 2], &mut out);
        assert_eq!((union.len(), out), (3, vec![1.0, 2.0, 3.0]));
    }
}
