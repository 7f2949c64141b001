//! Rows of a compressed matrix, kept in memory while they are few and in a temporary file otherwise.

use std::path::Path;
use std::sync::Arc;

use super::number::{Fault, Number};
use crate::data::scratch::RowsWriter;
use crate::data::{DataError, Layout, Matrix, Sparse};

/// Where rows are kept.
enum Keep<T> {
    Memory { indices: Vec<u32>, values: Vec<T> },
    Disk(RowsWriter),
}

/// Takes rows in order.
pub(super) struct Rows<T> {
    shape: (usize, usize),
    indptr: Vec<u64>,
    keep: Keep<T>,
    /// Entries that were added to another of the same cell and feature.
    pub(super) added: u64,
}

/// A run of whole rows: where each starts and the last ends, its columns and values.
pub(super) struct Run<T> {
    pub(super) indptr: Vec<u64>,
    pub(super) indices: Vec<u32>,
    pub(super) values: Vec<T>,
}

/// Why rows could not be taken.
pub(super) enum Refused {
    /// A sum does not fit its type.
    Sum(Fault),
    /// The temporary file cannot be written.
    Scratch(DataError),
}

impl<T: Number> Rows<T> {
    /// Room for `nnz` entries, which a file really holds: in memory when they take no more than a third of
    /// `memory`, else in temporary files in `folder`.
    pub(super) fn new(
        shape: (usize, usize),
        nnz: u64,
        memory: u64,
        folder: &Path,
    ) -> Result<Self, DataError> {
        let bytes = nnz.saturating_mul(4 + size_of::<T>() as u64);
        let keep = match usize::try_from(nnz) {
            Ok(n) if bytes <= memory / 3 => {
                Keep::Memory { indices: Vec::with_capacity(n), values: Vec::with_capacity(n) }
            }
            _ => Keep::Disk(RowsWriter::new(folder)?),
        };
        Ok(Self { shape, indptr: vec![0], keep, added: 0 })
    }

    /// Takes the next rows, puts their entries in order and adds those that stand for the same place.
    pub(super) fn push(&mut self, mut run: Run<T>) -> Result<(), Refused> {
        self.added += run.tidy().map_err(Refused::Sum)?;
        let at = self.indptr.last().copied().unwrap_or(0);
        self.indptr.extend(run.indptr.iter().skip(1).map(|p| p + at));
        match &mut self.keep {
            Keep::Memory { indices, values } => {
                indices.extend_from_slice(&run.indices);
                values.extend_from_slice(&run.values);
                Ok(())
            }
            Keep::Disk(writer) => writer.write(&run.indices, &run.values).map_err(Refused::Scratch),
        }
    }

    /// The matrix of all rows.
    pub(super) fn finish(self) -> Result<Matrix, DataError> {
        match self.keep {
            Keep::Memory { indices, values } => Ok(Matrix::Sparse(Sparse::new(
                Layout::Csr,
                self.shape,
                self.indptr,
                indices,
                T::wrap(values),
            )?)),
            Keep::Disk(writer) => {
                Ok(Matrix::OnDisk(Arc::new(writer.finish(self.shape, T::DTYPE, self.indptr)?)))
            }
        }
    }
}

impl<T: Number> Run<T> {
    /// Sorts each row by column and adds entries of the same place; how many were added to others.
    fn tidy(&mut self) -> Result<u64, Fault> {
        let mut twice = false;
        for w in self.indptr.windows(2) {
            let span = w[0] as usize..w[1] as usize;
            let (Some(indices), Some(values)) =
                (self.indices.get_mut(span.clone()), self.values.get_mut(span))
            else {
                continue;
            };
            if indices.is_sorted_by(|a, b| a < b) {
                continue;
            }
            if indices.is_sorted_by(|a, b| a > b) {
                indices.reverse();
                values.reverse();
                continue;
            }
            let mut order: Vec<(u32, T)> = indices.iter().copied().zip(values.iter().copied()).collect();
            order.sort_by_key(|(i, _)| *i);
            for ((i, v), (index, value)) in indices.iter_mut().zip(values.iter_mut()).zip(order) {
                (*i, *v) = (index, value);
            }
            twice |= indices.windows(2).any(|w| w[0] == w[1]);
        }
        if twice { self.add() } else { Ok(0) }
    }

    /// Adds neighbours of the same place.
    fn add(&mut self) -> Result<u64, Fault> {
        let before = self.indices.len();
        let (mut indices, mut values) = (Vec::with_capacity(before), Vec::<T>::with_capacity(before));
        let mut indptr = vec![0u64];
        for w in self.indptr.windows(2) {
            let start = indices.len();
            for i in w[0] as usize..w[1] as usize {
                match values.last_mut() {
                    Some(last) if indices.len() > start && indices.last() == Some(&self.indices[i]) => {
                        *last = last.plus(self.values[i])?;
                    }
                    _ => {
                        indices.push(self.indices[i]);
                        values.push(self.values[i]);
                    }
                }
            }
            indptr.push(indices.len() as u64);
        }
        let added = before - indices.len();
        *self = Self { indptr, indices, values };
        Ok(added as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Block, Values};

    fn run() -> Run<i32> {
        // Rows: 2 1 0 (falling), empty, 4 0 4 (twice), 1.
        Run {
            indptr: vec![0, 3, 3, 6, 7],
            indices: vec![2, 1, 0, 4, 0, 4, 1],
            values: vec![1, 2, 3, 4, 5, 6, 7],
        }
    }

    fn matrix(memory: u64) -> (Matrix, u64) {
        let mut rows = Rows::new((8, 5), 14, memory, &std::env::temp_dir()).unwrap();
        assert!(rows.push(run()).is_ok() && rows.push(run()).is_ok());
        let added = rows.added;
        (rows.finish().unwrap(), added)
    }

    #[test]
    fn rows_come_out_in_order_with_doubles_added_from_memory_and_from_disk() {
        let (Matrix::Sparse(want), 2) = matrix(1 << 20) else { panic!("not in memory") };
        assert_eq!(&want.indptr()[..5], [0, 3, 3, 5, 6]);
        assert_eq!(&want.indices()[..6], [0, 1, 2, 0, 4, 1]);
        let Values::I32(values) = want.values() else { panic!("other type") };
        assert_eq!(values[..6], [3, 2, 1, 5, 10, 7]);
        let (Matrix::OnDisk(m), 2) = matrix(0) else { panic!("not on disk") };
        assert_eq!(m.rows(0..8).unwrap(), Block::Csr(want.clone()));
        let mut at = 0;
        m.stream(1, &mut |start, block| {
            assert_eq!(start, at);
            assert_eq!(block, m.rows(start..start + block.len()).unwrap());
            at += block.len();
            Ok(())
        })
        .unwrap();
        assert_eq!(at, 8);
        assert!(m.rows(3..9).is_err());
    }

    #[test]
    fn a_sum_that_does_not_fit_asks_for_the_wider_type() {
        let mut rows = Rows::new((1, 2), 2, 1 << 20, &std::env::temp_dir()).unwrap();
        let run = Run { indptr: vec![0, 2], indices: vec![1, 1], values: vec![i32::MAX, 1] };
        assert!(matches!(rows.push(run), Err(Refused::Sum(Fault::Wide))));
    }
}
