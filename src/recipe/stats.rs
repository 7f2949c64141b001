//! What is counted in one walk through a matrix, in bounded memory.

use super::RecipeError;
use crate::data::{Block, DType, DataError, Element, Matrix, not_finite};
use crate::progress::Progress;
use crate::with_values;

/// How a recipe may work.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Bytes of memory it may take.
    pub memory: u64,
    /// Is told how the work goes and may stop it.
    pub progress: &'a dyn Progress,
    /// Go on although the data look as if they were on another scale.
    pub force_space: bool,
    /// Share of the genes of the result that another data set may lack.
    pub max_missing: f64,
    /// Column of var by which genes of a replayed recipe are found; looked for when `None`.
    pub gene_column: Option<&'a str>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            progress: &crate::progress::Silent,
            force_space: false,
            max_missing: 0.1,
            gene_column: None,
        }
    }
}

/// Walks through all rows once; a value that is no finite number ends it.
pub(super) fn walk(
    options: &Options,
    what: &str,
    m: &Matrix,
    mut see: impl FnMut(usize, &Block) -> Result<(), DataError>,
) -> Result<(), RecipeError> {
    options.progress.start(what, m.shape().0 as u64);
    let done = m.stream(options.memory, &mut |start, block| {
        if options.progress.cancelled() {
            return Err(DataError::stopped(RecipeError::Cancelled));
        }
        if let Some((row, column, value)) = first_odd(&block) {
            return Err(DataError::stopped(RecipeError::NotFinite { value, row: start + row, column }));
        }
        see(start, &block)?;
        options.progress.advance((start + block.len()) as u64, "cells");
        Ok(())
    });
    options.progress.finish();
    Ok(done?)
}

/// The first value of a block that is no finite number: its row, its column and what it is.
pub(super) fn first_odd(block: &Block) -> Option<(usize, usize, &'static str)> {
    let values = match block {
        Block::Dense(d) => d.values(),
        Block::Csr(s) => s.values(),
    };
    if !values.dtype().is_float() {
        return None;
    }
    let at = with_values!(values, v => v.iter().position(|x| !x.to_f64().is_finite()))?;
    let word = not_finite(values.get(at)?)?;
    Some(match block {
        Block::Dense(d) => (at / d.shape().1.max(1), at % d.shape().1.max(1), word),
        Block::Csr(s) => {
            let row = s.indptr().partition_point(|p| *p <= at as u64).saturating_sub(1);
            (row, *s.indices().get(at)? as usize, word)
        }
    })
}

/// Shows row, column and value of every stored entry; zeros of dense rows are passed over.
pub(super) fn each(block: &Block, mut see: impl FnMut(usize, usize, f64)) {
    match block {
        Block::Dense(d) => with_values!(d.values(), v => {
            let wide = d.shape().1.max(1);
            for (row, cells) in v.chunks_exact(wide).enumerate() {
                for (column, x) in cells.iter().enumerate() {
                    let x = x.to_f64();
                    if x != 0.0 {
                        see(row, column, x);
                    }
                }
            }
        }),
        Block::Csr(s) => with_values!(s.values(), v => {
            for (row, w) in s.indptr().windows(2).enumerate() {
                let span = w[0] as usize..w[1] as usize;
                let (indices, values) = (s.indices().get(span.clone()), v.get(span));
                for (&column, x) in indices.unwrap_or(&[]).iter().zip(values.unwrap_or(&[])) {
                    see(row, column as usize, x.to_f64());
                }
            }
        }),
    }
}

/// What the cells of a matrix hold.
#[derive(Debug, Clone, Default)]
pub(super) struct CellCounts {
    /// Genes above zero.
    pub(super) genes: Vec<u64>,
    /// Sum of all values.
    pub(super) totals: Vec<f64>,
}

/// What the genes of a matrix hold.
#[derive(Debug, Clone, Default)]
pub(super) struct GeneCounts {
    /// Cells above zero.
    pub(super) cells: Vec<u64>,
    /// Stored values, zeros included.
    pub(super) stored: Vec<u64>,
}

/// Counts genes in cells and cells in genes; only cells with `min_genes` count for the genes.
pub(super) fn count(
    options: &Options,
    m: &Matrix,
    min_genes: u64,
) -> Result<(CellCounts, GeneCounts), RecipeError> {
    let (n, g) = m.shape();
    let mut cells = CellCounts { genes: vec![0; n], totals: vec![0.0; n] };
    let mut genes = GeneCounts { cells: vec![0; g], stored: vec![0; g] };
    walk(options, "counting", m, |start, block| {
        let mut sums = Sums { genes: vec![0; block.len()], totals: vec![0.0; block.len()] };
        each(block, |row, _, x| {
            sums.genes[row] += u64::from(x > 0.0);
            sums.totals[row] += x;
        });
        each(block, |row, column, x| {
            if sums.genes[row] >= min_genes {
                genes.cells[column] += u64::from(x > 0.0);
                genes.stored[column] += 1;
            }
        });
        put(&mut cells.genes, start, &sums.genes);
        put(&mut cells.totals, start, &sums.totals);
        Ok(())
    })?;
    Ok((cells, genes))
}

struct Sums {
    genes: Vec<u64>,
    totals: Vec<f64>,
}

fn put<T: Copy>(all: &mut [T], start: usize, part: &[T]) {
    for (to, from) in all.iter_mut().skip(start).zip(part) {
        *to = *from;
    }
}

/// Sum of each cell.
pub(super) fn totals(options: &Options, m: &Matrix) -> Result<Vec<f64>, RecipeError> {
    let mut totals = vec![0.0; m.shape().0];
    walk(options, "adding up", m, |start, block| {
        each(block, |row, _, x| totals[start + row] += x);
        Ok(())
    })?;
    Ok(totals)
}

/// Mean and variance (n − 1) of each gene.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
}

/// Mean and variance of `value` of each gene. Squares are taken in the precision of the data, as scanpy does; sums are
/// double.
pub(super) fn moments(
    options: &Options,
    m: &Matrix,
    value: impl Fn(f64) -> f64,
) -> Result<Moments, RecipeError> {
    let (n, g) = m.shape();
    let single = m.dtype() == DType::F32;
    let (mut sum, mut squares) = (vec![0.0f64; g], vec![0.0f64; g]);
    walk(options, "mean and variance", m, |_, block| {
        each(block, |_, column, x| {
            let x = value(x);
            sum[column] += x;
            squares[column] += if single { f64::from(x as f32 * x as f32) } else { x * x };
        });
        Ok(())
    })?;
    let n = n as f64;
    let unbiased = if n > 1.0 { n / (n - 1.0) } else { 1.0 };
    let mean: Vec<f64> = sum.iter().map(|s| s / n).collect();
    let variance = squares.iter().zip(&mean).map(|(q, m)| ((q / n - m * m) * unbiased).max(0.0)).collect();
    Ok(Moments { mean, variance })
}

/// The middle value, or the mean of the two in the middle; NaN when there is none.
pub(super) fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    match v.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => v[n / 2],
        n => (v[n / 2 - 1] + v[n / 2]) / 2.0,
    }
}
