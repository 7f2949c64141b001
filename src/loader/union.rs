//! Groups of cells as a source of minibatches.

use candle_core::Device;
use ndarray::{Array2, Axis};

use crate::rng::Seed;
use crate::zoo::{Batch, BatchSource, ZooError};

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
