//! Mean and spread of each gene's counts, from which the law of the counts starts: Adam would need thousands of steps to
//! move the logits of rare genes to where one look at the data puts them.

use candle_core::Device;

use super::ActivaConfig;
use crate::zoo::{BatchSource, ZooError};

/// Cells read at a time.
const ROWS: usize = 256;

/// Range of the first θ.
const THETA: std::ops::RangeInclusive<f64> = 0.05..=100.0;

/// Sums over the cells of each label, of counts divided by library size.
pub(super) struct Moments {
    genes: usize,
    counts: Vec<f64>,
    /// For each label: cells, mean inverse library size, and sums and sums of squares of each gene.
    labels: Vec<(f64, f64, Vec<f64>, Vec<f64>)>,
    total: f64,
}

impl Moments {
    /// Reads all cells once.
    pub(super) fn of(
        data: &dyn BatchSource,
        config: &ActivaConfig,
        device: &Device,
    ) -> Result<Self, ZooError> {
        let genes = config.genes;
        let empty = || (0.0, 0.0, vec![0.0; genes], vec![0.0; genes]);
        let mut out =
            Self { genes, counts: vec![0.0; genes], labels: vec![empty(); config.labels], total: 0.0 };
        let all: Vec<usize> = (0..data.len()).collect();
        for cells in all.chunks(ROWS) {
            let batch = data.batch(cells, device)?;
            let batch = batch.counts()?;
            for (i, (&label, &library)) in batch.labels.iter().zip(&batch.library).enumerate() {
                let library = f64::from(library);
                let Some(of) = out.labels.get_mut(label as usize).filter(|_| library > 0.0) else { continue };
                of.0 += 1.0;
                of.1 += 1.0 / library;
                out.total += library;
                let (columns, values) = batch.counts.row(i);
                for (&g, &v) in columns.iter().zip(values) {
                    let (g, v) = (g as usize, f64::from(v));
                    out.counts[g] += v;
                    of.2[g] += v / library;
                    of.3[g] += (v / library).powi(2);
                }
            }
        }
        Ok(out)
    }

    /// Share of each gene in all counts, none zero.
    pub(super) fn shares(&self) -> Vec<f64> {
        let all = self.total + 0.5 * self.genes as f64;
        self.counts.iter().map(|c| (c + 0.5) / all).collect()
    }

    /// θ of each gene by moments within labels: the variance of x / L is μ E(1 / L) + μ² / θ.
    pub(super) fn theta(&self) -> Vec<f64> {
        (0..self.genes)
            .map(|g| {
                let (mut square, mut extra) = (0.0, 0.0);
                for (n, inverse, sum, squares) in self.labels.iter().filter(|l| l.0 > 1.0) {
                    let mean = sum[g] / n;
                    let variance = (squares[g] - n * mean * mean) / (n - 1.0);
                    square += n * mean * mean;
                    extra += n * (variance - mean * inverse / n);
                }
                let theta = if extra > 0.0 { square / extra } else { *THETA.end() };
                theta.clamp(*THETA.start(), *THETA.end())
            })
            .collect()
    }
}
