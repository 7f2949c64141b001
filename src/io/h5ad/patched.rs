//! The result matrix: an existing matrix with new values in some cells, streamed from disk to disk.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::Group;
use ndarray::ArrayView2;

use crate::data::{DType, Layout, Patch, Values};
use crate::io::error::{ReadError, WriteError};
use crate::io::hdf5::{
    Array, Compressed, Parts, Storage, Stored, create, new_group, set_shape, set_text, whole, wide_enough,
    write_error, write_rows,
};
use crate::io::options::DEFAULT_MEMORY;

/// Entries handed over at a time, patched ones counted.
const RUN_ENTRIES: usize = 4 << 20;

/// What was written, to be checked against what reads back.
#[derive(Debug, PartialEq)]
pub(super) struct Written {
    pub(super) shape: (usize, usize),
    pub(super) dtype: DType,
    pub(super) layout: Layout,
    pub(super) nnz: Option<u64>,
}

/// Writes `base` with the values of `patch` as `group/name`, in the layout, index types, chunks and filters of `base`.
/// Floating-point types stay (half precision becomes single), whole numbers become the float that holds them exactly.
pub(super) fn write(
    base: &Stored,
    patch: &Patch,
    group: &Group,
    name: &str,
    out: &Path,
) -> Result<Written, WriteError> {
    let (rows, columns) = base.dims();
    let past = |ids: &[usize], len: usize| ids.last().is_some_and(|&i| i >= len);
    if past(patch.rows(), rows) || past(patch.columns(), columns) {
        let what = format!("the new values reach outside the {rows} × {columns} matrix they belong to");
        return Err(WriteError::CannotHold { path: out.to_owned(), what });
    }
    let dtype = match base.element() {
        DType::F16 => DType::F32,
        float if float.is_float() => float,
        whole => whole.exact_float(),
    };
    let job = Job { base, patch, out, dtype };
    let (layout, nnz) = match &base.parts {
        Parts::Dense(d) => {
            job.dense(d, group, name)?;
            (Layout::Dense, None)
        }
        Parts::Sparse(m) => (m.layout, Some(job.sparse(m, group, name)?)),
    };
    Ok(Written { shape: (rows, columns), dtype, layout, nnz })
}

struct Job<'a> {
    base: &'a Stored,
    patch: &'a Patch,
    out: &'a Path,
    dtype: DType,
}

impl Job<'_> {
    fn lib<T>(&self, result: hdf5::Result<T>) -> Result<T, WriteError> {
        result.map_err(|e| write_error(self.out, &e))
    }

    fn input<T>(&self, result: Result<T, ReadError>) -> Result<T, WriteError> {
        result.map_err(|e| WriteError::Input { path: self.out.to_owned(), source: Box::new(e) })
    }

    fn dense(&self, base: &Array, group: &Group, name: &str) -> Result<(), WriteError> {
        let (n_rows, n_cols) = self.base.dims();
        let storage = Storage::like(&base.dataset);
        let d = self.lib(create(group, name, self.dtype, &[n_rows, n_cols], &storage))?;
        self.lib(
            set_text(&d, "encoding-type", "array").and_then(|()| set_text(&d, "encoding-version", "0.2.0")),
        )?;
        let step = self.base.dense_run(base, DEFAULT_MEMORY);
        for start in (0..n_rows).step_by(step) {
            let rows = start..(start + step).min(n_rows);
            let mut run: Vec<f64> = self.input(self.base.dense_rows(base, rows.clone()))?.iter().collect();
            for (row, cells) in rows.zip(run.chunks_exact_mut(n_cols.max(1))) {
                let Some(new) = self.patch.row(row) else { continue };
                for (&column, &value) in self.patch.columns().iter().zip(new) {
                    cells[column] = f64::from(value);
                }
            }
            self.lib(write_rows(&d, start, &floats(self.dtype, &run)))?;
        }
        Ok(())
    }

    fn sparse(&self, m: &Compressed, group: &Group, name: &str) -> Result<u64, WriteError> {
        let new = Majors::of(self.patch, m);
        let indptr = self.count(m, &new)?;
        let nnz = indptr.last().copied().unwrap_or(0);
        let g = self.lib(new_group(group, name))?;
        let (rows, columns) = self.base.dims();
        self.lib(sparse_attributes(&g, m.layout, (rows, columns)))?;
        let longest = indptr.len().max(1);
        let pointer_dtype = wide_enough(m.indptr_dtype, nnz);
        let index_dtype = wide_enough(m.indices.dtype, new.replaced.len() as u64);
        let length = usize::try_from(nnz).map_err(|_| WriteError::CannotHold {
            path: self.out.to_owned(),
            what: format!("{nnz} stored values are more than this machine can address"),
        })?;
        let data = self.lib(create(&g, "data", self.dtype, &[length], &Storage::like(&m.data.dataset)))?;
        let indices =
            self.lib(create(&g, "indices", index_dtype, &[length], &Storage::like(&m.indices.dataset)))?;
        let storage = Storage::for_array(&[longest], pointer_dtype);
        let pointers = self.lib(create(&g, "indptr", pointer_dtype, &[indptr.len()], &storage))?;
        self.lib(write_rows(&pointers, 0, &whole(pointer_dtype, indptr.iter().copied())))?;
        let mut start = 0;
        while start < m.major() {
            let run = m.run(start, new.run());
            let span = m.span(&run);
            let (old_index, old_value) = self.input(self.base.entries(m, span.clone()))?;
            let old_value: Vec<f64> = old_value.iter().collect();
            let (mut index, mut value) = (Vec::new(), Vec::new());
            for major in run.clone() {
                let at = m.span(&(major..major + 1));
                let at = (at.start - span.start) as usize..(at.end - span.start) as usize;
                let old = old_index[at.clone()].iter().copied().zip(old_value[at].iter().copied());
                match new.position(major) {
                    None => old.for_each(|(i, v)| {
                        index.push(i);
                        value.push(v);
                    }),
                    Some(k) => {
                        let mut cells: Vec<(u32, f64)> =
                            old.filter(|(i, _)| !new.replaced[*i as usize]).collect();
                        cells.extend(
                            new.minors.iter().zip(new.values.row(k)).map(|(&i, &v)| (i as u32, f64::from(v))),
                        );
                        cells.sort_by_key(|(i, _)| *i);
                        index.extend(cells.iter().map(|(i, _)| *i));
                        value.extend(cells.iter().map(|(_, v)| *v));
                    }
                }
            }
            let to = indptr.get(start).copied().unwrap_or(0) as usize;
            self.lib(write_rows(&indices, to, &whole(index_dtype, index.into_iter().map(u64::from))))?;
            self.lib(write_rows(&data, to, &floats(self.dtype, &value)))?;
            start = run.end;
        }
        Ok(nnz)
    }

    /// Pointers of the result, so that its arrays can be made in their final size.
    fn count(&self, m: &Compressed, new: &Majors) -> Result<Vec<u64>, WriteError> {
        let mut indptr = vec![0u64];
        let mut total = 0u64;
        let mut start = 0;
        while start < m.major() {
            let run = m.run(start, new.run());
            let span = m.span(&run);
            let touched =
                new.majors.partition_point(|&i| i < run.start) < new.majors.partition_point(|&i| i < run.end);
            let indices = if touched { self.input(self.base.indices(m, span.clone()))? } else { Vec::new() };
            for major in run.clone() {
                let at = m.span(&(major..major + 1));
                let kept = if new.position(major).is_some() {
                    let old = &indices[(at.start - span.start) as usize..(at.end - span.start) as usize];
                    old.iter().filter(|i| !new.replaced[**i as usize]).count() as u64
                        + new.minors.len() as u64
                } else {
                    at.end - at.start
                };
                total = total.saturating_add(kept);
                indptr.push(total);
            }
            start = run.end;
        }
        Ok(indptr)
    }
}

/// The patch along the axes of a compressed matrix: major × minor is rows × columns in CSR, columns × rows in CSC.
struct Majors<'a> {
    majors: &'a [usize],
    minors: &'a [usize],
    values: ArrayView2<'a, f32>,
    /// For every minor index whether the patch replaces it.
    replaced: Vec<bool>,
}

impl<'a> Majors<'a> {
    fn of(patch: &'a Patch, m: &Compressed) -> Self {
        let (majors, minors, values) = match m.layout {
            Layout::Csc => (patch.columns(), patch.rows(), patch.values().t()),
            _ => (patch.rows(), patch.columns(), patch.values().view()),
        };
        let mut replaced = vec![false; m.minor()];
        for &i in minors {
            if let Some(r) = replaced.get_mut(i) {
                *r = true;
            }
        }
        Self { majors, minors, values, replaced }
    }

    fn position(&self, major: usize) -> Option<usize> {
        self.majors.binary_search(&major).ok()
    }

    /// Rows or columns at a time, so that patched ones stay within memory too.
    fn run(&self) -> usize {
        (RUN_ENTRIES / self.minors.len().max(1)).max(1)
    }
}

/// The attributes anndata asks of a sparse matrix.
pub(super) fn sparse_attributes(g: &Group, layout: Layout, shape: (usize, usize)) -> hdf5::Result<()> {
    set_text(g, "encoding-type", if layout == Layout::Csc { "csc_matrix" } else { "csr_matrix" })?;
    set_text(g, "encoding-version", "0.1.0")?;
    set_shape(g, "shape", &[shape.0, shape.1])
}

/// Values in the float type of the result.
fn floats(dtype: DType, values: &[f64]) -> Values {
    match dtype {
        DType::F32 => Values::F32(values.iter().map(|v| *v as f32).collect()),
        _ => Values::F64(values.to_vec()),
    }
}
