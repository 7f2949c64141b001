//! Reading one field of a compound dataset, and text or arrays of a width known only from the file.
//!
//! The HDF5 crate asks for a Rust type known at compile time. Field names and widths of anndata 0.5/0.6 tables are
//! known only once the file is open, so two wrapper types take their HDF5 description from the running thread. This
//! is the one place in scx with `unsafe`: two trait implementations, no unsafe calls.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ops::Range;

use hdf5_metno as hdf5;

use hdf5::types::{CompoundField, CompoundType, H5Type, IntSize, TypeDescriptor as TD};

thread_local! {
    static FIELD: RefCell<String> = const { RefCell::new(String::new()) };
    static CELL: RefCell<Option<TD>> = const { RefCell::new(None) };
}

/// One field of a compound, its name set by [`field`].
#[repr(transparent)]
pub(super) struct Field<T>(pub T);

// SAFETY: the layout is that of `T` (transparent), and so is the described one: a compound of the size of `T` with a
// single member of `T`'s own type at offset 0. The name has no influence on the layout.
unsafe impl<T: H5Type> H5Type for Field<T> {
    fn type_descriptor() -> TD {
        let name = FIELD.with_borrow(Clone::clone);
        let ty = T::type_descriptor();
        TD::Compound(CompoundType { size: ty.size(), fields: vec![CompoundField::new(&name, ty, 0, 0)] })
    }
}

/// `N` plain bytes that the library fills as described by [`cell`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Cell<const N: usize>(pub [u8; N]);

// SAFETY: any bytes are a valid `[u8; N]`, and the described type is always exactly `N` bytes without pointers: the
// description set by `cell` is used only if it is so, otherwise it is `N` unsigned bytes.
unsafe impl<const N: usize> H5Type for Cell<N> {
    fn type_descriptor() -> TD {
        CELL.with_borrow(Clone::clone)
            .filter(|ty| ty.size() == N && is_plain(ty))
            .unwrap_or_else(|| TD::FixedArray(Box::new(TD::Unsigned(IntSize::U1)), N))
    }
}

/// Whether a type holds its values in place: no pointers and no handles.
fn is_plain(ty: &TD) -> bool {
    match ty {
        TD::Integer(_) | TD::Unsigned(_) | TD::Float(_) | TD::FixedAscii(_) | TD::FixedUnicode(_) => true,
        TD::FixedArray(ty, n) => is_plain(ty) && ty.size().checked_mul(*n).is_some(),
        TD::Compound(c) => c
            .fields
            .iter()
            .all(|f| is_plain(&f.ty) && f.offset.checked_add(f.ty.size()).is_some_and(|end| end <= c.size)),
        _ => false,
    }
}

/// Runs `read` with [`Field`] describing the field called `name`.
pub(super) fn field<R>(name: &str, read: impl FnOnce() -> R) -> R {
    FIELD.with_borrow_mut(|f| name.clone_into(f));
    read()
}

/// Runs `read` with [`Cell`] describing `ty`.
fn cell<R>(ty: TD, read: impl FnOnce() -> R) -> R {
    CELL.with_borrow_mut(|c| *c = Some(ty));
    let result = read();
    CELL.with_borrow_mut(|c| *c = None);
    result
}

/// What is read: a field of a compound, by its name, or plain values; of all rows of a list or of some.
#[derive(Debug, Clone, Default)]
pub(super) struct Which<'a> {
    pub(super) field: Option<&'a str>,
    pub(super) rows: Option<Range<usize>>,
}

/// Reads values of a plain type of any width up to 64 KiB, and hands the bytes of each to `each`. The bytes may be
/// followed by padding.
pub(super) fn read_plain(
    which: &Which,
    ty: &TD,
    source: &hdf5::Container,
    each: &mut dyn FnMut(&[u8]),
) -> hdf5::Result<()> {
    // The widths are rounded up so that a few compiled sizes serve all.
    match ty.size() {
        0..=16 => widths::<16>(which, ty, source, each),
        17..=32 => widths::<32>(which, ty, source, each),
        33..=64 => widths::<64>(which, ty, source, each),
        65..=256 => widths::<256>(which, ty, source, each),
        257..=1024 => widths::<1024>(which, ty, source, each),
        1025..=8192 => widths::<8192>(which, ty, source, each),
        8193..=65536 => widths::<65536>(which, ty, source, each),
        n => Err(hdf5::Error::from(format!("values of {n} bytes each are wider than 65536 bytes"))),
    }
}

fn widths<const N: usize>(
    which: &Which,
    ty: &TD,
    source: &hdf5::Container,
    each: &mut dyn FnMut(&[u8]),
) -> hdf5::Result<()> {
    let described = match (which.field, ty) {
        (Some(name), ty) => {
            TD::Compound(CompoundType { size: N, fields: vec![CompoundField::new(name, ty.clone(), 0, 0)] })
        }
        (None, TD::FixedUnicode(_)) => TD::FixedUnicode(N),
        (None, _) => TD::FixedAscii(N),
    };
    let width = if which.field.is_some() { ty.size() } else { N };
    let values = cell(described, || match &which.rows {
        None => source.read_raw::<Cell<N>>(),
        Some(rows) => Ok(source.read_slice_1d::<Cell<N>, _>(rows.clone())?.to_vec()),
    })?;
    for value in &values {
        each(value.0.get(..width).unwrap_or(&value.0));
    }
    Ok(())
}

/// Writes texts into the rows from `start` on of a dataset of fixed-length text of type `ty`, up to 64 KiB wide.
pub(super) fn write_plain(
    d: &hdf5::Dataset,
    ty: &TD,
    start: usize,
    values: &[impl AsRef<str>],
) -> hdf5::Result<()> {
    match ty.size() {
        0..=16 => write_widths::<16>(d, ty, start, values),
        17..=32 => write_widths::<32>(d, ty, start, values),
        33..=64 => write_widths::<64>(d, ty, start, values),
        65..=256 => write_widths::<256>(d, ty, start, values),
        257..=1024 => write_widths::<1024>(d, ty, start, values),
        1025..=8192 => write_widths::<8192>(d, ty, start, values),
        8193..=65536 => write_widths::<65536>(d, ty, start, values),
        n => Err(hdf5::Error::from(format!("texts of {n} bytes each are wider than 65536 bytes"))),
    }
}

fn write_widths<const N: usize>(
    d: &hdf5::Dataset,
    ty: &TD,
    start: usize,
    values: &[impl AsRef<str>],
) -> hdf5::Result<()> {
    let cells: Vec<Cell<N>> = values
        .iter()
        .map(|s| {
            let mut bytes = [0; N];
            let text = s.as_ref().as_bytes();
            let n = text.len().min(N);
            bytes[..n].copy_from_slice(&text[..n]);
            Cell(bytes)
        })
        .collect();
    let described = match ty {
        TD::FixedUnicode(_) => TD::FixedUnicode(N),
        _ => TD::FixedAscii(N),
    };
    cell(described, || d.write_slice(&ndarray::ArrayView1::from(&cells), start..start + cells.len()))
}
