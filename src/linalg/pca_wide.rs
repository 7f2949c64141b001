//! Principal components of a matrix with fewer rows than columns, through the products of its rows.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::eigen::eigen;
use super::lanczos::largest;
use super::pca::{centred, leading_loading};
use super::{LinalgError, Pca};
use crate::rng::Seed;

/// Rows whose products with all rows one thread works out; fixed, so that the bits do not follow the threads.
const RUN: usize = 64;

impl Pca {
    /// The same components as [`Pca::fit`], but for rounding, in the time that the smaller side of `x` takes: the
    /// eigenvectors of rows × rows where there are fewer rows than columns.
    ///
    /// # Errors
    /// As [`Pca::fit`].
    pub fn fit_small_side(x: ArrayView2<'_, f32>, k: usize) -> Result<Self, LinalgError> {
        let (rows, columns) = x.dim();
        // One component less than rows is all that centred rows have.
        if rows >= columns || k >= rows {
            return Self::fit(x, k);
        }
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(LinalgError::NotFinite { row, column, value: f64::from(value) });
        }
        Self::check(rows, columns, k)?;
        let mean: Vec<f64> = x.axis_iter(Axis(0)).fold(vec![0.0; columns], |mut sum, row| {
            sum.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v));
            sum
        });
        let mean: Vec<f64> = mean.into_iter().map(|s| s / rows as f64).collect();
        let c = centred(x, &mean);
        let products = products(&c);
        let total: f64 = (0..rows).map(|i| products[(i, i)]).sum();
        let (values, vectors) = top(&products, k)?;
        let mut components = Array2::zeros((k, columns));
        let (mut explained, mut variance) = (Vec::with_capacity(k), Vec::with_capacity(k));
        for value in values.iter().map(|v| v.max(0.0)) {
            explained.push(if total > 0.0 { value / total } else { 0.0 });
            variance.push(value / (rows - 1) as f64);
        }
        let runs = components.axis_chunks_iter_mut(Axis(0), 8).into_par_iter();
        runs.enumerate().for_each(|(run, mut to)| {
            for (i, mut row) in to.rows_mut().into_iter().enumerate() {
                row.assign(&ArrayView1::from(&vectors[run * 8 + i]).dot(&c));
                let length = row.dot(&row).sqrt();
                let sign = if leading_loading(row.iter().copied()) < 0.0 { -1.0 } else { 1.0 };
                // Along a component without variance every cell lies at 0: no direction is as good as any.
                let scale = if length > 1e-9 * total.sqrt() { sign / length } else { 0.0 };
                row.mapv_inplace(|v| v * scale);
            }
        });
        Ok(Pca { mean, components, explained, variance })
    }
}

/// Products of all rows with each other.
fn products(c: &Array2<f64>) -> Array2<f64> {
    let rows = c.nrows();
    let mut out = Array2::zeros((rows, rows));
    let runs = out.axis_chunks_iter_mut(Axis(0), RUN).into_par_iter();
    runs.zip(c.axis_chunks_iter(Axis(0), RUN)).enumerate().for_each(|(at, (mut to, run))| {
        // The other half follows.
        let end = (at * RUN + run.nrows()).min(rows);
        to.slice_mut(s![.., ..end]).assign(&run.dot(&c.slice(s![..end, ..]).t()));
    });
    for i in 0..rows {
        for j in i + 1..rows {
            out[(i, j)] = out[(j, i)];
        }
    }
    out
}

/// The `k` largest eigenvalues, the largest first, and their vectors: one by one where few are wanted of many.
fn top(products: &Array2<f64>, k: usize) -> Result<(Vec<f64>, Vec<Vec<f64>>), LinalgError> {
    let n = products.nrows();
    if 6 * k < n {
        return largest(n, k, Seed(0), |v| products.dot(&ArrayView1::from(v)).to_vec());
    }
    let (values, vectors) = eigen(products)?;
    let from = |i: usize| n - 1 - i;
    Ok((
        (0..k).map(|i| values[from(i)]).collect(),
        (0..k).map(|i| vectors.column(from(i)).to_vec()).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_matrix_has_the_components_of_its_covariance() {
        let mut s = Seed(8).stream("wide");
        // One by one of many, and all of few.
        for (rows, columns, k) in [(70, 100, 5), (20, 60, 5)] {
            let x = Array2::from_shape_fn((rows, columns), |(i, j)| {
                (s.normal() + ((i * (j % 3)) as f64 + (i * i * (j % 5)) as f64 * 0.1).sin() * 5.0) as f32
            });
            let (a, b) = (Pca::fit_small_side(x.view(), k).unwrap(), Pca::fit(x.view(), k).unwrap());
            assert!((&a.components - &b.components).iter().all(|d| d.abs() < 1e-6), "{rows}");
            let near = |p: &[f64], q: &[f64]| p.iter().zip(q).all(|(p, q)| (p / q - 1.0).abs() < 1e-9);
            assert!(near(&a.variance, &b.variance) && near(&a.explained, &b.explained), "{rows}");
        }
    }

    #[test]
    fn constant_rows_lie_at_zero() {
        let p = Pca::fit_small_side(Array2::<f32>::from_elem((4, 9), 1.5).view(), 2).unwrap();
        assert!(p.components.iter().all(|v| *v == 0.0));
        assert!(Pca::fit_small_side(Array2::<f32>::from_elem((4, 9), f32::NAN).view(), 2).is_err());
    }
}
