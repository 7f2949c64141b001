//! The gene filter of ACTINN: genes of extreme sum or extreme variation are left out (Ma & Pellegrini 2020).

use candle_core::Device;

use crate::nn::SparseBatch;
use crate::zoo::{BatchSource, CountBatch, ZooError};

/// Cells read at a time.
const ROWS: usize = 256;

/// Which genes stay, of cells as `scaled` makes them: those with a sum within the `percentile`-th and the
/// (100 − `percentile`)-th, then, of these, those with a standard deviation over the mean within. A gene that no cell
/// has does not stay.
///
/// # Errors
/// [`ZooError::Config`] when none is left.
pub(super) fn fit(
    data: &dyn BatchSource,
    genes: usize,
    percentile: f64,
    device: &Device,
    scaled: impl Fn(&CountBatch) -> Result<SparseBatch, ZooError>,
) -> Result<Vec<bool>, ZooError> {
    let (mut sums, mut squares) = (vec![0.0f64; genes], vec![0.0f64; genes]);
    let all: Vec<usize> = (0..data.len()).collect();
    for cells in all.chunks(ROWS) {
        let batch = data.batch(cells, device)?;
        let x = scaled(batch.counts()?)?;
        for r in 0..x.len() {
            let (columns, values) = x.row(r);
            for (&g, &v) in columns.iter().zip(values) {
                sums[g as usize] += f64::from(v);
                squares[g as usize] += f64::from(v).powi(2);
            }
        }
    }
    let n = data.len() as f64;
    let variation = |g: usize| {
        let mean = sums[g] / n;
        (squares[g] / n - mean * mean).max(0.0).sqrt() / mean
    };
    let by_sum = within((0..genes).collect(), percentile, |g| sums[g]);
    let seen = by_sum.into_iter().filter(|&g| sums[g] > 0.0).collect();
    let by_variation = within(seen, percentile, variation);
    if by_variation.is_empty() {
        let what = "no gene is left by ACTINN's gene filter; switch it off (settings: gene_percentile: 0)";
        return Err(ZooError::Config { what: what.into() });
    }
    let mut keep = vec![false; genes];
    by_variation.into_iter().for_each(|g| keep[g] = true);
    Ok(keep)
}

/// The genes whose number lies within its `p`-th and (100 − `p`)-th percentile over all of `genes`.
fn within(genes: Vec<usize>, p: f64, of: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut sorted: Vec<f64> = genes.iter().map(|&g| of(g)).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (percentile(&sorted, p), percentile(&sorted, 100.0 - p));
    genes.into_iter().filter(|&g| (low..=high).contains(&of(g))).collect()
}

/// The `p`-th percentile of sorted numbers, linear between them (type 7); NaN of none.
fn percentile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = p / 100.0 * last as f64;
    let low = (at as usize).min(last);
    let (a, b) = (sorted[low], sorted[(low + 1).min(last)]);
    a + (b - a) * (at - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy.percentile([1, 2, 4, 8], [25, 90]) is [1.75, 6.8].
    #[test]
    fn percentiles_are_those_of_numpy() {
        let x = [1.0, 2.0, 4.0, 8.0];
        assert!((percentile(&x, 25.0) - 1.75).abs() < 1e-12 && (percentile(&x, 90.0) - 6.8).abs() < 1e-12);
        assert_eq!((percentile(&x, 0.0), percentile(&x, 100.0)), (1.0, 8.0));
        assert!(percentile(&[], 1.0).is_nan());
    }

    #[test]
    fn genes_at_both_ends_are_left_out() {
        let number = [5.0, 1.0, 3.0, 9.0, 4.0];
        assert_eq!(within((0..5).collect(), 1.0, |g| number[g]), [0, 2, 4]);
        assert_eq!(within((0..5).collect(), 0.0, |g| number[g]), [0, 1, 2, 3, 4]);
    }
}
