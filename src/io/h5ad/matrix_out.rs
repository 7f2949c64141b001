//! Writing a matrix of any kind, in memory or left on disk, in runs of bounded size.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;

use super::patched::sparse_attributes;
use super::sparse::{by_row, whole, wide_enough};
use crate::data::{Block, DType, DataError, Layout, Matrix, RowSource, Sparse, Values};
use crate::io::WriteError;
use crate::io::hdf5::{Storage, create, new_group, set_text, write_error, write_rows};

/// Bytes of dense rows held at a time.
const RUN_BYTES: usize = 32 << 20;
/// Rows of a sparse matrix on disk held at a time.
const RUN_ROWS: usize = 8192;

/// Writes a matrix as `group/name` in its own layout and element type.
pub(super) fn write(m: &Matrix, group: &Group, name: &str, out: &Path) -> Result<(), WriteError> {
    if name.contains('/') || name.is_empty() {
        let what = format!("{name:?} as a name inside an h5ad file; rename it without a slash");
        return Err(WriteError::CannotHold { path: out.to_owned(), what });
    }
    match m {
        Matrix::Dense(d) => {
            let (rows, columns) = d.shape();
            dense(group, name, (rows, columns), d.values().dtype(), out, &mut |to| to(0, d.values()))
        }
        Matrix::Sparse(s) => sparse(group, name, s, out),
        Matrix::OnDisk(source) => match source.layout() {
            Layout::Dense => stream_dense(source.as_ref(), group, name, out),
            Layout::Csr => stream_csr(source.as_ref(), group, name, out),
            // The rows of a CSC cost one scan of all of it, however few: take them all at once and turn them back.
            Layout::Csc => {
                let block = source.rows(0..source.shape().0).map_err(|e| input(out, e))?;
                match block {
                    Block::Csr(s) => sparse(group, name, &transposed(&s).map_err(|e| input(out, e))?, out),
                    Block::Dense(d) => write(&Matrix::Dense(d), group, name, out),
                }
            }
        },
    }
}

fn input(out: &Path, e: DataError) -> WriteError {
    WriteError::Input { path: out.to_owned(), source: Box::new(e) }
}

/// Takes a run of rows and where it starts.
type Sink<'a> = dyn FnMut(usize, &Values) -> Result<(), WriteError> + 'a;

fn dense(
    group: &Group,
    name: &str,
    (rows, columns): (usize, usize),
    dtype: DType,
    out: &Path,
    fill: &mut dyn FnMut(&mut Sink) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let shape = [rows, columns];
    let d = create(group, name, dtype, &shape, &Storage::for_array(&shape, dtype)).map_err(lib)?;
    set_text(&d, "encoding-type", "array").map_err(lib)?;
    set_text(&d, "encoding-version", "0.2.0").map_err(lib)?;
    fill(&mut |start, values| write_rows(&d, start, values).map_err(lib))
}

fn stream_dense(m: &dyn RowSource, group: &Group, name: &str, out: &Path) -> Result<(), WriteError> {
    let (rows, columns) = m.shape();
    let step = (RUN_BYTES / columns.saturating_mul(m.dtype().size()).max(1)).max(1);
    dense(group, name, (rows, columns), m.dtype(), out, &mut |to| {
        for start in (0..rows).step_by(step) {
            match m.rows(start..(start + step).min(rows)).map_err(|e| input(out, e))? {
                Block::Dense(block) => to(start, block.values())?,
                Block::Csr(_) => return Err(mixed(out)),
            }
        }
        Ok(())
    })
}

fn mixed(out: &Path) -> WriteError {
    input(
        out,
        DataError::Invalid { what: "a matrix changed between dense and sparse while it was read".into() },
    )
}

/// Makes the group of a sparse matrix with room for `nnz` values and its pointers written.
fn sparse_group(
    group: &Group,
    name: &str,
    layout: Layout,
    shape: (usize, usize),
    dtype: DType,
    nnz: usize,
) -> hdf5::Result<(Group, hdf5::Dataset, hdf5::Dataset, DType)> {
    let g = new_group(group, name)?;
    sparse_attributes(&g, layout, shape)?;
    let minor = if layout == Layout::Csc { shape.0 } else { shape.1 };
    let index = wide_enough(DType::I32, minor as u64);
    let data = create(&g, "data", dtype, &[nnz], &Storage::for_array(&[nnz], dtype))?;
    let indices = create(&g, "indices", index, &[nnz], &Storage::for_array(&[nnz], index))?;
    Ok((g, data, indices, index))
}

fn write_pointers(g: &Group, indptr: &[u64]) -> hdf5::Result<()> {
    let shape = [indptr.len()];
    let d = create(g, "indptr", DType::I64, &shape, &Storage::for_array(&shape, DType::I64))?;
    write_rows(&d, 0, &whole(DType::I64, indptr.iter().copied()))
}

fn sparse(group: &Group, name: &str, s: &Sparse, out: &Path) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let nnz = s.values().len();
    let (g, data, indices, index) =
        sparse_group(group, name, s.layout(), s.shape(), s.values().dtype(), nnz).map_err(lib)?;
    write_rows(&data, 0, s.values()).map_err(lib)?;
    write_rows(&indices, 0, &whole(index, s.indices().iter().map(|&i| u64::from(i)))).map_err(lib)?;
    write_pointers(&g, s.indptr()).map_err(lib)
}

fn stream_csr(m: &dyn RowSource, group: &Group, name: &str, out: &Path) -> Result<(), WriteError> {
    let lib = |e: hdf5::Error| write_error(out, &e);
    let (rows, _) = m.shape();
    let nnz = m.nnz().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| mixed(out))?;
    let (g, data, indices, index) =
        sparse_group(group, name, Layout::Csr, m.shape(), m.dtype(), nnz).map_err(lib)?;
    let mut indptr = vec![0u64];
    let mut at = 0usize;
    for start in (0..rows).step_by(RUN_ROWS) {
        let Block::Csr(block) = m.rows(start..(start + RUN_ROWS).min(rows)).map_err(|e| input(out, e))?
        else {
            return Err(mixed(out));
        };
        write_rows(&data, at, block.values()).map_err(lib)?;
        write_rows(&indices, at, &whole(index, block.indices().iter().map(|&i| u64::from(i))))
            .map_err(lib)?;
        indptr.extend(block.indptr().iter().skip(1).map(|p| p + at as u64));
        at += block.values().len();
    }
    write_pointers(&g, &indptr).map_err(lib)
}

/// A CSR matrix as CSC.
fn transposed(s: &Sparse) -> Result<Sparse, DataError> {
    let (rows, columns) = s.shape();
    let mut column = Vec::with_capacity(s.indices().len());
    for (r, w) in s.indptr().windows(2).enumerate() {
        column.extend((w[0]..w[1]).map(|_| r as u32));
    }
    let turned = by_row((columns, rows), s.indices(), &column, s.values())?;
    Sparse::new(
        Layout::Csc,
        (rows, columns),
        turned.indptr().to_vec(),
        turned.indices().to_vec(),
        turned.values().clone(),
    )
}
