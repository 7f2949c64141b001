//! Highly variable genes by the variance of counts against a curve of variance on mean: Seurat's third rule.

use super::RecipeError;
use super::loess::loess;
use super::stats::{Moments, Options, each, moments, walk};
use crate::data::Matrix;

/// Share of the genes that each local fit of the curve sees.
const SPAN: f64 = 0.3;

/// Finds the `n_top` most variable genes of raw counts.
pub(super) fn find(options: &Options, m: &Matrix, n_top: usize) -> Result<Variable, RecipeError> {
    let Moments { mean, variance } = moments(options, m, |x| x)?;
    let varying: Vec<usize> = (0..mean.len()).filter(|&g| variance[g] > 0.0).collect();
    let log = |v: &[f64]| varying.iter().map(|&g| v[g].log10()).collect::<Vec<f64>>();
    let curve = loess(&log(&mean), &log(&variance), SPAN).ok_or_else(|| {
        RecipeError::input(format!(
            "seurat_v3: {} genes vary, too few for a curve of variance on mean; take more genes or another flavor",
            varying.len()
        ))
    })?;
    // Genes that do not vary keep the neutral deviation of 1.
    let mut deviation = vec![1.0; mean.len()];
    for (&g, fitted) in varying.iter().zip(&curve) {
        deviation[g] = 10f64.powf(*fitted).sqrt();
    }
    let n = m.shape().0 as f64;
    let clip: Vec<f64> = deviation.iter().zip(&mean).map(|(d, m)| d * n.sqrt() + m).collect();
    let (mut sum, mut squares) = (vec![0.0f64; mean.len()], vec![0.0f64; mean.len()]);
    walk(options, "clipped variance", m, |_, block| {
        each(block, |_, g, x| {
            let x = x.min(clip[g]);
            sum[g] += x;
            squares[g] += x * x;
        });
        Ok(())
    })?;
    let norm: Vec<f64> = (0..mean.len())
        .map(|g| {
            let centred = n * mean[g] * mean[g] + squares[g] - 2.0 * sum[g] * mean[g];
            centred / ((n - 1.0) * deviation[g] * deviation[g])
        })
        .collect();
    let mut order: Vec<usize> = (0..norm.len()).collect();
    order.sort_by(|&a, &b| norm[b].total_cmp(&norm[a]));
    let (mut chosen, mut rank) = (vec![false; norm.len()], vec![f64::NAN; norm.len()]);
    for (place, &g) in order.iter().take(n_top).enumerate() {
        chosen[g] = true;
        rank[g] = place as f64;
    }
    let scores = vec![
        ("highly_variable_rank", rank),
        ("means", mean),
        ("variances", variance),
        ("variances_norm", norm),
    ];
    Ok(Variable { chosen, scores })
}

/// What was found about each gene.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variable {
    /// Whether a gene is among the most variable.
    pub(super) chosen: Vec<bool>,
    /// The numbers behind it, under scanpy's names.
    pub(super) scores: Vec<(&'static str, Vec<f64>)>,
}
