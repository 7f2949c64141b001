//! Runs of rows brought to the columns, the element type and the layout of the result.

use super::cast::cast;
use super::names::NOWHERE;
use crate::data::{Block, DType, DataError, Dense, Element, Layout, Sparse, Values, slice};
use crate::with_values;

/// What the rows of the result are like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Columns.
    pub(super) n_cols: usize,
    /// Element type.
    pub(super) dtype: DType,
    /// CSR, or every value.
    pub(super) sparse: bool,
}

/// Rows `range` of a block.
pub(super) fn part(block: &Block, range: std::ops::Range<usize>) -> Result<Block, DataError> {
    match block {
        Block::Dense(d) => {
            let n = d.shape().1;
            let values = slice(d.values(), range.start * n..range.end * n);
            Ok(Block::Dense(Dense::new(range.len(), n, values)?))
        }
        Block::Csr(s) => Ok(Block::Csr(csr_part(s, range)?)),
    }
}

/// Rows `range` of a CSR matrix.
pub(super) fn csr_part(s: &Sparse, range: std::ops::Range<usize>) -> Result<Sparse, DataError> {
    let pointers = s.indptr().get(range.start..=range.end).unwrap_or(&[0]);
    let from = pointers.first().copied().unwrap_or(0);
    let span = from as usize..pointers.last().map_or(0, |p| *p as usize);
    let indices = s.indices().get(span.clone()).unwrap_or(&[]).to_vec();
    let indptr = pointers.iter().map(|p| p - from).collect();
    Sparse::new(Layout::Csr, (range.len(), s.shape().1), indptr, indices, slice(s.values(), span))
}

/// A block as rows of the result; `map` says where each of its columns goes.
pub(super) fn fit(block: Block, map: Option<&[u32]>, shape: Shape) -> Result<Block, DataError> {
    match (block, shape.sparse) {
        (Block::Dense(d), false) => dense(&d, map, shape).map(Block::Dense),
        (Block::Dense(d), true) => sparse(&compressed(&d)?, map, shape).map(Block::Csr),
        (Block::Csr(s), true) if map.is_none() && s.values().dtype() == shape.dtype => Ok(Block::Csr(s)),
        (Block::Csr(s), true) => sparse(&s, map, shape).map(Block::Csr),
        (Block::Csr(_), false) => Err(DataError::Invalid {
            what: "a matrix changed between dense and sparse while it was read".into(),
        }),
    }
}

/// `n` rows of missing entries: NaN, or nothing stored.
pub(super) fn missing(n: usize, shape: Shape) -> Result<Block, DataError> {
    if shape.sparse {
        let empty = Values::empty(shape.dtype);
        return Ok(Block::Csr(Sparse::new(
            Layout::Csr,
            (n, shape.n_cols),
            vec![0; n + 1],
            Vec::new(),
            empty,
        )?));
    }
    let values = cast(Values::F32(vec![f32::NAN; n * shape.n_cols]), shape.dtype);
    Ok(Block::Dense(Dense::new(n, shape.n_cols, values)?))
}

fn dense(d: &Dense, map: Option<&[u32]>, shape: Shape) -> Result<Dense, DataError> {
    let (n, own) = d.shape();
    let values = cast(d.values().clone(), shape.dtype);
    let Some(map) = map else { return Dense::new(n, shape.n_cols, values) };
    fn place<T: Element>(v: &[T], own: usize, map: &[u32], n_cols: usize, fill: &Values, n: usize) -> Values {
        let fill = match T::wrap(Vec::new()).dtype() {
            DType::F16 | DType::F32 | DType::F64 => first::<T>(fill),
            _ => T::default(),
        };
        let mut out = vec![fill; n * n_cols];
        if own > 0 && n_cols > 0 {
            for (row, to) in v.chunks_exact(own).zip(out.chunks_exact_mut(n_cols)) {
                for (&x, &c) in row.iter().zip(map) {
                    if let Some(slot) = to.get_mut(c as usize) {
                        *slot = x;
                    }
                }
            }
        }
        T::wrap(out)
    }
    let nan = cast(Values::F32(vec![f32::NAN]), shape.dtype);
    Dense::new(n, shape.n_cols, with_values!(&values, v => place(v, own, map, shape.n_cols, &nan, n)))
}

/// The first value, when it is of this type.
fn first<T: Element>(values: &Values) -> T {
    with_values!(values, v => {
        let any: Option<&dyn std::any::Any> = v.first().map(|x| x as &dyn std::any::Any);
        any.and_then(|x| x.downcast_ref::<T>()).copied().unwrap_or_default()
    })
}

/// Dense rows without their zeros.
fn compressed(d: &Dense) -> Result<Sparse, DataError> {
    let (n, n_cols) = d.shape();
    fn pick<T: Element + PartialEq>(v: &[T], n_cols: usize) -> (Vec<u64>, Vec<u32>, Values) {
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in v.chunks_exact(n_cols.max(1)) {
            for (j, &x) in row.iter().enumerate().filter(|(_, x)| **x != T::default()) {
                indices.push(j as u32);
                values.push(x);
            }
            indptr.push(values.len() as u64);
        }
        (indptr, indices, T::wrap(values))
    }
    let (mut indptr, indices, values) = with_values!(d.values(), v => pick(v, n_cols));
    indptr.resize(n + 1, indices.len() as u64);
    Sparse::new(Layout::Csr, (n, n_cols), indptr, indices, values)
}

/// Number of values of a dense block that are not zero.
pub(super) fn count_dense(values: &Values, own: usize, map: Option<&[u32]>) -> u64 {
    fn count<T: Element + PartialEq>(v: &[T], own: usize, map: Option<&[u32]>) -> u64 {
        let kept = |j: usize| map.is_none_or(|m| m.get(j).is_some_and(|t| *t != NOWHERE));
        v.iter().enumerate().filter(|(i, x)| **x != T::default() && kept(i % own.max(1))).count() as u64
    }
    with_values!(values, v => count(v, own, map))
}

fn sparse(s: &Sparse, map: Option<&[u32]>, shape: Shape) -> Result<Sparse, DataError> {
    let values = cast(s.values().clone(), shape.dtype);
    let Some(map) = map else {
        let (indptr, indices) = (s.indptr().to_vec(), s.indices().to_vec());
        return Sparse::new(Layout::Csr, (s.shape().0, shape.n_cols), indptr, indices, values);
    };
    fn moved<T: Element>(s: &Sparse, v: &[T], map: &[u32]) -> (Vec<u64>, Vec<u32>, Values) {
        let (mut indptr, mut indices) = (Vec::with_capacity(s.indptr().len()), Vec::with_capacity(v.len()));
        let mut values = Vec::with_capacity(v.len());
        indptr.push(0);
        let mut row: Vec<(u32, T)> = Vec::new();
        for w in s.indptr().windows(2) {
            let span = w[0] as usize..w[1] as usize;
            let entries = s.indices().get(span.clone()).unwrap_or(&[]).iter().zip(v.get(span).unwrap_or(&[]));
            row.clear();
            row.extend(entries.filter_map(|(&j, &x)| {
                let to = map.get(j as usize).copied().filter(|t| *t != NOWHERE)?;
                Some((to, x))
            }));
            // Columns in order, as every reader likes them; entries of one cell stay in their order.
            if !row.is_sorted_by_key(|e| e.0) {
                row.sort_by_key(|e| e.0);
            }
            indices.extend(row.iter().map(|e| e.0));
            values.extend(row.iter().map(|e| e.1));
            indptr.push(values.len() as u64);
        }
        (indptr, indices, T::wrap(values))
    }
    let (indptr, indices, values) = with_values!(&values, v => moved(s, v, map));
    Sparse::new(Layout::Csr, (s.shape().0, shape.n_cols), indptr, indices, values)
}
