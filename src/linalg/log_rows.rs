//! Counts on the scale that neighbours and components are searched on.

use super::SparseRows;
use crate::data::Counts;

impl SparseRows {
    /// ln(1 + count / library size × target) of each cell; an empty cell is all zero.
    pub fn log_normalised(counts: &Counts, target: f64) -> Self {
        let mut out = Self::empty(counts.n_genes());
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.cell(cell);
            let total: f64 = values.iter().map(|&v| f64::from(v)).sum();
            let log = |v: u32| (f64::from(v) / total * target).ln_1p() as f32;
            out.push(genes.iter().zip(values).map(|(&g, &v)| (g, log(v))));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_and_dense_logarithms_are_the_same() {
        let mut c = Counts::empty(4);
        c.push([(0, 1), (3, 3)]);
        c.push([]);
        c.push([(1, 2), (2, 5)]);
        assert_eq!(SparseRows::log_normalised(&c, 1e4).dense(), c.log_normalised(1e4));
    }
}
