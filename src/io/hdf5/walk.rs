//! All rows of a matrix on disk, in order, in bounded memory: the next run is read while the last one is used.

use std::ops::Range;
use std::path::Path;

use super::array::{Array, Cursor};
use super::matrix::{Compressed, Parts, Stored, to_usize};
use crate::data::scratch::Sorter;
use crate::data::{Block, BlockSink, DataError, Dense, Layout, Sparse, Values, csr_slice};

/// Bytes of a run at most: more does not make reading faster.
const RUN: u64 = 16 << 20;
/// Rows of a run at most.
const RUN_ROWS: usize = 8192;

/// Takes stored entries: their places along both axes and their values.
pub(super) type EntrySink<'a> = dyn FnMut(&[u32], &[u32], &Values) -> Result<(), DataError> + 'a;

/// Bytes of one run, of which a few are in memory at a time.
pub(super) fn run_bytes(memory: u64) -> u64 {
    (memory / 16).clamp(1 << 16, RUN)
}

/// Makes the next thing while the last one is used.
pub(super) fn ahead<T: Send>(
    mut make: impl FnMut() -> Option<Result<T, DataError>> + Send,
    mut take: impl FnMut(T) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut next = make();
    while let Some(item) = next {
        let item = item?;
        let mut later = None;
        let mut taken = Ok(());
        rayon::in_place_scope(|s| {
            s.spawn(|_| later = make());
            taken = take(item);
        });
        taken?;
        next = later;
    }
    Ok(())
}

impl Stored {
    /// Hands over all rows in order. What of a CSC does not fit into `memory` goes to temporary files in `scratch`.
    pub(super) fn walk(&self, memory: u64, scratch: &Path, sink: &mut BlockSink) -> Result<(), DataError> {
        match &self.parts {
            Parts::Dense(d) => self.walk_dense(d, memory, sink),
            Parts::Sparse(m) if m.layout == Layout::Csr => self.walk_csr(m, memory, sink),
            Parts::Sparse(m) => self.walk_csc(m, memory, scratch, sink),
        }
    }

    /// Rows of a dense matrix to read at a time: whole chunks where they fit.
    pub(in crate::io) fn dense_run(&self, d: &Array, memory: u64) -> usize {
        let row = (self.shape.1 as u64).saturating_mul(self.dtype.size() as u64).max(1);
        let rows = |bytes: u64| usize::try_from(bytes / row).unwrap_or(usize::MAX).max(1);
        let (few, most) = (rows(run_bytes(memory)), rows(memory / 4));
        match d.band() {
            band if band <= few => few - few % band,
            band if band <= most => band,
            // Chunks of very many rows are decoded more than once: slower, but within memory.
            _ => most,
        }
    }

    fn walk_dense(&self, d: &Array, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let (n_rows, n_columns) = self.shape;
        let mut runs = (0..n_rows).step_by(self.dense_run(d, memory));
        let step = self.dense_run(d, memory);
        let read = |start: usize| -> Result<_, DataError> {
            let rows = start..start.saturating_add(step).min(n_rows);
            let values = self.dense_rows(d, rows.clone())?;
            Ok((start, Dense::new(rows.len(), n_columns, values)?))
        };
        ahead(|| runs.next().map(read), |(start, rows)| sink(start, Block::Dense(rows)))
    }

    fn walk_csr(&self, m: &Compressed, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let (mut indices, mut data) = (Cursor::new(&m.indices), Cursor::new(&m.data));
        let most = self.entries_per_run(m, memory);
        let mut start = 0;
        let mut read = |rows: Range<usize>| -> Result<_, DataError> {
            let span = m.span(&rows);
            let raw = indices.take(to_usize(span.clone()))?;
            let index = self.indices_of(m, raw, span.start)?;
            let values = data.take(to_usize(span.clone()))?;
            let pointers = m.indptr.get(rows.start..=rows.end).unwrap_or(&[0]);
            let indptr = pointers.iter().map(|p| p - span.start).collect();
            let block = Sparse::new(Layout::Csr, (rows.len(), self.shape.1), indptr, index, values)?;
            Ok((rows.start, block))
        };
        let next = || {
            (start < m.major()).then(|| {
                let run = m.run_of(start, RUN_ROWS, most);
                start = run.end;
                read(run)
            })
        };
        ahead(next, |(start, rows)| sink(start, Block::Csr(rows)))
    }

    fn entries_per_run(&self, m: &Compressed, memory: u64) -> u64 {
        run_bytes(memory) / (m.indices.dtype.size() + self.dtype.size()) as u64
    }

    /// Every entry goes through a sorter: one pass over the file, whatever its size.
    fn walk_csc(
        &self,
        m: &Compressed,
        memory: u64,
        scratch: &Path,
        sink: &mut BlockSink,
    ) -> Result<(), DataError> {
        let mut spill = Sorter::new(self.shape, self.dtype, memory / 2, scratch);
        self.entries_in_order(m, memory, &mut |columns, rows, values| spill.push(rows, columns, values))?;
        let mut start = 0;
        let mut runs = spill.finish()?;
        ahead(
            || runs.next(),
            |run| {
                let rows = run.shape().0;
                if rows <= RUN_ROWS {
                    sink(start, Block::Csr(run))?;
                } else {
                    for from in (0..rows).step_by(RUN_ROWS) {
                        let part = csr_slice(&run, from..(from + RUN_ROWS).min(rows))?;
                        sink(start + from, Block::Csr(part))?;
                    }
                }
                start += rows;
                Ok(())
            },
        )
    }

    /// Hands over the stored entries as they lie in the file: position along the compressed axis (rows of a CSR), along
    /// the other, and value.
    pub(super) fn entries_in_order(
        &self,
        m: &Compressed,
        memory: u64,
        take: &mut EntrySink,
    ) -> Result<(), DataError> {
        if u32::try_from(m.major()).is_err() {
            return Err(DataError::Invalid { what: "more than 2^32 rows or columns".into() });
        }
        let (mut indices, mut data) = (Cursor::new(&m.indices), Cursor::new(&m.data));
        let nnz = m.indptr.last().copied().unwrap_or(0);
        let step = self.entries_per_run(m, memory).max(1);
        let mut at = 0;
        let next = || {
            (at < nnz).then(|| -> Result<_, DataError> {
                let span = at..at.saturating_add(step).min(nnz);
                at = span.end;
                let raw = indices.take(to_usize(span.clone()))?;
                let index = self.indices_of(m, raw, span.start)?;
                Ok((m.majors_of(&span), index, data.take(to_usize(span))?))
            })
        };
        ahead(next, |(major, minor, values)| take(&major, &minor, &values))
    }
}

impl Compressed {
    /// Row of a CSR, column of a CSC for each of the stored entries `span`.
    fn majors_of(&self, span: &Range<u64>) -> Vec<u32> {
        let mut out = Vec::with_capacity(to_usize(span.clone()).len());
        let mut major = self.indptr.partition_point(|&p| p <= span.start).saturating_sub(1);
        let mut at = span.start;
        while at < span.end {
            let end = self.indptr.get(major + 1).copied().unwrap_or(span.end).min(span.end);
            let more = end.saturating_sub(at) as usize;
            out.resize(out.len() + more, major as u32);
            at = at.max(end);
            major += 1;
        }
        out
    }
}
