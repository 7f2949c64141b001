//! Counts on their way to a file: written to a temporary file as they are made, read back run by run.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::sync::Arc;

use super::GenerateError;
use crate::data::{Block, Counts, DType, DataError, Element, Layout, RowSource, Sparse, Values};
use crate::io::read_exact_at;

/// Pointers of a run of cells, their genes and counts.
pub(super) type Run = (Vec<u64>, Vec<u32>, Vec<u32>);

/// Takes counts and keeps them outside memory.
pub(super) struct Spool {
    genes: usize,
    out: BufWriter<File>,
    file: File,
    pointers: Vec<u64>,
}

/// Counts in a temporary file, cells × genes, in the element type that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Spooled {
    genes: usize,
    file: Arc<File>,
    pointers: Arc<Vec<u64>>,
    dtype: DType,
}

fn io(e: std::io::Error) -> GenerateError {
    let what = format!("cannot keep the new cells in a temporary file: {e} (TMPDIR chooses another folder)");
    GenerateError::TooLarge { what }
}

impl Spool {
    /// An empty one for cells of so many genes.
    pub(super) fn new(genes: usize) -> Result<Self, GenerateError> {
        let file = tempfile::tempfile().map_err(io)?;
        let out = BufWriter::new(file.try_clone().map_err(io)?);
        Ok(Self { genes, out, file, pointers: vec![0] })
    }

    /// Adds cells; their gene `i` is gene `to[i]` here.
    pub(super) fn push(&mut self, counts: &Counts, to: &[usize]) -> Result<(), GenerateError> {
        let mut at = self.pointers.last().copied().unwrap_or(0);
        let mut row: Vec<(u32, u32)> = Vec::new();
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.cell(cell);
            row.clear();
            row.extend(genes.iter().zip(values).map(|(&g, &v)| (to[g as usize] as u32, v)));
            // A stored model may have its genes in another order than the file.
            row.sort_unstable_by_key(|e| e.0);
            for (gene, v) in row.iter().copied() {
                self.out
                    .write_all(&gene.to_le_bytes())
                    .and_then(|()| self.out.write_all(&v.to_le_bytes()))
                    .map_err(io)?;
            }
            at += genes.len() as u64;
            self.pointers.push(at);
        }
        Ok(())
    }

    /// Ends writing.
    pub(super) fn done(mut self) -> Result<Spooled, GenerateError> {
        self.out.flush().map_err(io)?;
        Ok(Spooled {
            genes: self.genes,
            file: Arc::new(self.file),
            pointers: Arc::new(self.pointers),
            dtype: DType::U32,
        })
    }
}

impl Spooled {
    /// The same counts as numbers of another type.
    pub(super) fn of_type(&self, dtype: DType) -> Self {
        Self { dtype, ..self.clone() }
    }

    /// Genes and counts of a run of cells, with the pointers of its cells.
    pub(super) fn run(&self, range: Range<usize>) -> Result<Run, DataError> {
        let cells = self.pointers.len() - 1;
        if range.end > cells || range.start > range.end {
            return Err(DataError::OutOfRange { what: "row", index: range.end, len: cells });
        }
        let (from, to) = (self.pointers[range.start], self.pointers[range.end]);
        let mut bytes = vec![0u8; ((to - from) * 8) as usize];
        read_exact_at(&self.file, &mut bytes, from * 8).map_err(|e| DataError::Read(Box::new(e)))?;
        let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        let (genes, values) = bytes.chunks_exact(8).map(|b| (word(&b[..4]), word(&b[4..]))).unzip();
        Ok((self.pointers[range.start..=range.end].iter().map(|p| p - from).collect(), genes, values))
    }

    /// Some of the cells, as counts in memory.
    pub(super) fn counts(&self, cells: &[usize]) -> Result<Counts, DataError> {
        let mut out = Counts::empty(self.genes);
        for &cell in cells {
            let (_, genes, values) = self.run(cell..cell + 1)?;
            out.push(genes.into_iter().zip(values));
        }
        Ok(out)
    }
}

/// Whole numbers as values of that type.
pub(super) fn typed(values: &[u32], dtype: DType) -> Values {
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
pub(super) fn largest(dtype: DType) -> Option<u32> {
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

impl RowSource for Spooled {
    fn shape(&self) -> (usize, usize) {
        (self.pointers.len() - 1, self.genes)
    }

    fn dtype(&self) -> DType {
        self.dtype
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        self.pointers.last().copied()
    }

    fn row_pointers(&self) -> Option<&[u64]> {
        Some(&self.pointers)
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let shape = (range.len(), self.genes);
        let (pointers, genes, values) = self.run(range)?;
        Ok(Block::Csr(Sparse::new(Layout::Csr, shape, pointers, genes, typed(&values, self.dtype))?))
    }
}
