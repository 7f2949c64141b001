//! Walking through a matrix once, in order, in bounded memory: what every writer does.

use ndarray::Array2;

use super::{Block, DType, DataError, Dense, Element, Layout, Matrix, Sparse, Values};
use crate::with_values;

/// Takes a run of rows and the number of the first; runs come in order and leave no gap.
pub type BlockSink<'a> = dyn FnMut(usize, Block) -> Result<(), DataError> + 'a;

/// Rows of one run at most.
const RUN_ROWS: usize = 8192;

/// Rows that may be in memory at once, when a row takes `row_bytes`: a sixteenth of what is allowed, since a run is held
/// in several forms on its way.
pub fn rows_per_run(memory: u64, row_bytes: u64) -> usize {
    let most = usize::try_from(memory / 16 / row_bytes.max(1)).unwrap_or(usize::MAX);
    most.clamp(1, RUN_ROWS)
}

impl Matrix {
    /// Hands over all rows in order, dense matrices as dense runs and sparse ones as CSR, whatever way they are stored.
    /// `memory` bounds the bytes held at once.
    ///
    /// # Errors
    /// [`DataError`] when the file cannot be read on; errors of `sink` pass through.
    pub fn stream(&self, memory: u64, sink: &mut BlockSink) -> Result<(), DataError> {
        let (rows, columns) = self.shape();
        match self {
            Matrix::OnDisk(m) => m.stream(memory, sink),
            Matrix::Dense(m) => {
                let step = rows_per_run(memory, (columns * m.values().dtype().size()) as u64);
                for start in (0..rows).step_by(step) {
                    let end = (start + step).min(rows);
                    let values = slice(m.values(), start * columns..end * columns);
                    sink(start, Block::Dense(Dense::new(end - start, columns, values)?))?;
                }
                Ok(())
            }
            Matrix::Sparse(m) if m.layout() == Layout::Csr => {
                for start in (0..rows).step_by(RUN_ROWS) {
                    let end = (start + RUN_ROWS).min(rows);
                    sink(start, Block::Csr(csr_slice(m, start..end)?))?;
                }
                Ok(())
            }
            Matrix::Sparse(m) => Matrix::Sparse(m.turned()?).stream(memory, sink),
        }
    }
}

/// Hands over a block in runs of at most `step` rows; `start` is its first row.
///
/// # Errors
/// Those of `sink`.
pub fn in_runs(start: usize, block: Block, step: usize, sink: &mut BlockSink) -> Result<(), DataError> {
    let rows = block.len();
    if rows <= step {
        return sink(start, block);
    }
    let run = match block {
        Block::Dense(d) => Matrix::Dense(d),
        Block::Csr(s) => Matrix::Sparse(s),
    };
    for from in (0..rows).step_by(step) {
        sink(start + from, run.rows(from..(from + step).min(rows))?)?;
    }
    Ok(())
}

/// Entries `range` of a buffer, of the same type.
pub fn slice(values: &Values, range: std::ops::Range<usize>) -> Values {
    fn part<T: Element>(v: &[T], range: std::ops::Range<usize>) -> Values {
        T::wrap(v.get(range).unwrap_or(&[]).to_vec())
    }
    with_values!(values, v => part(v, range))
}

/// Rows `rows` of a CSR matrix in memory.
///
/// # Errors
/// [`DataError`] when the matrix is no CSR of so many rows.
pub fn csr_slice(m: &Sparse, rows: std::ops::Range<usize>) -> Result<Sparse, DataError> {
    let pointers = m.indptr().get(rows.start..=rows.end).unwrap_or(&[0]);
    let (from, to) = (pointers[0], pointers[pointers.len() - 1]);
    let span = from as usize..to as usize;
    let indices = m.indices().get(span.clone()).unwrap_or(&[]).to_vec();
    let indptr = pointers.iter().map(|p| p - from).collect();
    Sparse::new(Layout::Csr, (rows.len(), m.shape().1), indptr, indices, slice(m.values(), span))
}

/// Appends all of `from` to `to`, which is of the same type; other types are left out.
pub fn append(to: &mut Values, from: &Values) {
    macro_rules! same {
        ($($variant:ident),*) => {
            match (to, from) {
                $((Values::$variant(t), Values::$variant(f)) => t.extend_from_slice(f),)*
                _ => {}
            }
        };
    }
    same!(Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, F32, F64);
}

impl Sparse {
    /// CSR runs, one below the other, as one matrix.
    ///
    /// # Errors
    /// [`DataError`] when the runs do not add up to `shape`.
    pub fn stacked(shape: (usize, usize), dtype: DType, runs: &[Sparse]) -> Result<Sparse, DataError> {
        let (mut indptr, mut indices) = (vec![0u64], Vec::new());
        let mut values = Values::empty(dtype);
        for run in runs {
            let at = indices.len() as u64;
            indptr.extend(run.indptr().iter().skip(1).map(|p| p + at));
            indices.extend_from_slice(run.indices());
            append(&mut values, run.values());
        }
        Sparse::new(Layout::Csr, shape, indptr, indices, values)
    }

    /// The same matrix compressed along its other axis: CSR as CSC, CSC as CSR. Indices come out in order; entries stored
    /// twice stay twice.
    ///
    /// # Errors
    /// [`DataError`] when an axis is longer than indices can count.
    pub fn turned(&self) -> Result<Sparse, DataError> {
        let (rows, columns) = self.shape();
        let (layout, minor) = match self.layout() {
            Layout::Csr => (Layout::Csc, columns),
            _ => (Layout::Csr, rows),
        };
        let mut indptr = vec![0u64; minor + 1];
        for &i in self.indices() {
            indptr[i as usize + 1] += 1;
        }
        for i in 1..indptr.len() {
            indptr[i] += indptr[i - 1];
        }
        let mut next = indptr.clone();
        let mut order = vec![0usize; self.indices().len()];
        let mut indices = vec![0u32; order.len()];
        for (major, w) in self.indptr().windows(2).enumerate() {
            let major = u32::try_from(major)
                .map_err(|_| DataError::Invalid { what: "more than 2^32 rows or columns".into() })?;
            for i in w[0] as usize..w[1] as usize {
                let slot = &mut next[self.indices()[i] as usize];
                order[*slot as usize] = i;
                indices[*slot as usize] = major;
                *slot += 1;
            }
        }
        let values = with_values!(self.values(), v => Element::wrap(order.iter().map(|&i| v[i]).collect()));
        Sparse::new(layout, (rows, columns), indptr, indices, values)
    }
}

impl Block {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Block::Dense(d) => d.shape().0,
            Block::Csr(s) => s.shape().0,
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        match self {
            Block::Dense(d) => d.values().dtype(),
            Block::Csr(s) => s.values().dtype(),
        }
    }

    /// The rows as dense `f64`; entries stored twice add up, as in scipy.
    pub fn to_f64(&self) -> Array2<f64> {
        match self {
            Block::Dense(d) => {
                let (rows, columns) = d.shape();
                let values: Vec<f64> = d.values().iter().collect();
                Array2::from_shape_vec((rows, columns), values)
                    .unwrap_or_else(|_| Array2::zeros((rows, columns)))
            }
            Block::Csr(s) => {
                let mut out = Array2::zeros(s.shape());
                with_values!(s.values(), v => {
                    for (row, w) in s.indptr().windows(2).enumerate() {
                        for i in w[0] as usize..w[1] as usize {
                            out[(row, s.indices()[i] as usize)] += v[i].to_f64();
                        }
                    }
                });
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csr() -> Sparse {
        // 1 0 2 / 0 0 0 / 0 3 4
        Sparse::new(Layout::Csr, (3, 3), vec![0, 2, 2, 4], vec![0, 2, 1, 2], Values::U16(vec![1, 2, 3, 4]))
            .unwrap()
    }

    #[test]
    fn turning_twice_gives_the_same_matrix() {
        let csc = csr().turned().unwrap();
        assert_eq!(csc.layout(), Layout::Csc);
        assert_eq!(csc.indptr(), [0, 1, 2, 4]);
        assert_eq!(csc.indices(), [0, 2, 0, 2]);
        assert_eq!(csc.turned().unwrap(), csr());
    }

    #[test]
    fn a_csc_matrix_streams_as_rows() {
        let mut seen = Vec::new();
        let m = Matrix::Sparse(csr().turned().unwrap());
        m.stream(1 << 20, &mut |start, block| {
            seen.push((start, block));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, vec![(0, Block::Csr(csr()))]);
    }

    #[test]
    fn a_dense_matrix_streams_in_runs_that_fit() {
        let m = Matrix::Dense(Dense::new(3, 2, Values::F32(vec![0., 1., 2., 3., 4., 5.])).unwrap());
        let mut rows = Vec::new();
        m.stream(16 * 8, &mut |start, block| {
            rows.push((start, block.to_f64().into_raw_vec_and_offset().0));
            Ok(())
        })
        .unwrap();
        assert_eq!(rows, vec![(0, vec![0., 1.]), (1, vec![2., 3.]), (2, vec![4., 5.])]);
    }
}
