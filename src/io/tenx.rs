//! What the two formats of 10x Genomics share: names of features, and X as compressed rows.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ndarray::Array2;

use super::error::WriteError;
use super::loss::Entry;
use super::options::FormatOption;
use super::options::WriteOptions;
use super::writers::need_x;
use crate::data::{
    Block, BlockSink, Column, DType, DataError, Dataset, Element, Frame, Layout, Matrix, Names, Repeats,
    RowSource, Sparse,
};
use crate::with_values;

/// Which genome is read.
pub const GENOME_OPTION: FormatOption =
    FormatOption { name: "--genome", help: "Genome of a 10x file that holds several" };

/// There is no place for columns of obs.
pub(super) const NO_OBS: Entry = Entry::Left("cells have names only");

/// Column of var that holds the stable id of a feature.
pub(super) const IDS: &str = "gene_ids";
/// Column of var that holds the kind of a feature.
pub(super) const TYPES: &str = "feature_types";
/// Column of var that holds the genome of a feature.
pub(super) const GENOME: &str = "genome";
/// What a feature is when nothing is said.
pub(super) const EXPRESSION: &str = "Gene Expression";

/// Says which names come more than once; they are kept, since they are no more wrong than the genome's own.
pub(super) fn warn_duplicates(path: &Path, what: &str, table: &Frame) {
    if let Some(Repeats { count, name, .. }) = table.index.stored().and_then(Names::repeats) {
        tracing::warn!(
            "{}: {count} {what} come more than once, {name:?} among them; they are kept as they are",
            path.display(),
        );
    }
}

/// The texts of a column of text or categories, empty where missing; `None` of any other.
pub(super) fn texts(column: &Column) -> Option<Vec<String>> {
    match column {
        Column::Strings(_) | Column::NullableStrings(_) | Column::Categorical(_) => {
            Some((0..column.len()).map(|i| column.text(i).unwrap_or_default().into_owned()).collect())
        }
        _ => None,
    }
}

/// The texts of a column of var, or `other` for each feature.
pub(super) fn texts_or(var: &Frame, column: &str, other: &str) -> Vec<String> {
    var.column(column).and_then(texts).unwrap_or_else(|| vec![other.to_owned(); var.len()])
}

/// The names of a table's rows.
pub(super) fn names(table: &Frame) -> Vec<String> {
    table.index.iter().map(std::borrow::Cow::into_owned).collect()
}

/// Refuses a data set without X.
///
/// # Errors
/// [`WriteError::CannotHold`].
pub(super) fn holds(dataset: &Dataset, path: &Path, _: &WriteOptions) -> Result<(), WriteError> {
    need_x(dataset, path).map(drop)
}

/// X, cells × features, as compressed rows: as it is when sparse, without its zeros when dense.
///
/// # Errors
/// [`WriteError::CannotHold`] when there is no X, [`WriteError::Input`] when it cannot be read.
pub(super) fn compressed(dataset: &Dataset, out: &Path, memory: u64) -> Result<Matrix, WriteError> {
    let x = need_x(dataset, out)?;
    if x.layout() != Layout::Dense {
        return Ok(x.clone());
    }
    let compact = Compact::new(x.clone(), memory).map_err(|e| WriteError::streamed(out, e))?;
    Ok(Matrix::OnDisk(Arc::new(compact)))
}

/// A dense matrix seen as compressed rows without its zeros.
#[derive(Debug)]
struct Compact {
    inner: Matrix,
    nnz: u64,
}

impl Compact {
    /// Walks through the matrix once to count.
    fn new(inner: Matrix, memory: u64) -> Result<Self, DataError> {
        let mut nnz = 0u64;
        inner.stream(memory, &mut |_, block| {
            nnz += without_zeros(block)?.values().len() as u64;
            Ok(())
        })?;
        Ok(Self { inner, nnz })
    }
}

/// Rows without the zeros among them.
fn without_zeros(block: Block) -> Result<Sparse, DataError> {
    let dense = match block {
        Block::Csr(sparse) => return Ok(sparse),
        Block::Dense(dense) => dense,
    };
    let (rows, columns) = dense.shape();
    let (mut indptr, mut indices) = (vec![0u64], Vec::new());
    with_values!(dense.values(), v => {
        let mut kept = Vec::new();
        for row in v.chunks(columns.max(1)).take(rows) {
            for (i, &x) in row.iter().enumerate() {
                // NaN is no zero.
                if x.to_f64() != 0.0 {
                    indices.push(i as u32);
                    kept.push(x);
                }
            }
            indptr.push(indices.len() as u64);
        }
        indptr.resize(rows + 1, indices.len() as u64);
        Sparse::new(Layout::Csr, (rows, columns), indptr, indices, Element::wrap(kept))
    })
}

impl RowSource for Compact {
    fn shape(&self) -> (usize, usize) {
        self.inner.shape()
    }

    fn dtype(&self) -> DType {
        self.inner.dtype()
    }

    fn layout(&self) -> Layout {
        Layout::Csr
    }

    fn nnz(&self) -> Option<u64> {
        Some(self.nnz)
    }

    fn rows(&self, range: Range<usize>) -> Result<Block, DataError> {
        let block = self.inner.rows(range)?;
        Ok(Block::Csr(without_zeros(block)?))
    }

    fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        self.inner.stream(memory, &mut |start, block| sink(start, Block::Csr(without_zeros(block)?)))
    }

    fn columns(
        &self,
        columns: &[usize],
        sink: &mut dyn FnMut(usize, Array2<f64>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        self.inner.columns(columns, sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dense, Index, Values};

    #[test]
    fn a_dense_matrix_becomes_rows_without_zeros_and_keeps_nan() {
        let x = Dense::new(2, 3, Values::F32(vec![0.0, 2.0, f32::NAN, 0.0, 0.0, -1.0])).unwrap();
        let rows = |n: usize| Frame::new(Index::Range(n));
        let mut d = Dataset::new(rows(2), rows(3));
        d.x = Some(Matrix::Dense(x));
        let m = compressed(&d, Path::new("out"), 1 << 20).unwrap();
        assert_eq!((m.nnz(), m.layout(), m.dtype()), (Some(3), Layout::Csr, DType::F32));
        let Matrix::OnDisk(m) = m else { panic!("not a view") };
        let Block::Csr(rows) = m.rows(0..2).unwrap() else { panic!("not sparse") };
        assert_eq!((rows.indptr(), rows.indices()), (&[0, 2, 3][..], &[1, 2, 2][..]));
    }
}
