//! Raw counts of cells, cells × genes, as compressed rows of whole numbers: what count models learn from and make.

use std::path::Path;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::CountsBuilder;
use crate::data::scratch::Numbers;
use crate::data::{DataError, Layout, Sparse, Values, check_indices, check_indptr};

/// Counts, cells × genes, CSR: in memory or, from [`CountsBuilder`], in temporary files that are read as they are asked
/// for. Genes of a cell are increasing and each is there once; zeros are not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Counts {
    pub(super) n_genes: usize,
    pub(super) indptr: Vec<u64>,
    pub(super) genes: Numbers,
    pub(super) values: Numbers,
}

impl Counts {
    /// No cells of so many genes.
    pub fn empty(n_genes: usize) -> Self {
        Self { n_genes, indptr: vec![0], genes: Numbers::default(), values: Numbers::default() }
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// Number of counts above zero.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// Genes and counts above zero of one cell.
    pub fn cell(&self, cell: usize) -> (&[u32], &[u32]) {
        let span = self.indptr[cell] as usize..self.indptr[cell + 1] as usize;
        (&self.genes[span.clone()], &self.values[span])
    }

    /// Adds a cell from (gene, count) pairs with increasing genes below `n_genes`; zeros are left out.
    pub fn push(&mut self, cell: impl IntoIterator<Item = (u32, u32)>) {
        let (genes, values) = (self.genes.vec(), self.values.vec());
        for (gene, count) in cell {
            debug_assert!((gene as usize) < self.n_genes);
            if count > 0 {
                genes.push(gene);
                values.push(count);
            }
        }
        self.indptr.push(genes.len() as u64);
    }

    /// Adds all cells of `other`, which has the same genes.
    pub fn append(&mut self, other: &Counts) {
        let at = self.genes.len() as u64;
        self.indptr.extend(other.indptr.iter().skip(1).map(|p| p + at));
        self.genes.vec().extend_from_slice(&other.genes);
        self.values.vec().extend_from_slice(&other.values);
    }

    /// These cells, in that order; a cell may be asked for more than once.
    #[must_use]
    pub fn cells(&self, cells: &[usize]) -> Self {
        let mut out = Self::empty(self.n_genes);
        for &cell in cells {
            let (genes, values) = self.cell(cell);
            out.genes.vec().extend_from_slice(genes);
            out.values.vec().extend_from_slice(values);
            out.indptr.push(out.genes.len() as u64);
        }
        out
    }

    /// The genes that `keep` lists, increasing, as genes 0, 1, ….
    #[must_use]
    pub fn select_genes(&self, keep: &[usize]) -> Self {
        let new = self.numbers_of(keep);
        let mut out = Self::empty(keep.len());
        (0..self.n_cells()).for_each(|cell| out.push(self.renumbered(cell, &new)));
        out
    }

    /// As [`Counts::select_genes`], in temporary files of `folder` beyond `memory` bytes.
    ///
    /// # Errors
    /// [`DataError::Scratch`] when these cannot be written.
    pub fn select_genes_within(&self, keep: &[usize], memory: u64, folder: &Path) -> Result<Self, DataError> {
        let new = self.numbers_of(keep);
        let mut out = CountsBuilder::new(keep.len(), memory, folder);
        for cell in 0..self.n_cells() {
            out.push(self.renumbered(cell, &new))?;
        }
        out.done()
    }

    /// The new number of every gene when only these are kept.
    fn numbers_of(&self, keep: &[usize]) -> Vec<Option<u32>> {
        let mut new = vec![None; self.n_genes];
        for (to, &from) in keep.iter().enumerate() {
            new[from] = Some(to as u32);
        }
        new
    }

    /// What a cell has of the genes with a new number.
    fn renumbered(&self, cell: usize, new: &[Option<u32>]) -> impl Iterator<Item = (u32, u32)> {
        let (genes, values) = self.cell(cell);
        genes.iter().zip(values).filter_map(|(&g, &v)| Some((new[g as usize]?, v)))
    }

    /// The other way round: gene `i` becomes gene `to[i]` of `n_genes`; `to` is increasing.
    #[must_use]
    pub fn spread_genes(mut self, to: &[usize], n_genes: usize) -> Self {
        for gene in self.genes.vec() {
            *gene = to[*gene as usize] as u32;
        }
        Self { n_genes, ..self }
    }

    /// Sum of each cell: its library size.
    pub fn totals(&self) -> Vec<u64> {
        (0..self.n_cells()).map(|c| self.cell(c).1.iter().map(|&v| u64::from(v)).sum()).collect()
    }

    /// Number of cells in which each gene is above zero.
    pub fn cells_of_gene(&self) -> Vec<usize> {
        let mut out = vec![0; self.n_genes];
        self.genes.iter().for_each(|&g| out[g as usize] += 1);
        out
    }

    /// ln(1 + count / library size × target), dense, cells × genes; an empty cell is all zero.
    pub fn log_normalised(&self, target: f64) -> Array2<f32> {
        let mut out = Array2::zeros((self.n_cells(), self.n_genes));
        for (c, mut row) in out.rows_mut().into_iter().enumerate() {
            let (genes, values) = self.cell(c);
            let total: f64 = values.iter().map(|&v| f64::from(v)).sum();
            for (&g, &v) in genes.iter().zip(values) {
                row[g as usize] = (f64::from(v) / total * target).ln_1p() as f32;
            }
        }
        out
    }

    /// These numbers as a matrix of a data set, without a copy.
    ///
    /// # Errors
    /// As [`Counts::to_sparse`].
    pub fn into_sparse(self) -> Result<Sparse, DataError> {
        let shape = (self.n_cells(), self.n_genes);
        let (genes, values) = (self.genes.into_vec(), self.values.into_vec());
        Sparse::new(Layout::Csr, shape, self.indptr, genes, Values::U32(values))
    }

    /// The same numbers as a matrix of a data set.
    ///
    /// # Errors
    /// [`DataError`] when a gene is out of range, which `push` forbids.
    pub fn to_sparse(&self) -> Result<Sparse, DataError> {
        let values = Values::U32(self.values.to_vec());
        let shape = (self.n_cells(), self.n_genes);
        Sparse::new(Layout::Csr, shape, self.indptr.clone(), self.genes.to_vec(), values)
    }
}

/// Counts as they come from a file, not yet believed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    n_genes: usize,
    indptr: Vec<u64>,
    genes: Vec<u32>,
    values: Vec<u32>,
}

impl TryFrom<Stored> for Counts {
    type Error = DataError;

    fn try_from(stored: Stored) -> Result<Self, DataError> {
        let Stored { n_genes, indptr, genes, values } = stored;
        if genes.len() != values.len() {
            let what = "genes of counts against values".into();
            return Err(DataError::Length { what, expected: values.len(), found: genes.len() });
        }
        check_indptr(&indptr, indptr.len().saturating_sub(1), genes.len() as u64)?;
        check_indices(&genes, n_genes, 0)?;
        let (genes, values) = (genes.into(), values.into());
        let counts = Self { n_genes, indptr, genes, values };
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.cell(cell);
            if genes.windows(2).any(|w| w[0] >= w[1]) || values.contains(&0) {
                let what = format!("cell {cell}: genes are not increasing, or a zero is stored");
                return Err(DataError::Invalid { what });
            }
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Counts {
        let mut c = Counts::empty(4);
        c.push([(0, 1), (3, 3)]);
        c.push([]);
        c.push([(1, 2), (2, 0)]);
        c
    }

    #[test]
    fn zeros_are_not_stored_and_cells_keep_their_order() {
        let c = three();
        assert_eq!((c.n_cells(), c.n_genes(), c.nnz()), (3, 4, 3));
        assert_eq!(c.cell(2), (&[1u32][..], &[2u32][..]));
        assert_eq!(c.totals(), [4, 0, 2]);
        assert_eq!(c.cells_of_gene(), [1, 1, 0, 1]);
        let again = c.cells(&[2, 0, 2]);
        assert_eq!(again.totals(), [2, 4, 2]);
    }

    #[test]
    fn genes_taken_out_come_back_to_their_places() {
        let c = three();
        let some = c.select_genes(&[1, 3]);
        assert_eq!((some.cell(0), some.cell(2)), ((&[1u32][..], &[3u32][..]), (&[0u32][..], &[2u32][..])));
        let back = some.spread_genes(&[1, 3], 4);
        assert_eq!((back.cell(0), back.n_genes()), ((&[3u32][..], &[3u32][..]), 4));
    }

    #[test]
    fn log_normalised_counts_add_up_to_the_target_again() {
        let x = three().log_normalised(20_000.0);
        let sum: f64 = x.row(0).iter().map(|&v| f64::from(v).exp_m1()).sum();
        assert!((sum - 20_000.0).abs() < 0.1, "{sum}");
        assert!(x.row(1).iter().all(|&v| v == 0.0));
    }

    #[test]
    fn stored_counts_come_back_and_damaged_ones_do_not() {
        let c = three();
        let text = serde_json::to_string(&c).unwrap();
        assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), c);
        for (from, to) in [
            ("[0,2,2,3]", "[0,2,1,3]"),
            ("[0,3,1]", "[0,4,1]"),
            ("[0,3,1]", "[3,0,1]"),
            ("[1,3,2]", "[1,0,2]"),
        ] {
            assert!(serde_json::from_str::<Counts>(&text.replace(from, to)).is_err(), "{to}");
        }
    }
}
