//! Writing: datasets of a fixed size filled in runs, text, attributes. Nothing written carries a time stamp.

use std::path::Path;

use hdf5_metno as hdf5;

use hdf5::filters::Filter;
use hdf5::types::{FloatSize, IntSize, TypeDescriptor as TD, VarLenUnicode};
use hdf5::{Dataset, File, Group, Hyperslab, Location, SliceOrIndex};

use super::words;
use crate::data::{DType, Values};
use crate::io::error::WriteError;
use crate::io::options::Compression;
use crate::with_values;

/// Arrays above this are compressed.
const COMPRESS_ABOVE: u64 = 1 << 20;
/// Bytes one chunk should hold.
const CHUNK_BYTES: usize = 256 << 10;

/// How a dataset lies in the file.
#[derive(Debug, Clone, Default)]
pub(in crate::io) struct Storage {
    /// Chunk shape; `None` when contiguous.
    pub(in crate::io) chunk: Option<Vec<usize>>,
    /// Filters, in order.
    pub(in crate::io) filters: Vec<Filter>,
}

impl Storage {
    /// Contiguous when small, otherwise chunks of whole rows with shuffle and gzip 4: what every HDF5 reader can read.
    pub(in crate::io) fn for_array(shape: &[usize], dtype: DType) -> Self {
        Self::for_options(shape, dtype, None)
    }

    /// As [`Storage::for_array`], compressed as asked.
    pub(in crate::io) fn for_options(shape: &[usize], dtype: DType, asked: Option<Compression>) -> Self {
        let bytes = super::elements(shape).saturating_mul(dtype.size() as u64);
        let pack = match asked {
            Some(Compression::None) => return Self::default(),
            Some(Compression::Lzf) => Filter::lzf(),
            Some(Compression::Gzip(level)) => Filter::deflate(level.min(9)),
            None => Filter::deflate(4),
        };
        if bytes <= COMPRESS_ABOVE {
            return Self::default();
        }
        let mut chunk = shape.to_vec();
        let row = super::elements(shape.get(1..).unwrap_or(&[])).saturating_mul(dtype.size() as u64).max(1);
        if let Some(rows) = chunk.first_mut() {
            *rows = usize::try_from(CHUNK_BYTES as u64 / row).unwrap_or(1).clamp(1, (*rows).max(1));
        }
        Self { chunk: Some(chunk), filters: vec![Filter::shuffle(), pack] }
    }

    /// As an existing dataset lies, without the filters that cannot be applied here.
    pub(in crate::io) fn like(d: &Dataset) -> Self {
        let filters = d.dcpl().and_then(|p| p.get_filters()).unwrap_or_default();
        let filters: Vec<_> =
            filters.into_iter().filter(|f| f.is_available() && f.encode_enabled()).collect();
        Self { chunk: d.chunk(), filters }
    }
}

/// The HDF5 type of an element type.
pub(super) fn descriptor(dtype: DType) -> TD {
    match dtype {
        DType::Bool => TD::Boolean,
        DType::I8 => TD::Integer(IntSize::U1),
        DType::I16 => TD::Integer(IntSize::U2),
        DType::I32 => TD::Integer(IntSize::U4),
        DType::I64 => TD::Integer(IntSize::U8),
        DType::U8 => TD::Unsigned(IntSize::U1),
        DType::U16 => TD::Unsigned(IntSize::U2),
        DType::U32 => TD::Unsigned(IntSize::U4),
        DType::U64 => TD::Unsigned(IntSize::U8),
        DType::F16 => TD::Float(FloatSize::U2),
        DType::F32 => TD::Float(FloatSize::U4),
        DType::F64 => TD::Float(FloatSize::U8),
    }
}

/// A library error while writing; a full disk, quota or file-size limit becomes [`WriteError::Full`].
pub(in crate::io) fn write_error(path: &Path, e: &hdf5::Error) -> WriteError {
    let text = words(e);
    let full =
        ["errno = 28,", "errno = 122,", "errno = 27,", "No space left", "Disk quota", "File too large"];
    if full.iter().any(|sign| text.contains(sign)) {
        return WriteError::Full { path: path.to_owned() };
    }
    WriteError::io(path, std::io::Error::other(text))
}

/// Opens (or makes, when `new`) a temporary file of our own for writing. It needs no lock, and a lock would outlive the
/// file if the process started another meanwhile. What is written, HDF5 1.8 can read.
pub(in crate::io) fn open_to_write(path: &Path, new: bool) -> hdf5::Result<File> {
    let mut options = File::with_options();
    options.with_fapl(|p| p.file_locking(false).libver_v18());
    // The root group would carry the time otherwise.
    options.with_fcpl(|p| p.obj_track_times(false));
    if new { options.create(path) } else { options.open_rw(path) }
}

/// Makes (or opens, unless `new`) a file, lets `fill` write it, and closes it. After a failed write the file is left open:
/// the library closes a file by writing what it still holds, and crashes when that fails as well.
pub(in crate::io) fn write_file<T>(
    path: &Path,
    new: bool,
    fill: impl FnOnce(&File) -> Result<T, WriteError>,
) -> Result<T, WriteError> {
    let lib = |e: hdf5::Error| write_error(path, &e);
    let file = open_to_write(path, new).map_err(lib)?;
    match fill(&file).and_then(|done| file.flush().map(|()| done).map_err(lib)) {
        Ok(done) => file.close().map(|()| done).map_err(lib),
        Err(e) => {
            std::mem::forget(file);
            Err(e)
        }
    }
}

/// A dataset of numbers of a fixed shape, to be filled by [`write_rows`].
pub(in crate::io) fn create(
    group: &Group,
    name: &str,
    dtype: DType,
    shape: &[usize],
    storage: &Storage,
) -> hdf5::Result<Dataset> {
    let builder = group.new_dataset_builder();
    let builder = match &storage.chunk {
        Some(chunk) if super::elements(shape) > 0 && chunk.len() == shape.len() => {
            // A chunk may not be longer than a dataset of fixed size.
            let chunk: Vec<_> = chunk.iter().zip(shape).map(|(c, n)| (*c).clamp(1, *n)).collect();
            builder.chunk(chunk).set_filters(&storage.filters)
        }
        _ => builder.no_chunk(),
    };
    builder.empty_as(descriptor(dtype)).shape(shape.to_vec()).create(name)
}

/// Writes row-major values into the rows from `start` on. With the last rows everything goes to the disk: closing a
/// dataset would do so, too, but nobody hears when that fails.
pub(in crate::io) fn write_rows(d: &Dataset, start: usize, values: &Values) -> hdf5::Result<()> {
    let shape = d.shape();
    let per_row = shape.get(1..).unwrap_or(&[]).iter().product::<usize>();
    if per_row == 0 || values.is_empty() {
        return Ok(());
    }
    if shape.is_empty() {
        with_values!(values, v => match v.first() {
            Some(v) => d.write_scalar(v),
            None => Ok(()),
        })?;
        return d.flush();
    }
    let rows = values.len() / per_row;
    let mut slab = vec![SliceOrIndex::from(start..start + rows)];
    slab.extend(shape.iter().skip(1).map(|_| SliceOrIndex::from(..)));
    let mut run = shape.clone();
    if let Some(first) = run.first_mut() {
        *first = rows;
    }
    with_values!(values, v => {
        let view = ndarray::ArrayView::from_shape(ndarray::IxDyn(&run), v.as_slice())?;
        d.write_slice(view, Hyperslab::from(slab))
    })?;
    if shape.first() == Some(&(start + rows)) { d.flush() } else { Ok(()) }
}

/// Text of variable length; a text with a zero byte inside cannot be stored.
pub(super) fn text(s: &str) -> hdf5::Result<VarLenUnicode> {
    s.parse().map_err(|e| hdf5::Error::from(format!("the text {s:?} cannot be stored in HDF5: {e}")))
}

/// Texts that can be gone through more than once without being held together in memory.
pub(in crate::io) trait Texts: ExactSizeIterator<Item: AsRef<str>> + Clone {}

impl<T: ExactSizeIterator<Item: AsRef<str>> + Clone> Texts for T {}

/// Texts of variable length written at a time: as many as the library converts in one piece, so that they lie in the file as
/// if all were handed over at once.
const TEXT_RUN: usize = 1 << 16;
/// Texts of fixed length written at a time.
const FIXED_RUN: usize = 1 << 15;

/// Hands over the texts in runs of `size`, each with the number of its first.
fn in_runs<T: Texts>(
    size: usize,
    mut texts: T,
    mut write: impl FnMut(usize, &[T::Item]) -> hdf5::Result<()>,
) -> hdf5::Result<()> {
    let mut run = Vec::with_capacity(texts.len().min(size));
    for start in (0..texts.len()).step_by(size) {
        run.clear();
        run.extend(texts.by_ref().take(size));
        write(start, &run)?;
    }
    Ok(())
}

/// A dataset of texts along one axis.
pub(in crate::io) fn write_strings(group: &Group, name: &str, values: impl Texts) -> hdf5::Result<Dataset> {
    let n = values.len();
    let d = group.new_dataset::<VarLenUnicode>().no_chunk().shape([n]).create(name)?;
    in_runs(TEXT_RUN, values, |start, run| {
        let run = run.iter().map(|s| text(s.as_ref())).collect::<hdf5::Result<Vec<_>>>()?;
        d.write_slice(&run, start..start + run.len())
    })?;
    if n > 0 {
        d.flush()?;
    }
    Ok(d)
}

/// Widest text that is stored with a fixed length.
const FIXED_WIDTH: usize = 1024;

/// A dataset of texts of one fixed length along one axis, as older tools want them; very long texts get variable
/// lengths. Texts of ASCII alone are marked as ASCII.
pub(in crate::io) fn write_fixed_strings(
    group: &Group,
    name: &str,
    values: impl Texts,
) -> hdf5::Result<Dataset> {
    let width = values.clone().map(|s| s.as_ref().len()).max().unwrap_or(0).max(1);
    // Zero bytes pad such texts, so none may end in one; no text with one inside is stored at all.
    if width > FIXED_WIDTH || values.clone().any(|s| s.as_ref().contains('\0')) {
        return write_strings(group, name, values);
    }
    let ascii = values.clone().all(|s| s.as_ref().is_ascii());
    let ty = if ascii { TD::FixedAscii(width) } else { TD::FixedUnicode(width) };
    let n = values.len();
    let builder = group.new_dataset_builder();
    let builder = if (n * width) as u64 > COMPRESS_ABOVE {
        builder.chunk([(CHUNK_BYTES / width).clamp(1, n)]).set_filters(&[Filter::deflate(4)])
    } else {
        builder.no_chunk()
    };
    let d = builder.empty_as(&ty).shape([n]).create(name)?;
    in_runs(FIXED_RUN, values, |start, run| super::cell::write_plain(&d, &ty, start, run))?;
    d.flush()?;
    Ok(d)
}

/// A dataset of one text.
pub(in crate::io) fn write_string(group: &Group, name: &str, value: &str) -> hdf5::Result<Dataset> {
    let d = group.new_dataset::<VarLenUnicode>().no_chunk().create(name)?;
    d.write_scalar(&text(value)?)?;
    d.flush()?;
    Ok(d)
}

/// A group without a time stamp.
pub(in crate::io) fn new_group(parent: &Group, name: &str) -> hdf5::Result<Group> {
    parent.create_group_builder().obj_track_times(false).create(name)
}

/// A text attribute.
pub(in crate::io) fn set_text(at: &Location, name: &str, value: &str) -> hdf5::Result<()> {
    at.new_attr::<VarLenUnicode>().create(name)?.write_scalar(&text(value)?)
}

/// An attribute of texts along one axis.
pub(in crate::io) fn set_texts(at: &Location, name: &str, values: &[&str]) -> hdf5::Result<()> {
    let values = values.iter().map(|s| text(s)).collect::<hdf5::Result<Vec<_>>>()?;
    let attr = at.new_attr::<VarLenUnicode>().shape([values.len()]).create(name)?;
    if values.is_empty() { Ok(()) } else { attr.write_raw(&values) }
}

/// A number or boolean attribute.
pub(in crate::io) fn set_value<T: hdf5::H5Type>(at: &Location, name: &str, value: T) -> hdf5::Result<()> {
    at.new_attr::<T>().create(name)?.write_scalar(&value)
}

/// An attribute of whole numbers along one axis.
pub(in crate::io) fn set_shape(at: &Location, name: &str, shape: &[usize]) -> hdf5::Result<()> {
    let values: Vec<i64> = shape.iter().map(|n| i64::try_from(*n).unwrap_or(i64::MAX)).collect();
    at.new_attr::<i64>().shape([values.len()]).create(name)?.write_raw(&values)
}
