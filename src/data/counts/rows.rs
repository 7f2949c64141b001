//! Counts in temporary files, read run by run in the element type a writer wants.

use std::ops::Range;
use std::sync::Arc;

use super::Counts;
use crate::data::scratch::StoredRows;
use crate::data::{Block, DType, DataError, Element, Layout, RowSource, Sparse, Values};

/// Counts outside memory, cells × genes.
#[derive(Debug, Clone)]
pub struct CountRows {
    rows: Arc<StoredRows>,
    dtype: DType,
}

/// Row pointers, genes and counts of a run of cells.
pub type RowRun = (Vec<u64>, Vec<u32>, Vec<u32>);

impl CountRows {
    /// Rows of whole numbers of 32 bits.
    pub(super) fn new(rows: StoredRows) -> Self {
        Self { rows: Arc::new(rows), dtype: DType::U32 }
    }

    /// The same counts as numbers of another type.
    #[must_use]
    pub fn of_type(&self, dtype: DType) -> Self {
        Self { dtype, ..self.clone() }
    }

    /// The pointers of a run of cells, their genes and counts.
    ///
    /// # Errors
    /// [`DataError`] when the run is outside the cells or cannot be read.
    pub fn run(&self, range: Range<usize>) -> Result<RowRun, DataError> {
        let run = self.rows.read(range)?;
        let values = if let Values::U32(v) = run.values() { v.clone() } else { Vec::new() };
        Ok((run.indptr().to_vec(), run.indices().to_vec(), values))
    }

    /// Some of the cells, in memory.
    ///
    /// # Errors
    /// As [`CountRows::run`].
    pub fn counts(&self, cells: &[usize]) -> Result<Counts, DataError> {
        let mut out = Counts::empty(self.shape().1);
        for &cell in cells {
            let (_, genes, values) = self.run(cell..cell + 1)?;
            out.push(genes.into_iter().zip(values));
        }
        Ok(out)
    }
}

impl RowSource for CountRows {
    fn shape(&self) -> (usize, usize) {
        self.rows.shape()
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        self.rows.nnz()
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        self.rows.row_pointers()
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let shape = (range.len(), self.shape().1);
        let (pointers, genes, values) = self.run(range)?;
        Ok(Block::Csr(Sparse::new(Layout::Csr, shape, pointers, genes, typed(&values, self.dtype))?))
    }
}

/// Whole numbers as values of that type.
pub fn typed(values: &[u32], dtype: DType) -> Values {
    let floats = || values.iter().map(|&v| f64::from(v));
    match dtype {
        DType::I8 => Values::I8(values.iter().map(|&v| v as i8).collect()),
        DType::I16 => Values::I16(values.iter().map(|&v| v as i16).collect()),
        DType::I32 => Values::I32(values.iter().map(|&v| v as i32).collect()),
        DType::I64 => i64::wrap(values.iter().map(|&v| i64::from(v)).collect()),
        DType::U8 => Values::U8(values.iter().map(|&v| v as u8).collect()),
        DType::U16 => Values::U16(values.iter().map(|&v| v as u16).collect()),
        DType::U64 => Values::U64(values.iter().map(|&v| u64::from(v)).collect()),
        DType::F32 => Values::F32(floats().map(|v| v as f32).collect()),
        DType::F64 => Values::F64(floats().collect()),
        // Booleans and half floats cannot hold counts.
        DType::U32 | DType::Bool | DType::F16 => Values::U32(values.to_vec()),
    }
}

/// The largest count a type holds exactly; `None` for types that hold no counts.
pub fn largest(dtype: DType) -> Option<u32> {
    match dtype {
        DType::Bool | DType::F16 => None,
        DType::I8 => Some(i8::MAX as u32),
        DType::U8 => Some(u32::from(u8::MAX)),
        DType::I16 => Some(i16::MAX as u32),
        DType::U16 => Some(u32::from(u16::MAX)),
        DType::I32 => Some(i32::MAX as u32),
        DType::F32 => Some(1 << 24),
        DType::U32 | DType::I64 | DType::U64 | DType::F64 => Some(u32::MAX),
    }
}
