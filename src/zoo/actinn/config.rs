//! Sizes, weights and schedule of ACTINN, and its presets.

use serde::{Deserialize, Serialize};

use crate::nn::AdamConfig;
use crate::zoo::Preset;

/// Settings of ACTINN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActinnConfig {
    /// Number of genes.
    pub genes: usize,
    /// Number of labels.
    pub labels: usize,
    /// Hidden layers.
    pub hidden: Vec<usize>,
    /// Library size cells are scaled to; the network sees log2(1 + x) of that.
    pub target_sum: f32,
    /// Percentile p of the gene filter: genes whose summed logarithm lies within the p-th and the (100 − p)-th
    /// percentile stay, then those whose coefficient of variation does. Fitted on the training cells. 0 for none.
    pub gene_percentile: f64,
    /// Glorot's uniform start with biases of zero; else PyTorch's.
    pub xavier: bool,
    /// Weight of ½ Σ w² in the loss.
    pub decay: f32,
    /// Whether biases decay too, inside the optimiser, as PyTorch's `weight_decay` does it.
    pub decay_biases: bool,
    /// What the learning rate is multiplied by …
    pub rate_factor: f64,
    /// … after each run of so many steps; 0 for a constant rate.
    pub rate_steps: u64,
}

impl ActinnConfig {
    /// The settings of a preset for that many genes and labels.
    pub fn preset(preset: Preset, genes: usize, labels: usize) -> Self {
        let paper = Self {
            genes,
            labels,
            hidden: vec![100, 50, 25],
            target_sum: 10_000.0,
            gene_percentile: 1.0,
            xavier: true,
            decay: 0.005,
            decay_biases: false,
            rate_factor: 0.95,
            rate_steps: 1000,
        };
        match preset {
            Preset::Paper => paper,
            Preset::Code => Self { target_sum: 20_000.0, xavier: false, decay_biases: true, ..paper },
            // The filter takes the most and the least expressed genes away, markers of rare types among them. The published
            // decay with ten times the published rate draws the weights of most genes to zero.
            Preset::Default => Self { gene_percentile: 0.0, decay: 1e-4, ..paper },
        }
    }

    /// The optimiser; the default preset takes ten times the published rate.
    pub fn adam(preset: Preset) -> AdamConfig {
        let lr = if preset == Preset::Default { 1e-3 } else { 1e-4 };
        AdamConfig { lr, ..AdamConfig::default() }
    }
}
