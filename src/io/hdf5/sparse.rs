//! Arithmetic on the arrays of sparse matrices, without files.

use rayon::prelude::*;

use crate::data::{DType, DataError, Element, Layout, Sparse, Values};
use crate::with_values;

/// Indices one thread checks at a time.
const PIECE: usize = 1 << 16;

/// Whole numbers of any type as `u64`.
pub(in crate::io) fn unsigned(values: Values) -> Result<Vec<u64>, String> {
    fn all<T: Copy + std::fmt::Display + TryInto<u64>>(v: Vec<T>) -> Result<Vec<u64>, String> {
        if let Some((i, x)) = v.iter().enumerate().find(|(_, x)| (**x).try_into().is_err()) {
            return Err(format!("{x} at entry {i} is negative"));
        }
        // Values of 64 bits stay where they are.
        Ok(v.into_iter().map(|x| x.try_into().unwrap_or_default()).collect())
    }
    match values {
        Values::I8(v) => all(v),
        Values::I16(v) => all(v),
        Values::I32(v) => all(v),
        Values::I64(v) => all(v),
        Values::U8(v) => all(v),
        Values::U16(v) => all(v),
        Values::U32(v) => all(v),
        Values::U64(v) => all(v),
        _ => Err("not whole numbers".into()),
    }
}

/// Whether all of these whole numbers are indices below `bound`.
pub(in crate::io) fn all_below(values: &Values, bound: usize) -> bool {
    // The largest is found many at a time; negative numbers become large ones.
    let bound = bound as u64;
    match values {
        Values::I32(v) => u64::from(v.iter().fold(0, |most: u32, &x| most.max(x.cast_unsigned()))) < bound,
        Values::I64(v) => v.iter().fold(0, |most: u64, &x| most.max(x.cast_unsigned())) < bound,
        other => indices_below(other, usize::try_from(bound).unwrap_or(usize::MAX), 0).is_ok(),
    }
}

/// As [`indices_below`], and without a copy where the numbers have the width of an index.
pub(in crate::io) fn into_indices(values: Values, bound: usize, offset: u64) -> Result<Vec<u32>, String> {
    let sound = |v: &[u32]| {
        let most = v.par_chunks(PIECE).map(|v| v.iter().copied().fold(0, u32::max)).max();
        v.is_empty() || (most.unwrap_or(0) as usize) < bound
    };
    match values {
        // A negative number becomes a large one, and an axis of more than 2³¹ entries has to look twice.
        Values::I32(v) if i32::try_from(bound).is_ok() => match bytemuck::try_cast_vec::<i32, u32>(v) {
            Ok(v) if sound(&v) => Ok(v),
            Ok(v) => indices_below(&Values::I32(bytemuck::cast_vec(v)), bound, offset),
            Err((_, v)) => indices_below(&Values::I32(v), bound, offset),
        },
        Values::U32(v) if sound(&v) => Ok(v),
        other => indices_below(&other, bound, offset),
    }
}

/// Whole numbers of any type as indices below `bound`; `offset` is the position of the first.
pub(in crate::io) fn indices_below(values: &Values, bound: usize, offset: u64) -> Result<Vec<u32>, String> {
    fn all<T: Copy + std::fmt::Display + TryInto<u32> + Sync>(
        v: &[T],
        bound: usize,
        offset: u64,
    ) -> Result<Vec<u32>, String> {
        // No index reaches the largest number: the axis has at most that many entries.
        let index = |x: &T| (*x).try_into().unwrap_or(u32::MAX);
        let mut out = vec![0u32; v.len()];
        let most = out.par_chunks_mut(PIECE).zip(v.par_chunks(PIECE)).map(|(out, v)| {
            out.iter_mut().zip(v).fold(0u32, |most, (to, x)| {
                *to = index(x);
                most.max(*to)
            })
        });
        if v.is_empty() || (most.max().unwrap_or(0) as usize) < bound {
            return Ok(out);
        }
        match v.iter().enumerate().find(|(_, x)| index(x) as usize >= bound) {
            Some((i, x)) => Err(format!("index {x} at position {} is outside 0..{bound}", offset + i as u64)),
            None => Ok(out),
        }
    }
    match values {
        Values::I8(v) => all(v, bound, offset),
        Values::I16(v) => all(v, bound, offset),
        Values::I32(v) => all(v, bound, offset),
        Values::I64(v) => all(v, bound, offset),
        Values::U8(v) => all(v, bound, offset),
        Values::U16(v) => all(v, bound, offset),
        Values::U32(v) => all(v, bound, offset),
        Values::U64(v) => all(v, bound, offset),
        _ => Err("not whole numbers".into()),
    }
}

/// Appends the chosen entries of `from` to `to`, which is of the same type.
pub(in crate::io) fn append(to: &mut Values, from: &Values, keep: &[usize]) {
    fn pick<'a, T: Copy>(from: &'a [T], keep: &'a [usize]) -> impl Iterator<Item = T> + 'a {
        keep.iter().filter_map(|&i| from.get(i).copied())
    }
    match (to, from) {
        (Values::Bool(t), Values::Bool(f)) => t.extend(pick(f, keep)),
        (Values::I8(t), Values::I8(f)) => t.extend(pick(f, keep)),
        (Values::I16(t), Values::I16(f)) => t.extend(pick(f, keep)),
        (Values::I32(t), Values::I32(f)) => t.extend(pick(f, keep)),
        (Values::I64(t), Values::I64(f)) => t.extend(pick(f, keep)),
        (Values::U8(t), Values::U8(f)) => t.extend(pick(f, keep)),
        (Values::U16(t), Values::U16(f)) => t.extend(pick(f, keep)),
        (Values::U32(t), Values::U32(f)) => t.extend(pick(f, keep)),
        (Values::U64(t), Values::U64(f)) => t.extend(pick(f, keep)),
        (Values::F16(t), Values::F16(f)) => t.extend(pick(f, keep)),
        (Values::F32(t), Values::F32(f)) => t.extend(pick(f, keep)),
        (Values::F64(t), Values::F64(f)) => t.extend(pick(f, keep)),
        _ => {}
    }
}

/// Triples in column order as CSR (a counting sort, so columns stay in order within each row).
pub(in crate::io) fn by_row(
    shape: (usize, usize),
    row: &[u32],
    column: &[u32],
    values: &Values,
) -> Result<Sparse, DataError> {
    let mut indptr = vec![0u64; shape.0 + 1];
    for &r in row {
        if let Some(count) = indptr.get_mut(r as usize + 1) {
            *count += 1;
        }
    }
    for i in 1..indptr.len() {
        indptr[i] += indptr[i - 1];
    }
    let mut next = indptr.clone();
    let mut order = vec![0usize; row.len()];
    for (i, &r) in row.iter().enumerate() {
        let at = next[r as usize] as usize;
        order[at] = i;
        next[r as usize] += 1;
    }
    let indices = order.iter().map(|&i| column[i]).collect();
    let values = with_values!(values, v => Element::wrap(order.iter().map(|&i| v[i]).collect()));
    Sparse::new(Layout::Csr, shape, indptr, indices, values)
}

/// `dtype` if it can hold `largest`, otherwise 64 bits.
pub(in crate::io) fn wide_enough(dtype: DType, largest: u64) -> DType {
    let most = match dtype {
        DType::I8 => i8::MAX as u64,
        DType::U8 => u64::from(u8::MAX),
        DType::I16 => i16::MAX as u64,
        DType::U16 => u64::from(u16::MAX),
        DType::I32 => i32::MAX as u64,
        DType::U32 => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    if largest <= most { dtype } else { DType::I64 }
}

/// Whole numbers in a type that [`wide_enough`] found to hold them.
pub(in crate::io) fn whole(dtype: DType, values: impl Iterator<Item = u64>) -> Values {
    match dtype {
        DType::I8 => Values::I8(values.map(|v| v as i8).collect()),
        DType::U8 => Values::U8(values.map(|v| v as u8).collect()),
        DType::I16 => Values::I16(values.map(|v| v as i16).collect()),
        DType::U16 => Values::U16(values.map(|v| v as u16).collect()),
        DType::I32 => Values::I32(values.map(|v| v as i32).collect()),
        DType::U32 => Values::U32(values.map(|v| v as u32).collect()),
        DType::U64 => Values::U64(values.collect()),
        _ => Values::I64(values.map(|v| v as i64).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_out_of_range_is_named_with_its_position() {
        assert_eq!(indices_below(&Values::I64(vec![0, 2]), 3, 0), Ok(vec![0, 2]));
        let negative = indices_below(&Values::I32(vec![0, -1]), 3, 10).unwrap_err();
        assert_eq!(negative, "index -1 at position 11 is outside 0..3");
        // Would be 0 if cut to 32 bits.
        assert!(indices_below(&Values::U64(vec![1 << 32]), 3, 0).is_err());
    }

    #[test]
    fn an_index_type_too_small_for_the_result_becomes_wider() {
        assert_eq!(wide_enough(DType::I8, 127), DType::I8);
        assert_eq!(wide_enough(DType::I8, 128), DType::I64);
        assert_eq!(wide_enough(DType::I32, 1 << 31), DType::I64);
        assert_eq!(wide_enough(DType::U64, u64::MAX), DType::U64);
    }

    #[test]
    fn entries_in_column_order_become_rows_with_columns_in_order() {
        // Rows 2 × columns 3: (1,0)=1 (0,1)=2 (1,1)=3 (0,2)=4.
        let s = by_row((2, 3), &[1, 0, 1, 0], &[0, 1, 1, 2], &Values::U8(vec![1, 2, 3, 4])).unwrap();
        assert_eq!(s.indptr(), [0, 2, 4]);
        assert_eq!(s.indices(), [1, 2, 0, 1]);
        assert_eq!(s.values(), &Values::U8(vec![2, 4, 1, 3]));
    }
}
