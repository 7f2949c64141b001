//! Genes × cells as cells × genes: arithmetic on pieces of a matrix, without files.

use crate::data::{Block, DType, DataError, Dense, Element, Sparse, Values};
use crate::io::hdf5::{Tile, by_row};
use crate::with_values;

/// Runs `$body` with `$a` and `$b` bound to the vectors inside two buffers of the same type.
macro_rules! same {
    ($left:expr, $right:expr, ($a:ident, $b:ident) => $body:expr) => {
        same!(@ $left, $right, $a, $b, $body, Bool I8 I16 I32 I64 U8 U16 U32 U64 F16 F32 F64)
    };
    (@ $left:expr, $right:expr, $a:ident, $b:ident, $body:expr, $($variant:ident)*) => {
        match ($left, $right) {
            $((Values::$variant($a), Values::$variant($b)) => $body,)*
            _ => {}
        }
    };
}

/// The rows of a band of `cells` × `genes`, dense.
pub(super) fn dense(
    dtype: DType,
    (cells, genes): (usize, usize),
    tiles: &[Tile],
) -> Result<Block, DataError> {
    let mut out = zeros(dtype, cells.saturating_mul(genes));
    for tile in tiles {
        same!(&mut out, &tile.values, (to, from) => spread(to, genes, from, tile));
    }
    Ok(Block::Dense(Dense::new(cells, genes, out)?))
}

/// Zeros of an element type.
pub(super) fn zeros(dtype: DType, n: usize) -> Values {
    fn of<T: Element>(_: &[T], n: usize) -> Values {
        T::wrap(vec![T::default(); n])
    }
    with_values!(&Values::empty(dtype), v => of(v, n))
}

fn spread<T: Copy>(to: &mut [T], genes: usize, from: &[T], tile: &Tile) {
    let to = to.get_mut(tile.column.saturating_mul(genes)..).unwrap_or_default();
    for (row, gene) in from.chunks(tile.stride.max(1)).take(tile.rows).zip(tile.first..) {
        let row = row.get(..tile.width).unwrap_or(row);
        for (x, cell) in row.iter().zip(to.chunks_exact_mut(genes.max(1))) {
            if let Some(slot) = cell.get_mut(gene) {
                *slot = *x;
            }
        }
    }
}

/// The rows of a band of `cells` × `genes` without their zeros. Tiles come in the order of genes.
pub(super) fn csr(dtype: DType, (cells, genes): (usize, usize), tiles: &[Tile]) -> Result<Block, DataError> {
    let (mut cell, mut gene) = (Vec::new(), Vec::new());
    let mut kept = Values::empty(dtype);
    for tile in tiles {
        same!(&mut kept, &tile.values, (to, from) => pick(from, tile, &mut cell, &mut gene, to));
    }
    Ok(Block::Csr(by_row((cells, genes), &cell, &gene, &kept)?))
}

fn pick<T: Copy + Default + PartialEq>(
    from: &[T],
    tile: &Tile,
    cell: &mut Vec<u32>,
    gene: &mut Vec<u32>,
    kept: &mut Vec<T>,
) {
    let zero = T::default();
    for (row, g) in from.chunks(tile.stride.max(1)).take(tile.rows).zip(tile.first..) {
        let row = row.get(..tile.width).unwrap_or(row);
        for (eight, start) in row.chunks(8).zip((tile.column as u32..).step_by(8)) {
            // Most are zeros: a look at several at once.
            if eight.iter().fold(true, |all, x| all & (*x == zero)) {
                continue;
            }
            for (x, c) in eight.iter().zip(start..) {
                if *x != zero {
                    cell.push(c);
                    gene.push(g as u32);
                    kept.push(*x);
                }
            }
        }
    }
}

/// Entries that are not zero.
pub(super) fn non_zero(tiles: &[Tile]) -> u64 {
    fn count<T: Default + PartialEq>(from: &[T], tile: &Tile) -> u64 {
        let zero = T::default();
        let rows = from.chunks(tile.stride.max(1)).take(tile.rows);
        rows.map(|r| r.get(..tile.width).unwrap_or(r).iter().filter(|x| **x != zero).count() as u64).sum()
    }
    tiles.iter().map(|tile| with_values!(&tile.values, v => count(v, tile))).sum()
}

/// Puts rows of a band (cells × genes) into `to`, genes × `width` cells, from cell `at` on.
pub(super) fn put(to: &mut Values, width: usize, at: usize, block: &Block, rows: std::ops::Range<usize>) {
    match block {
        Block::Dense(d) => {
            let genes = d.shape().1;
            same!(to, d.values(), (to, from) => put_dense(to, width, at, from, genes, rows));
        }
        Block::Csr(s) => same!(to, s.values(), (to, from) => put_csr(to, width, at, from, s, rows)),
    }
}

fn put_dense<T: Copy>(
    to: &mut [T],
    width: usize,
    at: usize,
    from: &[T],
    genes: usize,
    rows: std::ops::Range<usize>,
) {
    for (row, cell) in rows.zip(at..) {
        let values = from.get(row * genes..(row + 1) * genes).unwrap_or(&[]);
        for (x, gene) in values.iter().zip(to.chunks_exact_mut(width.max(1))) {
            if let Some(slot) = gene.get_mut(cell) {
                *slot = *x;
            }
        }
    }
}

/// Entries stored twice add up, as in scipy.
fn put_csr<T: Sum>(
    to: &mut [T],
    width: usize,
    at: usize,
    from: &[T],
    s: &Sparse,
    rows: std::ops::Range<usize>,
) {
    for (row, cell) in rows.zip(at..) {
        let span = s.indptr().get(row).zip(s.indptr().get(row + 1));
        let span = span.map_or(0..0, |(a, b)| *a as usize..*b as usize);
        let genes = s.indices().get(span.clone()).unwrap_or(&[]);
        for (gene, x) in genes.iter().zip(from.get(span).unwrap_or(&[])) {
            if let Some(slot) = to.get_mut(*gene as usize * width + cell) {
                *slot = slot.sum(*x);
            }
        }
    }
}

/// CSR rows with their zeros, row by row.
pub(super) fn with_zeros(s: &Sparse) -> Values {
    let (rows, columns) = s.shape();
    let mut out = zeros(s.values().dtype(), rows.saturating_mul(columns));
    same!(&mut out, s.values(), (to, from) => add_rows(to, from, s));
    out
}

fn add_rows<T: Sum>(to: &mut [T], from: &[T], s: &Sparse) {
    let columns = s.shape().1.max(1);
    for (row, w) in to.chunks_exact_mut(columns).zip(s.indptr().windows(2)) {
        let span = w[0] as usize..w[1] as usize;
        let indices = s.indices().get(span.clone()).unwrap_or(&[]);
        for (i, x) in indices.iter().zip(from.get(span).unwrap_or(&[])) {
            if let Some(slot) = row.get_mut(*i as usize) {
                *slot = slot.sum(*x);
            }
        }
    }
}

/// Addition that wraps as NumPy's does.
trait Sum: Copy {
    fn sum(self, other: Self) -> Self;
}

macro_rules! sums {
    (wrapping: $($t:ty)*; plain: $($f:ty)*) => {
        $(impl Sum for $t { fn sum(self, other: Self) -> Self { self.wrapping_add(other) } })*
        $(impl Sum for $f { fn sum(self, other: Self) -> Self { self + other } })*
    };
}
sums!(wrapping: i8 i16 i32 i64 u8 u16 u32 u64; plain: half::f16 f32 f64);

impl Sum for bool {
    fn sum(self, other: Self) -> Self {
        self | other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Genes 3 × cells 2, in tiles, the first with padding behind its cells.
    fn tiles() -> Vec<Tile> {
        let tile = |first, rows, column, width, stride, values| Tile {
            first,
            rows,
            column,
            width,
            stride,
            values: Values::I32(values),
        };
        vec![
            tile(0, 2, 0, 2, 3, vec![1, 0, 9, 0, 2, 9, 9, 9, 9]),
            tile(2, 1, 0, 1, 1, vec![3]),
            tile(2, 1, 1, 1, 2, vec![4, 9]),
        ]
    }

    #[test]
    fn a_band_of_tiles_turns_into_rows() {
        let Block::Dense(d) = dense(DType::I32, (2, 3), &tiles()).unwrap() else { panic!("sparse") };
        assert_eq!(d.values(), &Values::I32(vec![1, 0, 3, 0, 2, 4]));
        let Block::Csr(s) = csr(DType::I32, (2, 3), &tiles()).unwrap() else { panic!("dense") };
        assert_eq!((s.indptr(), s.indices()), (&[0, 2, 4][..], &[0, 2, 1, 2][..]));
        assert_eq!(s.values(), &Values::I32(vec![1, 3, 2, 4]));
        assert_eq!(non_zero(&tiles()), 4);
    }

    #[test]
    fn rows_put_into_a_band_stand_gene_by_gene() {
        for block in [dense(DType::I32, (2, 3), &tiles()), csr(DType::I32, (2, 3), &tiles())] {
            let mut to = zeros(DType::I32, 3 * 4);
            put(&mut to, 4, 1, &block.unwrap(), 0..2);
            assert_eq!(to, Values::I32(vec![0, 1, 0, 0, 0, 0, 2, 0, 0, 3, 4, 0]));
        }
    }
}
