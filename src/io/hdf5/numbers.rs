//! Numbers of any element type through the HDF5 library.

use std::ops::Range;

use half::f16;
use hdf5_metno as hdf5;

use hdf5::{Container, Hyperslab, SliceOrIndex};

use super::is_null;
use crate::data::{DType, Values};

fn read_raw<T: hdf5::H5Type>(c: &Container, rows: Option<Range<usize>>) -> hdf5::Result<Vec<T>> {
    let Some(rows) = rows else { return c.read_raw() };
    let mut slab = vec![SliceOrIndex::from(rows)];
    slab.extend((1..c.ndim()).map(|_| SliceOrIndex::from(..)));
    Ok(c.read_slice::<T, _, ndarray::IxDyn>(Hyperslab::from(slab))?.into_raw_vec_and_offset().0)
}

/// Reads numbers in the element type found; `rows` picks a range of the first axis.
pub(super) fn read_numbers(c: &Container, dtype: DType, rows: Option<Range<usize>>) -> hdf5::Result<Values> {
    if is_null(c) {
        return Ok(Values::empty(dtype));
    }
    Ok(match dtype {
        // A damaged file may hold any byte in a boolean: read the byte, then decide.
        DType::Bool => Values::Bool(read_raw::<u8>(c, rows)?.into_iter().map(|b| b != 0).collect()),
        DType::I8 => Values::I8(read_raw(c, rows)?),
        DType::I16 => Values::I16(read_raw(c, rows)?),
        DType::I32 => Values::I32(read_raw(c, rows)?),
        DType::I64 => Values::I64(read_raw(c, rows)?),
        DType::U8 => Values::U8(read_raw(c, rows)?),
        DType::U16 => Values::U16(read_raw(c, rows)?),
        DType::U32 => Values::U32(read_raw(c, rows)?),
        DType::U64 => Values::U64(read_raw(c, rows)?),
        DType::F16 => Values::F16(read_raw(c, rows)?),
        DType::F32 => Values::F32(read_raw(c, rows)?),
        DType::F64 => Values::F64(read_raw(c, rows)?),
    })
}

/// Native-order bytes as numbers.
pub(super) fn from_bytes(dtype: DType, bytes: &[u8]) -> Values {
    macro_rules! chunks {
        ($t:ty) => {
            bytes.as_chunks::<{ size_of::<$t>() }>().0.iter().map(|b| <$t>::from_ne_bytes(*b)).collect()
        };
    }
    match dtype {
        DType::Bool => Values::Bool(bytes.iter().map(|b| *b != 0).collect()),
        DType::I8 => Values::I8(chunks!(i8)),
        DType::I16 => Values::I16(chunks!(i16)),
        DType::I32 => Values::I32(chunks!(i32)),
        DType::I64 => Values::I64(chunks!(i64)),
        DType::U8 => Values::U8(chunks!(u8)),
        DType::U16 => Values::U16(chunks!(u16)),
        DType::U32 => Values::U32(chunks!(u32)),
        DType::U64 => Values::U64(chunks!(u64)),
        DType::F16 => Values::F16(chunks!(f16)),
        DType::F32 => Values::F32(chunks!(f32)),
        DType::F64 => Values::F64(chunks!(f64)),
    }
}
