//! Highly variable genes by dispersion, as scanpy's `highly_variable_genes` and `filter_genes_dispersion` find them.
//!
//! Values are rounded to the precision of the data and added up in double precision, as scanpy does. Its single-precision
//! log1p and expm1 differ in the last bit from processor to processor; here they are rounded from double. The order of 2,000
//! genes is scanpy's on pbmc3k in every flavor; on another file one pair of neighbours swapped.

use super::stats::{Moments, Options, median, moments};
use super::step::Flavor;
use super::vst::Variable;
use super::{RecipeError, vst};
use crate::data::Matrix;

/// Bins of the mean in the `seurat` flavor.
const BINS: usize = 20;
/// The 75 % quantile of the normal distribution: makes an absolute deviation comparable to a standard deviation.
const MAD_SCALE: f64 = 0.674_489_750_196_081_7;

/// Finds the `n_top` most variable genes of a matrix: logarithmised for `seurat`, raw counts for `seurat_v3`, as given for
/// the others. Ties at the border are all taken.
pub(super) fn find(
    options: &Options,
    m: &Matrix,
    n_top: usize,
    flavor: Flavor,
) -> Result<Variable, RecipeError> {
    if m.shape().0 < 2 {
        return Err(RecipeError::input("highly variable genes need two cells or more"));
    }
    if n_top == 0 {
        return Err(RecipeError::usage("highly_variable_genes: n_top must be above 0"));
    }
    let Moments { mut mean, variance } = match flavor {
        Flavor::SeuratV3 => return vst::find(options, m, n_top),
        Flavor::Seurat if m.dtype() == crate::data::DType::F32 => {
            moments(options, m, |x| f64::from(x.exp_m1() as f32))?
        }
        Flavor::Seurat => moments(options, m, f64::exp_m1)?,
        Flavor::CellRanger | Flavor::CellRangerAbs => moments(options, m, |x| x)?,
    };
    mean.iter_mut().filter(|m| **m == 0.0).for_each(|m| *m = 1e-12);
    let mut dispersion: Vec<f64> = variance.iter().zip(&mean).map(|(v, m)| v / m).collect();
    let norm = if flavor == Flavor::Seurat {
        for (d, m) in dispersion.iter_mut().zip(&mut mean) {
            *d = if *d == 0.0 { f64::NAN } else { d.ln() };
            *m = m.ln_1p();
        }
        by_width(&mean, &dispersion)
    } else {
        by_percentile(&mean, &dispersion, flavor == Flavor::CellRangerAbs)
    };
    let cut = nth_highest(&norm, n_top);
    // The older function compares with a border in single precision.
    let cut = if flavor == Flavor::CellRangerAbs { f64::from(cut as f32) } else { cut };
    let chosen = norm.iter().map(|d| *d >= cut).collect();
    let scores = vec![("means", mean), ("dispersions", dispersion), ("dispersions_norm", norm)];
    Ok(Variable { chosen, scores })
}

/// Which of the genes of a matrix of logarithmised counts are the `n_top` most variable, as scanpy's flavor `seurat` finds
/// them. Ties at the border are all taken.
///
/// # Errors
/// [`RecipeError`] for fewer than two cells, `n_top` of 0, and values that are no finite numbers.
pub fn variable_genes(m: &Matrix, n_top: usize, options: &Options) -> Result<Vec<bool>, RecipeError> {
    Ok(find(options, m, n_top, Flavor::Seurat)?.chosen)
}

/// The `n`-th highest of the numbers; the lowest when there are fewer.
fn nth_highest(v: &[f64], n: usize) -> f64 {
    let mut v: Vec<f64> = v.iter().copied().filter(|x| !x.is_nan()).collect();
    v.sort_by(|a, b| b.total_cmp(a));
    v.get(n.min(v.len()).saturating_sub(1)).copied().unwrap_or(f64::INFINITY)
}

/// For each value the bin whose right border is the first not below it; `edges` ascend, the first is left of all.
fn bins(values: &[f64], edges: &[f64]) -> Vec<usize> {
    values.iter().map(|x| edges.partition_point(|e| e < x)).collect()
}

/// The values of each bin that are numbers.
fn members(bin: &[usize], values: &[f64]) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new(); bin.iter().max().map_or(0, |b| b + 1)];
    for (&b, &x) in bin.iter().zip(values) {
        if !x.is_nan() {
            all[b].push(x);
        }
    }
    all
}

/// Dispersion against mean and standard deviation of its bin, among bins of equal width.
fn by_width(mean: &[f64], dispersion: &[f64]) -> Vec<f64> {
    let low = mean.iter().copied().fold(f64::INFINITY, f64::min);
    let high = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low == high {
        // All means are the same: one bin around them.
        let around = if low == 0.0 { 0.001 } else { 0.001 * low.abs() };
        (low - around, high + around)
    } else {
        (low, high)
    };
    let step = (high - low) / BINS as f64;
    let mut edges: Vec<f64> = (0..BINS).map(|i| low + i as f64 * step).collect();
    edges.push(high);
    edges[0] -= (high - low) * 0.001;
    let bin = bins(mean, &edges);
    let stats: Vec<(f64, f64)> = members(&bin, dispersion)
        .iter()
        .map(|v| {
            let n = v.len() as f64;
            let average = v.iter().sum::<f64>() / n;
            match v.len() {
                0 => (f64::NAN, f64::NAN),
                // A gene alone in its bin gets 1.
                1 => (0.0, average),
                _ => {
                    let squares: f64 = v.iter().map(|x| (x - average).powi(2)).sum();
                    (average, (squares / (n - 1.0)).sqrt())
                }
            }
        })
        .collect();
    normalised(dispersion, &bin, &stats)
}

/// Dispersion against median and absolute deviation of its bin, among bins of the same number of genes.
fn by_percentile(mean: &[f64], dispersion: &[f64], absolute: bool) -> Vec<f64> {
    let mut sorted = mean.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut edges = vec![f64::NEG_INFINITY];
    edges.extend((2..=20).map(|k| percentile(&sorted, f64::from(5 * k))));
    edges.push(f64::INFINITY);
    edges.dedup();
    let bin = bins(mean, &edges);
    let stats: Vec<(f64, f64)> = members(&bin, dispersion)
        .into_iter()
        .map(|v| {
            let middle = median(v.clone());
            (middle, median(v.into_iter().map(|x| (x - middle).abs()).collect()) / MAD_SCALE)
        })
        .collect();
    let mut norm = normalised(dispersion, &bin, &stats);
    if absolute {
        norm.iter_mut().for_each(|d| *d = d.abs());
    }
    norm
}

fn normalised(dispersion: &[f64], bin: &[usize], stats: &[(f64, f64)]) -> Vec<f64> {
    let none = (f64::NAN, f64::NAN);
    dispersion
        .iter()
        .zip(bin)
        .map(|(d, &b)| {
            let (centre, spread) = stats.get(b).copied().unwrap_or(none);
            (d - centre) / spread
        })
        .collect()
}

/// A percentile of sorted values, linear between neighbours, rounded as NumPy does.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let at = percent / 100.0 * (sorted.len().saturating_sub(1)) as f64;
    let (below, share) = (at.floor(), at - at.floor());
    let value = |i: usize| sorted.get(i.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN);
    let (a, b) = (value(below as usize), value(below as usize + 1));
    if share >= 0.5 { b - (b - a) * (1.0 - share) } else { a + (b - a) * share }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_border_belongs_to_the_bin_on_its_left() {
        assert_eq!(bins(&[0.5, 1.0, 1.5, 2.0], &[0.0, 1.0, 2.0]), [1, 1, 2, 2]);
    }

    #[test]
    fn a_gene_alone_in_its_bin_scores_one() {
        // Means 1, 1.01 and 10: the last is alone in the last of 20 bins.
        let norm = by_width(&[1.0, 1.01, 10.0], &[1.0, 3.0, 7.0]);
        assert_eq!(norm[2], 1.0);
        assert!((norm[0] + norm[1]).abs() < 1e-12 && norm[1] > 0.0);
    }

    #[test]
    fn genes_without_a_score_are_never_chosen() {
        let v = [f64::NAN, 3.0, 1.0, 2.0];
        assert_eq!(nth_highest(&v, 2), 2.0);
        assert_eq!(nth_highest(&v, 9), 1.0);
        assert_eq!(nth_highest(&[f64::NAN], 1), f64::INFINITY);
    }

    #[test]
    fn low_dispersion_counts_only_in_the_older_rule() {
        let mean: Vec<f64> = (1..=40).map(f64::from).collect();
        let dispersion: Vec<f64> =
            (0..40).map(|i| if i == 20 { 0.0 } else { 5.0 + f64::from(i % 2) }).collect();
        assert!(by_percentile(&mean, &dispersion, false)[20] < 0.0);
        assert!(by_percentile(&mean, &dispersion, true)[20] > 0.0);
    }
}
