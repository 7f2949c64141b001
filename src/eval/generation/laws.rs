//! Laws that counts of cells follow: library sizes, zeros, variance.

use crate::data::Counts;
use crate::linalg::SparseRows;

/// Quantiles of a sample, linear between order statistics (type 7).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Quantiles {
    /// 5 %.
    pub p5: f64,
    /// 25 %.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// 75 %.
    pub p75: f64,
    /// 95 %.
    pub p95: f64,
}

impl Quantiles {
    /// Quantiles of these values; all NaN when there are none.
    pub fn of(values: &[f64]) -> Self {
        let mut v = values.to_vec();
        v.sort_unstable_by(f64::total_cmp);
        let at = |q: f64| {
            let place = q * v.len().saturating_sub(1) as f64;
            let (low, share) = (place.floor() as usize, place.fract());
            let Some(&a) = v.get(low) else { return f64::NAN };
            a + share * (v.get(low + 1).copied().unwrap_or(a) - a)
        };
        Self { p5: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95) }
    }
}

/// How generated counts follow the laws of real ones, over the same genes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Laws {
    /// Largest difference between the distribution functions of library sizes: 0 equal, 1 apart.
    pub library_ks: f64,
    /// Library sizes of real cells.
    pub library_real: Quantiles,
    /// Library sizes of generated cells.
    pub library_generated: Quantiles,
    /// Share of zeros in real cells.
    pub zeros_real: f64,
    /// Share of zeros in generated cells.
    pub zeros_generated: f64,
    /// Mean over genes of the absolute difference between the shares of zeros.
    pub zeros_per_gene: f64,
    /// Variance of log expression summed over genes, generated over real.
    pub variance_ratio: f64,
}

/// Compares two sets of cells over the same genes; `log_real` and `log_generated` are the same cells, scaled and on the
/// logarithmic scale.
pub fn laws(real: &Counts, generated: &Counts, log_real: &SparseRows, log_generated: &SparseRows) -> Laws {
    let library = |c: &Counts| c.totals().iter().map(|&t| t as f64).collect::<Vec<_>>();
    let (a, b) = (library(real), library(generated));
    let zeros = |c: &Counts| 1.0 - c.nnz() as f64 / (c.n_cells() as f64 * c.n_genes() as f64);
    let share = |c: &Counts| {
        let n = c.n_cells() as f64;
        c.cells_of_gene().into_iter().map(|k| 1.0 - k as f64 / n).collect::<Vec<_>>()
    };
    let apart: f64 = share(real).iter().zip(share(generated)).map(|(a, b)| (a - b).abs()).sum();
    let variance = |x: &SparseRows| x.variances().iter().sum::<f64>();
    Laws {
        library_ks: ks_distance(&a, &b),
        library_real: Quantiles::of(&a),
        library_generated: Quantiles::of(&b),
        zeros_real: zeros(real),
        zeros_generated: zeros(generated),
        zeros_per_gene: apart / real.n_genes() as f64,
        variance_ratio: variance(log_generated) / variance(log_real),
    }
}

/// Kolmogorov and Smirnov's distance between two samples, as `scipy.stats.ks_2samp`; NaN when one is empty.
pub fn ks_distance(a: &[f64], b: &[f64]) -> f64 {
    let sorted = |x: &[f64]| {
        let mut x = x.to_vec();
        x.sort_unstable_by(f64::total_cmp);
        x
    };
    let (a, b) = (sorted(a), sorted(b));
    if a.is_empty() || b.is_empty() {
        return f64::NAN;
    }
    let share = |x: &[f64], at: f64| x.partition_point(|v| *v <= at) as f64 / x.len() as f64;
    a.iter().chain(&b).map(|&v| (share(&a, v) - share(&b, v)).abs()).fold(0.0, f64::max)
}
