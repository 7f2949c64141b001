//! The covariance of rows that come in runs: one pass, memory of columns × columns whatever the number of rows.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::LinalgError;

/// Widest matrix: its covariance takes 200 MB.
pub(super) const MAX_COLUMNS: usize = 5000;
/// Columns one thread works on. The split does not follow the number of threads, so the bits do not either.
const TILE: usize = 128;
/// Rows taken at a time, so that no second copy of a long run is made in double precision.
const RUN: usize = 2048;

/// Sums over rows that give their mean and covariance.
#[derive(Debug, Clone)]
pub struct Covariance {
    rows: usize,
    /// About the mean: subtracted from every row, which keeps the sums of products accurate.
    shift: Vec<f64>,
    sums: Vec<f64>,
    /// Sums of products: for each run of columns, those with all columns from its first on.
    tiles: Vec<Mat<f64>>,
}

impl Covariance {
    /// Sums over no rows yet.
    ///
    /// # Errors
    /// [`LinalgError::TooWide`] for more columns than can be decomposed.
    pub fn new(columns: usize) -> Result<Self, LinalgError> {
        if columns > MAX_COLUMNS {
            return Err(LinalgError::TooWide { columns, limit: MAX_COLUMNS });
        }
        let tile = |start: usize| Mat::zeros(columns - start, TILE.min(columns - start));
        Ok(Self {
            rows: 0,
            shift: Vec::new(),
            sums: vec![0.0; columns],
            tiles: (0..columns).step_by(TILE).map(tile).collect(),
        })
    }

    /// Rows taken so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Takes more rows. The result depends on how rows are cut into runs only in its last bits.
    ///
    /// # Errors
    /// [`LinalgError`] for another number of columns or a value that is not finite.
    pub fn add(&mut self, x: ArrayView2<'_, f32>) -> Result<(), LinalgError> {
        let columns = self.sums.len();
        if x.ncols() != columns {
            return Err(LinalgError::Columns { expected: columns, found: x.ncols() });
        }
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(LinalgError::NotFinite { row: self.rows + row, column, value: f64::from(value) });
        }
        if self.rows == 0 {
            self.shift = vec![0.0; columns];
            for row in x.rows() {
                self.shift.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v));
            }
            self.shift.iter_mut().for_each(|s| *s /= x.nrows().max(1) as f64);
        }
        for run in x.axis_chunks_iter(ndarray::Axis(0), RUN) {
            self.add_run(run);
        }
        self.rows += x.nrows();
        Ok(())
    }

    fn add_run(&mut self, x: ArrayView2<'_, f32>) {
        let columns = self.sums.len();
        let mut shifted = Vec::with_capacity(x.len());
        for row in x.rows() {
            shifted.extend(row.iter().zip(&self.shift).map(|(v, s)| f64::from(*v) - s));
        }
        for row in shifted.chunks_exact(columns.max(1)) {
            self.sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
        }
        let c = MatRef::from_row_major_slice(&shifted, x.nrows(), columns);
        self.tiles.par_iter_mut().enumerate().for_each(|(i, tile)| {
            let (start, width) = (i * TILE, tile.ncols());
            let from = c.subcols(start, columns - start);
            matmul(tile.as_mut(), Accum::Add, from.transpose(), from.subcols(0, width), 1.0, Par::Seq);
        });
    }

    /// Mean of each column, and the covariance (rows − 1 in the denominator).
    ///
    /// # Errors
    /// [`LinalgError::TooFewRows`] for fewer than two rows.
    pub fn finish(self) -> Result<(Vec<f64>, Array2<f64>), LinalgError> {
        if self.rows < 2 {
            return Err(LinalgError::TooFewRows { found: self.rows, needed: 2 });
        }
        let (n, columns) = (self.rows as f64, self.sums.len());
        let offset: Vec<f64> = self.sums.iter().map(|s| s / n).collect();
        let entry = |i: usize, j: usize| {
            let (i, j) = (i.max(j), i.min(j));
            let start = j / TILE * TILE;
            let products = self.tiles[j / TILE][(i - start, j - start)];
            (products - n * offset[i] * offset[j]) / (n - 1.0)
        };
        let covariance = Array2::from_shape_fn((columns, columns), |(i, j)| entry(i, j));
        Ok((self.shift.iter().zip(&offset).map(|(s, o)| s + o).collect(), covariance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    fn example(rows: usize, columns: usize) -> Array2<f32> {
        let mut s = Seed(1).stream("covariance");
        Array2::from_shape_fn((rows, columns), |(_, j)| {
            (100.0 * j as f64 + s.normal() * (1.0 + j as f64)) as f32
        })
    }

    #[test]
    fn runs_of_rows_give_the_covariance_of_all_even_far_from_zero() {
        // More columns than a tile, more rows than a run, means far larger than deviations.
        let x = example(2500, 150);
        let mut sums = Covariance::new(150).unwrap();
        for run in [0..3, 3..1000, 1000..2500] {
            sums.add(x.slice(ndarray::s![run, ..])).unwrap();
        }
        let (mean, covariance) = sums.finish().unwrap();
        let x = x.mapv(f64::from);
        let m = x.mean_axis(ndarray::Axis(0)).unwrap();
        let c = &x - &m;
        let expected = c.t().dot(&c) / 2499.0;
        for (a, b) in mean.iter().zip(&m) {
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
        }
        for ((i, j), e) in expected.indexed_iter() {
            let scale = (expected[(i, i)] * expected[(j, j)]).sqrt();
            assert!((covariance[(i, j)] - e).abs() < 1e-10 * scale, "{i} {j}");
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let x = example(3000, 300);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut sums = Covariance::new(300).unwrap();
                sums.add(x.view()).unwrap();
                sums.finish().unwrap()
            })
        };
        assert_eq!(on(1), on(3));
    }
}
