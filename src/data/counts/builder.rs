//! Taking counts cell by cell, in bounded memory.

use std::path::{Path, PathBuf};

use super::{CountRows, Counts};
use crate::data::scratch::{Numbers, RowsWriter};
use crate::data::{DType, DataError};

/// Bytes of counts that wait to be written, once there is a file.
const WAITING: u64 = 8 << 20;

/// Takes counts cell by cell. They stay in memory up to a limit; beyond it they go to temporary files without a name.
pub struct CountsBuilder {
    n_genes: usize,
    indptr: Vec<u64>,
    genes: Vec<u32>,
    values: Vec<u32>,
    /// Bytes of counts in memory at most.
    most: u64,
    folder: PathBuf,
    /// Files of genes and of values, and how many of each are in them.
    disk: Option<(RowsWriter, u64)>,
}

impl CountsBuilder {
    /// No cells of so many genes; `memory` is the bytes that counts may fill (8 for each) before they go to temporary
    /// files in `folder`.
    pub fn new(n_genes: usize, memory: u64, folder: &Path) -> Self {
        let (genes, values, folder) = (Vec::new(), Vec::new(), folder.to_owned());
        Self { n_genes, indptr: vec![0], genes, values, most: memory, folder, disk: None }
    }

    /// Adds a cell from (gene, count) pairs with increasing genes below the number of genes; zeros are left out.
    ///
    /// # Errors
    /// [`DataError::Scratch`] when the temporary files cannot be written.
    pub fn push(&mut self, cell: impl IntoIterator<Item = (u32, u32)>) -> Result<(), DataError> {
        for (gene, count) in cell {
            debug_assert!((gene as usize) < self.n_genes);
            if count > 0 {
                self.genes.push(gene);
                self.values.push(count);
            }
        }
        let written = self.disk.as_ref().map_or(0, |(_, n)| *n);
        self.indptr.push(written + self.genes.len() as u64);
        if 8 * self.genes.len() as u64 > self.most { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), DataError> {
        if self.disk.is_none() {
            self.disk = Some((RowsWriter::new(&self.folder)?, 0));
        }
        if let Some((rows, written)) = &mut self.disk {
            rows.write(&self.genes, &self.values)?;
            *written += self.genes.len() as u64;
        }
        self.most = self.most.min(WAITING);
        for waiting in [&mut self.genes, &mut self.values] {
            waiting.clear();
            waiting.shrink_to(self.most as usize / 4);
        }
        Ok(())
    }

    /// All cells.
    ///
    /// # Errors
    /// [`DataError::Scratch`] when the temporary files cannot be written or mapped.
    pub fn done(mut self) -> Result<Counts, DataError> {
        if self.disk.is_some() {
            self.write()?;
        }
        let (genes, values) = match self.disk {
            Some((rows, _)) => {
                let [genes, values] = rows.files()?;
                let map = |f| Numbers::of_file(f).map_err(|e| DataError::scratch(&self.folder, e));
                (map(&genes)?, map(&values)?)
            }
            None => (self.genes.into(), self.values.into()),
        };
        Ok(Counts { n_genes: self.n_genes, indptr: self.indptr, genes, values })
    }

    /// All cells in temporary files, whatever their number, to be read run by run.
    ///
    /// # Errors
    /// As [`CountsBuilder::push`].
    pub fn rows(mut self) -> Result<CountRows, DataError> {
        self.write()?;
        let rows = match self.disk {
            Some((rows, _)) => rows,
            None => RowsWriter::new(&self.folder)?,
        };
        let shape = (self.indptr.len() - 1, self.n_genes);
        rows.finish(shape, DType::U32, self.indptr).map(CountRows::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_on_disk_are_those_in_memory() {
        let made = |memory: u64| {
            let mut b = CountsBuilder::new(50, memory, &std::env::temp_dir());
            for cell in 0..40u32 {
                b.push((0..50).filter(|g| (g * 7 + cell) % 3 == 0).map(|g| (g, (g + cell) % 5))).unwrap();
            }
            b.push([]).unwrap();
            b.done().unwrap()
        };
        let memory = made(u64::MAX);
        for limit in [0, 1, 100, 1000] {
            let disk = made(limit);
            assert!(disk.genes.on_disk(), "{limit}");
            assert_eq!(disk, memory, "{limit}");
            assert_eq!((disk.n_cells(), disk.cell(3)), (41, memory.cell(3)));
            let keep = [3, 9, 10, 44];
            assert_eq!(disk.select_genes(&keep), memory.select_genes(&keep));
            let few = disk.select_genes_within(&keep, limit, &std::env::temp_dir()).unwrap();
            assert!(few.genes.on_disk() || limit == 1000, "{limit}");
            assert_eq!(few, memory.select_genes(&keep));
            assert_eq!(disk.cells(&[5, 5, 40]), memory.cells(&[5, 5, 40]));
            assert_eq!(serde_json::to_string(&disk).unwrap(), serde_json::to_string(&memory).unwrap());
            // To be changed, they come into memory.
            let mut more = disk.clone();
            more.append(&memory);
            assert_eq!((more.n_cells(), more.cell(44), disk.n_cells()), (82, memory.cell(3), 41));
            assert_eq!(disk.into_sparse().unwrap(), memory.to_sparse().unwrap());
        }
        // Nothing but empty cells.
        let mut empty = CountsBuilder::new(5, 0, &std::env::temp_dir());
        empty.push([(1, 0)]).unwrap();
        assert_eq!(empty.done().unwrap().totals(), [0]);
    }
}
