//! Do genes go together in generated cells as they do in real ones?

use ndarray::{Array2, ArrayView2, Axis};

/// Pearson correlations between the columns of `x` (cells × genes): genes × genes, ones on the diagonal, 0 where a gene is
/// constant.
pub fn correlations(x: ArrayView2<'_, f64>) -> Array2<f64> {
    let genes = x.ncols();
    let mut z = x.to_owned();
    for mut column in z.columns_mut() {
        let mean = column.mean().unwrap_or(0.0);
        column -= mean;
        let norm = column.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm > 1e-12 * (1.0 + mean.abs()) { column /= norm } else { column.fill(0.0) }
    }
    let mut r = z.t().dot(&z);
    for j in 0..genes {
        r[(j, j)] = 1.0;
    }
    r
}

/// How far two correlation matrices are from each other.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Discrepancy {
    /// The induced 1-norm: the largest column sum of absolute differences. Grows with the number of genes.
    pub cd: f64,
    /// Mean absolute difference off the diagonal.
    pub mean: f64,
}

/// Correlation discrepancy between two samples over the same genes (cells × genes each).
pub fn discrepancy(real: ArrayView2<'_, f64>, generated: ArrayView2<'_, f64>) -> Discrepancy {
    let difference = (correlations(generated) - correlations(real)).mapv(f64::abs);
    let genes = difference.ncols() as f64;
    let cd = difference.sum_axis(Axis(0)).iter().copied().fold(0.0, f64::max);
    let pairs = genes * (genes - 1.0);
    Discrepancy { cd, mean: if pairs > 0.0 { difference.sum() / pairs } else { 0.0 } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn equal_samples_do_not_differ_and_constant_genes_correlate_with_nothing() {
        let x = array![[1.0, 2.0, 7.0], [2.0, 1.0, 7.0], [4.0, 0.0, 7.0]];
        assert_eq!(discrepancy(x.view(), x.view()).cd, 0.0);
        let r = correlations(x.view());
        assert_eq!(r[(0, 2)], 0.0);
        assert!((r[(0, 1)] + 0.981_980_506).abs() < 1e-8, "{}", r[(0, 1)]);
    }

    #[test]
    fn the_largest_column_counts() {
        // Correlations 0.9 and 0.4 by construction: y = r x + sqrt(1 − r²) e with x, e orthonormal and centred.
        let pair =
            |r: f64| {
                let x = [1.0, -1.0, 1.0, -1.0];
                let e = [1.0, 1.0, -1.0, -1.0];
                Array2::from_shape_fn((4, 2), |(i, j)| {
                    if j == 0 { x[i] } else { r * x[i] + (1.0 - r * r).sqrt() * e[i] }
                })
            };
        let d = discrepancy(pair(0.9).view(), pair(0.4).view());
        assert!((d.cd - 0.5).abs() < 1e-12 && (d.mean - 0.5).abs() < 1e-12);
    }
}
