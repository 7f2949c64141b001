//! Means and variances of genes, and how two of them agree.

use ndarray::ArrayView2;

use crate::eval::pearson;

/// Mean and variance (n in the denominator) of each gene.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f64>,
    /// Variances.
    pub variance: Vec<f64>,
}

impl Moments {
    /// Of all cells, cells × genes.
    pub fn of(x: ArrayView2<'_, f32>) -> Self {
        Self::over(x, 0..x.nrows())
    }

    /// Of some cells; one that is named twice counts twice.
    pub fn over(x: ArrayView2<'_, f32>, cells: impl ExactSizeIterator<Item = usize> + Clone) -> Self {
        let n = cells.len().max(1) as f64;
        let mut mean = vec![0.0; x.ncols()];
        for cell in cells.clone() {
            mean.iter_mut().zip(x.row(cell)).for_each(|(m, v)| *m += f64::from(*v));
        }
        mean.iter_mut().for_each(|m| *m /= n);
        let mut variance = vec![0.0; x.ncols()];
        for cell in cells {
            for ((s, m), v) in variance.iter_mut().zip(&mean).zip(x.row(cell)) {
                *s += (f64::from(*v) - m).powi(2);
            }
        }
        variance.iter_mut().for_each(|s| *s /= n);
        Self { mean, variance }
    }
}

/// Values of some genes; of all when none are named.
fn picked(v: &[f64], genes: Option<&[usize]>) -> Vec<f64> {
    genes.map_or_else(|| v.to_vec(), |g| g.iter().map(|&g| v[g]).collect())
}

/// Squared Pearson correlation over genes, as the r² of `scipy.stats.linregress`; 0 when one side does not vary.
pub fn r2(a: &[f64], b: &[f64], genes: Option<&[usize]>) -> f64 {
    correlation(a, b, genes).powi(2)
}

/// Pearson correlation over genes; 0 when one side does not vary.
pub fn correlation(a: &[f64], b: &[f64], genes: Option<&[usize]>) -> f64 {
    pearson(&picked(a, genes), &picked(b, genes)).unwrap_or(0.0)
}

/// What two halves say of the whole: 2 r / (1 + r), after Spearman and Brown.
pub fn corrected_half(r: f64) -> f64 {
    if r > -1.0 { 2.0 * r / (1.0 + r) } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn moments_divide_by_n_and_count_repeats() {
        let x = array![[1.0f32, 0.0], [3.0, 0.0], [8.0, 6.0]];
        let m = Moments::of(x.slice(ndarray::s![..2, ..]));
        assert_eq!((m.mean, m.variance), (vec![2.0, 0.0], vec![1.0, 0.0]));
        let twice = Moments::over(x.view(), [0, 0, 2, 2].into_iter());
        assert_eq!((twice.mean, twice.variance), (vec![4.5, 3.0], vec![12.25, 9.0]));
    }

    /// scipy 1.17.1: linregress([0, 1, 2, 5], [1, 1.5, 4, 6]).rvalue ** 2 = 0.9277439.
    #[test]
    fn r2_is_a_squared_correlation_and_halves_are_corrected() {
        let (a, b) = ([0.0, 1.0, 2.0, 5.0], [1.0, 1.5, 4.0, 6.0]);
        assert!((r2(&a, &b, None) - 0.927_744).abs() < 1e-5);
        assert_eq!(r2(&a, &[1.0; 4], None), 0.0);
        assert!((r2(&a, &b, Some(&[0, 1])) - 1.0).abs() < 1e-12);
        assert!((corrected_half(0.5) - 2.0 / 3.0).abs() < 1e-15);
    }
}
