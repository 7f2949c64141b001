//! Small computations that several figures share.

use crate::data::Counts;
use crate::linalg::SparseRows;
use crate::rng::Seed;

/// What cells are scaled to before a logarithm is taken, as scGAN and ACTIVA do.
pub const TARGET: f64 = 20_000.0;

/// ln(1 + count / library size × target), cells × genes, or ln(1 + count) without a target; an empty cell stays empty.
pub fn log_rows(counts: &Counts, target: Option<f64>) -> SparseRows {
    let mut out = SparseRows::empty(counts.n_genes());
    for c in 0..counts.n_cells() {
        let (genes, values) = counts.cell(c);
        let total: f64 = values.iter().map(|&v| f64::from(v)).sum();
        let factor = target.map_or(1.0, |t| t / total);
        out.push(genes.iter().zip(values).map(|(&g, &v)| (g, (f64::from(v) * factor).ln_1p() as f32)));
    }
    out
}

/// A seed of its own for one part of the work.
pub(super) fn derive(seed: Seed, name: &str) -> Seed {
    Seed(seed.stream(name).below(usize::MAX) as u64)
}

/// Mean and sample standard deviation (n − 1 in the denominator; 0 of one value).
pub(super) fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 })
}
