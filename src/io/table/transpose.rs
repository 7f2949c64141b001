//! A table with genes in its rows, read as cells × genes.

use super::matrix::TextMatrix;
use crate::data::scratch::{RowsWriter, Sorter};
use crate::data::{Block, DType, DataError, Dense, Element, Layout, Matrix, Sparse, Values};
use crate::io::options::ReadOptions;
use crate::with_values;

/// The matrix with rows and columns exchanged: in memory when it takes at most `most` bytes there, otherwise as rows
/// without their zeros in a temporary file.
///
/// # Errors
/// [`DataError`] when the table cannot be read on or the temporary file not be written.
pub(super) fn turned(m: TextMatrix, most: u64, options: &ReadOptions) -> Result<Matrix, DataError> {
    match m.into_matrix(most)? {
        Matrix::Dense(d) => Ok(Matrix::Dense(dense(&d)?)),
        Matrix::Sparse(s) => {
            let (rows, columns) = s.shape();
            let (indptr, indices) = (s.indptr().to_vec(), s.indices().to_vec());
            let turned = Sparse::new(Layout::Csc, (columns, rows), indptr, indices, s.values().clone())?;
            Ok(Matrix::Sparse(turned.turned()?))
        }
        outside => sorted(&outside, options),
    }
}

fn dense(d: &Dense) -> Result<Dense, DataError> {
    fn of<T: Element>(v: &[T], (rows, columns): (usize, usize)) -> Values {
        let at = |i: usize| v.get(i % rows.max(1) * columns + i / rows.max(1)).copied().unwrap_or_default();
        T::wrap((0..v.len()).map(at).collect())
    }
    let (rows, columns) = d.shape();
    Dense::new(columns, rows, with_values!(d.values(), v => of(v, (rows, columns))))
}

/// Sorts all entries that are not zero by column.
fn sorted(m: &Matrix, options: &ReadOptions) -> Result<Matrix, DataError> {
    let (rows, columns) = m.shape();
    let shape = (columns, rows);
    if u32::try_from(rows.max(columns)).is_err() {
        return Err(DataError::Invalid { what: "more than 2^32 rows or columns".into() });
    }
    let dtype: DType = m.dtype();
    let folder = options.scratch_folder();
    let mut sorter = Sorter::new(shape, dtype, options.memory / 3, &folder);
    m.stream(options.memory / 3, &mut |start, block| {
        let (row, column, values) = entries(start as u32, &block);
        sorter.push(&column, &row, &values)
    })?;
    let mut writer = RowsWriter::new(&folder)?;
    let mut indptr = vec![0];
    for run in sorter.finish()? {
        let run = run?;
        let at = indptr.last().copied().unwrap_or(0);
        indptr.extend(run.indptr().iter().skip(1).map(|p| p + at));
        writer.write(run.indices(), run.values().bytes())?;
    }
    Ok(Matrix::OnDisk(std::sync::Arc::new(writer.finish(shape, dtype, indptr)?)))
}

/// Row, column and value of each entry of a block that is not zero.
fn entries(start: u32, block: &Block) -> (Vec<u32>, Vec<u32>, Values) {
    match block {
        Block::Csr(s) => {
            let pointers = s.indptr().windows(2).zip(start..);
            let rows = pointers.flat_map(|(w, row)| (w[0]..w[1]).map(move |_| row)).collect();
            (rows, s.indices().to_vec(), s.values().clone())
        }
        Block::Dense(d) => {
            let n = d.shape().1.max(1);
            let kept: Vec<usize> = d
                .values()
                .iter()
                .enumerate()
                .filter(|(_, x)| *x != 0.0 || x.is_sign_negative())
                .map(|(i, _)| i)
                .collect();
            let rows = kept.iter().map(|i| start + (i / n) as u32).collect();
            let columns = kept.iter().map(|i| (i % n) as u32).collect();
            let values = with_values!(d.values(), v => Element::wrap(kept.iter().map(|&i| v[i]).collect()));
            (rows, columns, values)
        }
    }
}
