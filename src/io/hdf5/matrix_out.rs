//! Writing the arrays of a matrix of any kind, in memory or left on disk, in runs of bounded size. What a group of three
//! arrays means is said by the format that asks.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::{Storage, create, whole, wide_enough, write_error, write_rows};
use crate::data::{Block, DType, DataError, Layout, Matrix, Sparse};
use crate::io::{WriteError, WriteOptions};

/// Writes a dense matrix as the dataset `group/name`, rows × columns, in its own element type.
pub(in crate::io) fn write_dense(
    m: &Matrix,
    group: &Group,
    name: &str,
    options: &WriteOptions,
    out: &Path,
) -> Result<Dataset, WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let (rows, columns) = m.shape();
    let shape = [rows, columns];
    let d = create(group, name, m.dtype(), &shape, &Storage::for_array(&shape, m.dtype())).map_err(lib)?;
    m.stream(options.memory, &mut |start, block| match block {
        Block::Dense(block) => write_rows(&d, start, block.values()).map_err(|e| DataError::stopped(lib(e))),
        Block::Csr(_) => Err(mixed()),
    })
    .map_err(|e| WriteError::streamed(out, e))?;
    Ok(d)
}

/// Writes a sparse matrix as the datasets `data`, `indices` and `indptr` of `group`, compressed along the axis of
/// `layout`, in its own element type.
pub(in crate::io) fn write_compressed(
    m: &Matrix,
    group: &Group,
    layout: Layout,
    options: &WriteOptions,
    out: &Path,
) -> Result<(), WriteError> {
    if layout == Layout::Csc {
        let s = in_memory(m, options).map_err(|e| WriteError::streamed(out, e))?;
        let s = if s.layout() == Layout::Csc { s } else { s.turned().map_err(|e| input(out, e))? };
        return arrays(group, &s).map_err(|e| write_error(out, &e));
    }
    stream_csr(m, group, options, out)
}

fn input(out: &Path, e: DataError) -> WriteError {
    WriteError::Input { path: out.to_owned(), source: Box::new(e) }
}

fn mixed() -> DataError {
    DataError::Invalid { what: "a matrix changed between dense and sparse while it was read".into() }
}

fn in_memory(m: &Matrix, options: &WriteOptions) -> Result<Sparse, DataError> {
    if let Matrix::Sparse(s) = m {
        return Ok(s.clone());
    }
    let mut rows = Vec::new();
    m.stream(options.memory, &mut |_, block| match block {
        Block::Csr(s) => {
            rows.push(s);
            Ok(())
        }
        Block::Dense(_) => Err(mixed()),
    })?;
    Sparse::stacked(m.shape(), m.dtype(), &rows)
}

/// Makes room for `nnz` values and their indices below `minor`.
fn room(group: &Group, minor: usize, dtype: DType, nnz: usize) -> hdf5::Result<(Dataset, Dataset, DType)> {
    let index = wide_enough(DType::I32, minor as u64);
    let data = create(group, "data", dtype, &[nnz], &Storage::for_array(&[nnz], dtype))?;
    let indices = create(group, "indices", index, &[nnz], &Storage::for_array(&[nnz], index))?;
    Ok((data, indices, index))
}

fn write_pointers(g: &Group, indptr: &[u64]) -> hdf5::Result<()> {
    let shape = [indptr.len()];
    let d = create(g, "indptr", DType::I64, &shape, &Storage::for_array(&shape, DType::I64))?;
    write_rows(&d, 0, &whole(DType::I64, indptr.iter().copied()))
}

fn arrays(group: &Group, s: &Sparse) -> hdf5::Result<()> {
    let minor = if s.layout() == Layout::Csc { s.shape().0 } else { s.shape().1 };
    let (data, indices, index) = room(group, minor, s.values().dtype(), s.values().len())?;
    write_rows(&data, 0, s.values())?;
    write_rows(&indices, 0, &whole(index, s.indices().iter().map(|&i| u64::from(i))))?;
    write_pointers(group, s.indptr())
}

fn stream_csr(m: &Matrix, group: &Group, options: &WriteOptions, out: &Path) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let nnz = m.nnz().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
        input(out, DataError::Invalid { what: "a dense matrix where a sparse one belongs".into() })
    })?;
    let (data, indices, index) = room(group, m.shape().1, m.dtype(), nnz).map_err(lib)?;
    let mut indptr = vec![0u64];
    let mut at = 0usize;
    m.stream(options.memory, &mut |_, block| {
        let Block::Csr(block) = block else { return Err(mixed()) };
        write_rows(&data, at, block.values())
            .and_then(|()| {
                write_rows(&indices, at, &whole(index, block.indices().iter().map(|&i| u64::from(i))))
            })
            .map_err(|e| DataError::stopped(lib(e)))?;
        indptr.extend(block.indptr().iter().skip(1).map(|p| p + at as u64));
        at += block.values().len();
        Ok(())
    })
    .map_err(|e| WriteError::streamed(out, e))?;
    write_pointers(group, &indptr).map_err(lib)
}
