//! Taking counts cell by cell, in bounded memory.

use std::fs::File;
use std::io::{self, Write};

use super::Counts;
use super::numbers::Numbers;

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
    /// Files of genes and of values, and how many of each are in them.
    disk: Option<([File; 2], u64)>,
}

impl CountsBuilder {
    /// No cells of so many genes; `memory` is the bytes that counts may fill (8 for each).
    pub fn new(n_genes: usize, memory: u64) -> Self {
        Self { n_genes, indptr: vec![0], genes: Vec::new(), values: Vec::new(), most: memory, disk: None }
    }

    /// Adds a cell from (gene, count) pairs with increasing genes below the number of genes; zeros are left out.
    ///
    /// # Errors
    /// When the temporary files cannot be written.
    pub fn push(&mut self, cell: impl IntoIterator<Item = (u32, u32)>) -> io::Result<()> {
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

    fn write(&mut self) -> io::Result<()> {
        if self.disk.is_none() {
            self.disk = Some(([tempfile::tempfile()?, tempfile::tempfile()?], 0));
        }
        if let Some(([genes, values], written)) = &mut self.disk {
            genes.write_all(bytemuck::cast_slice(&self.genes))?;
            values.write_all(bytemuck::cast_slice(&self.values))?;
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
    /// When the temporary files cannot be written or mapped.
    pub fn done(mut self) -> io::Result<Counts> {
        if self.disk.is_some() {
            self.write()?;
        }
        let (genes, values) = match &self.disk {
            Some(([genes, values], _)) => (Numbers::of_file(genes)?, Numbers::of_file(values)?),
            None => (self.genes.into(), self.values.into()),
        };
        Ok(Counts { n_genes: self.n_genes, indptr: self.indptr, genes, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_on_disk_are_those_in_memory() {
        let made = |memory: u64| {
            let mut b = CountsBuilder::new(50, memory);
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
            let few = disk.select_genes_within(&keep, limit).unwrap();
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
        let mut empty = CountsBuilder::new(5, 0);
        empty.push([(1, 0)]).unwrap();
        assert_eq!(empty.done().unwrap().totals(), [0]);
    }
}
