//! Writing the arrays of a matrix of any kind, in memory or left on disk, in runs of bounded size. What a group of three
//! arrays means is said by the format that asks.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::{Dataset, Group};

use super::array_out::ArrayOut;
use super::matrix::{Parts, Stored, Three, open_dense};
use super::meter::Meter;
use super::pointers::write_pointers;
use super::walk::ahead;
use super::{Source, Storage, copy, is_null, whole, wide_enough};
use crate::data::scratch::Sorter;
use crate::data::{Block, DType, DataError, Layout, Matrix, Sparse, slice};
use crate::io::error::WriteError;
use crate::io::options::WriteOptions;

/// Stored values of a matrix in memory that are encoded at a time.
const PIECE: usize = 2 << 20;
/// Writes a dense matrix as the dataset `group/name`, rows × columns, in its own element type.
///
/// # Errors
/// [`WriteError`] when the matrix cannot be read on, the target cannot be written, or somebody asked to stop.
pub(in crate::io) fn write_dense(
    m: &Matrix,
    group: &Group,
    name: &str,
    options: &WriteOptions,
    out: &Path,
) -> Result<Dataset, WriteError> {
    let (rows, columns) = m.shape();
    let shape = [rows, columns];
    let mut meter = Meter::start(options, out, name, (rows as u64).saturating_mul(columns as u64));
    if let Some(Stored { parts: Parts::Dense(d), .. }) = reopened(m)
        && d.dataset.shape() == shape
    {
        return copy::dense(&d, group, name, options, &mut meter);
    }
    let storage = Storage::for_options(&shape, m.dtype(), options.compression);
    let mut to = ArrayOut::create(group, name, m.dtype(), &shape, &storage).map_err(|e| meter.library(&e))?;
    m.stream(options.memory, &mut |_, block| match block {
        Block::Dense(block) => {
            to.push(block.values()).map_err(|e| DataError::stopped(meter.library(&e)))?;
            meter.advance(block.values().len() as u64)
        }
        Block::Csr(_) => Err(mixed()),
    })
    .map_err(|e| WriteError::streamed(out, e))?;
    to.finish().map_err(|e| meter.library(&e))
}

/// Writes a sparse matrix as the datasets `data`, `indices` and `indptr` of `group`, compressed along the axis of
/// `layout`, in its own element type. Arrays that lie in a file in that order are copied; index types stay then.
///
/// # Errors
/// As [`write_dense`].
pub(in crate::io) fn write_compressed(
    m: &Matrix,
    group: &Group,
    layout: Layout,
    options: &WriteOptions,
    out: &Path,
) -> Result<(), WriteError> {
    let nnz = m.nnz().ok_or_else(|| {
        input(out, DataError::Invalid { what: "a dense matrix where a sparse one belongs".into() })
    })?;
    let mut meter = Meter::start(options, out, &group.name(), nnz.saturating_mul(2));
    let stored = reopened(m);
    if let Some(stored) = &stored
        && let Parts::Sparse(arrays) = &stored.parts
        && arrays.layout == layout
        // Few readers know null data spaces, which arrays without entries may have.
        && !is_null(&arrays.data.dataset)
        && !is_null(&arrays.indices.dataset)
    {
        return copy::compressed(stored, arrays, group, options, &mut meter);
    }
    let mut to = Arrays::create(m, nnz, group, layout, options, &meter)?;
    let written = match (m, &stored) {
        (Matrix::Sparse(s), _) if s.layout() == layout => to.pieces(s, &mut meter),
        (_, _) if layout == Layout::Csc => turned(m, stored.as_ref(), options, out, &mut to, &mut meter),
        (_, Some(stored)) => {
            stored.walk(options.memory, &options.scratch_folder(out), &mut |_, b| to.block(&b, &mut meter))
        }
        (_, None) => m.stream(options.memory, &mut |_, b| to.block(&b, &mut meter)),
    };
    written.map_err(|e| WriteError::streamed(out, e))?;
    to.finish(group, options).map_err(|e| meter.library(&e))
}

fn input(out: &Path, e: DataError) -> WriteError {
    WriteError::Input { path: out.to_owned(), source: Box::new(e) }
}

fn mixed() -> DataError {
    DataError::Invalid { what: "a matrix changed between dense and sparse while it was read".into() }
}

/// The arrays of a matrix that lies in an HDF5 file.
fn reopened(m: &Matrix) -> Option<Stored> {
    let Matrix::OnDisk(rows) = m else { return None };
    let at = rows.stored()?;
    let source = Source::plain(&at.path);
    let file = source.open().ok()?;
    let data = file.dataset(&at.data).ok()?;
    let stored = match at.compressed {
        None => open_dense(&source, &data).ok()??,
        Some((indices, indptr)) => {
            let (indices, indptr) = (file.dataset(&indices).ok()?, file.dataset(&indptr).ok()?);
            let group = at.data.rsplit_once('/').map_or("/", |(group, _)| group);
            Three { data, indices, indptr }.open(&source, group, at.layout, m.shape()).ok()?
        }
    };
    (stored.dims() == m.shape() && stored.element() == m.dtype()).then_some(stored)
}

/// Writes a matrix compressed along its columns. Its entries come in order of rows and go through a sorter.
fn turned(
    m: &Matrix,
    stored: Option<&Stored>,
    options: &WriteOptions,
    out: &Path,
    to: &mut Arrays,
    meter: &mut Meter,
) -> Result<(), DataError> {
    let (rows, columns) = m.shape();
    if u32::try_from(rows).is_err() {
        return Err(DataError::Invalid { what: "more than 2^32 rows".into() });
    }
    let memory = options.memory / 2;
    let mut spill = Sorter::new((columns, rows), m.dtype(), memory, &options.scratch_folder(out));
    match stored {
        Some(Stored { parts: Parts::Sparse(arrays), .. }) => {
            let stored = stored.ok_or_else(mixed)?;
            stored.entries_in_order(arrays, memory, &mut |major, minor, values| {
                spill.push(minor, major, values)?;
                meter.advance(values.len() as u64)
            })?;
        }
        _ => m.stream(memory, &mut |start, block| {
            let Block::Csr(block) = block else { return Err(mixed()) };
            let mut row = Vec::with_capacity(block.indices().len());
            for (i, w) in block.indptr().windows(2).enumerate() {
                row.resize(row.len() + (w[1] - w[0]) as usize, (start + i) as u32);
            }
            spill.push(block.indices(), &row, block.values())?;
            meter.advance(row.len() as u64)
        })?,
    }
    let mut runs = spill.finish()?;
    ahead(|| runs.next(), |run| to.run(&run).and_then(|()| meter.advance(run.values().len() as u64)))
}

/// The three arrays while they are written.
struct Arrays {
    data: ArrayOut,
    indices: ArrayOut,
    index: DType,
    indptr: Vec<u64>,
    path: std::path::PathBuf,
}

impl Arrays {
    fn create(
        m: &Matrix,
        nnz: u64,
        group: &Group,
        layout: Layout,
        options: &WriteOptions,
        meter: &Meter,
    ) -> Result<Self, WriteError> {
        let minor = if layout == Layout::Csc { m.shape().0 } else { m.shape().1 };
        let shape = [usize::try_from(nnz).map_err(|_| WriteError::CannotHold {
            path: meter.out().to_owned(),
            what: format!("{nnz} stored values are more than this machine can address"),
        })?];
        // One type for indices and pointers: scipy refuses much of its work on a matrix that mixes them.
        let index = wide_enough(DType::I32, nnz.max(minor as u64));
        let new = |name: &str, dtype: DType| {
            let storage = Storage::for_options(&shape, dtype, options.compression);
            ArrayOut::create(group, name, dtype, &shape, &storage).map_err(|e| meter.library(&e))
        };
        let (data, indices) = (new("data", m.dtype())?, new("indices", index)?);
        Ok(Self { data, indices, index, indptr: vec![0], path: meter.out().to_owned() })
    }

    /// Appends entries; the pointers are the caller's.
    fn entries(&mut self, indices: &[u32], values: &crate::data::Values) -> Result<(), DataError> {
        self.data
            .push(values)
            .and_then(|()| self.indices.push(&whole(self.index, indices.iter().map(|&i| u64::from(i)))))
            .map_err(|e| DataError::stopped(super::write_error(&self.path, &e)))
    }

    /// Appends rows of a CSR, or columns of a CSC given as rows of its transpose.
    fn run(&mut self, run: &Sparse) -> Result<(), DataError> {
        let at = self.indptr.last().copied().unwrap_or(0);
        self.entries(run.indices(), run.values())?;
        self.indptr.extend(run.indptr().iter().skip(1).map(|p| p + at));
        Ok(())
    }

    fn block(&mut self, block: &Block, meter: &mut Meter) -> Result<(), DataError> {
        let Block::Csr(run) = block else { return Err(mixed()) };
        self.run(run)?;
        meter.advance(2 * run.values().len() as u64)
    }

    /// A matrix in memory that is in order already.
    fn pieces(&mut self, s: &Sparse, meter: &mut Meter) -> Result<(), DataError> {
        for from in (0..s.values().len()).step_by(PIECE) {
            let span = from..(from + PIECE).min(s.values().len());
            self.entries(&s.indices()[span.clone()], &slice(s.values(), span.clone()))?;
            meter.advance(2 * span.len() as u64)?;
        }
        self.indptr = s.indptr().to_vec();
        Ok(())
    }

    fn finish(self, group: &Group, options: &WriteOptions) -> hdf5::Result<()> {
        self.data.finish()?;
        self.indices.finish()?;
        write_pointers(group, self.index, &self.indptr, options)
    }
}

#[cfg(test)]
#[path = "matrix_out_tests.rs"]
mod tests;
