//! Sizes, weights and schedule of ACTIVA, and its presets.

use serde::{Deserialize, Serialize};

use crate::nn::{AdamConfig, CountLaw};
use crate::zoo::Preset;

/// What the generator says about a gene of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// Its expression, as published; the distance to the data is the sum of squares.
    Expression,
    /// The law of its count; the distance to the data is the negative log-likelihood.
    Counts(CountLaw),
}

/// Where the code of a new cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatentLaw {
    /// N(0, 1), as published; a type is reached by trying.
    Prior,
    /// The posterior of a training cell of the type, drawn at random: together they are the aggregated posterior.
    Posterior,
}

/// Settings of ACTIVA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivaConfig {
    /// Number of genes.
    pub genes: usize,
    /// Number of labels.
    pub labels: usize,
    /// Hidden layers of the encoder.
    pub encoder: Vec<usize>,
    /// Width of the code.
    pub latent: usize,
    /// Hidden layers of the generator.
    pub generator: Vec<usize>,
    /// Whether ReLU and batch normalisation follow the layer of mean and log-variance too, as in the public code.
    pub bn_head: bool,
    /// Library size cells are scaled to before encoder and classifier see them.
    pub target_sum: f32,
    /// Whether they see ln(1 + x) of that.
    pub log: bool,
    /// What the generator gives.
    pub observation: Observation,
    /// Weight of the divergence of real cells.
    pub kl: f32,
    /// Epochs over which that weight grows from 0; 0 for none.
    pub kl_epochs: u64,
    /// Margin m of the divergence of made cells.
    pub margin: f32,
    /// Weight of the margin terms in the encoder's loss (α1).
    pub encoder_adversarial: f32,
    /// Weight of the divergences in the generator's loss.
    pub generator_adversarial: f32,
    /// Weight of the reconstruction (α2).
    pub reconstruction: f32,
    /// Weight of the difference the classifier sees between cell and reconstruction.
    pub classification: f32,
    /// Epochs of plain VAE training at the start.
    pub warm_up_epochs: u64,
    /// Epochs in which the classifier learns; it is frozen afterwards.
    pub classifier_epochs: u64,
    /// Cuts the generator off from its divergences, as the public code does by accident.
    pub compat_detached: bool,
    /// Weighs margin and reconstruction by their recent slopes (SoftAdapt).
    pub soft_adapt: bool,
    /// Learning rate of the classifier.
    pub classifier_lr: f64,
    /// Coupled L2 of the classifier.
    pub classifier_decay: f64,
    /// Share of the weights' running average that each step replaces; generation uses the average. 0 for none.
    pub average: f32,
    /// Where codes of new cells come from.
    pub latent_law: LatentLaw,
    /// Whether cells that are asked for by type must convince the classifier too.
    pub filter: bool,
    /// Times the wanted number of cells that may be tried for it.
    pub max_rounds: u32,
    /// Whether generation normalises by the statistics of its own minibatch, as the published notebook does.
    pub bn_batch_stats: bool,
}

impl ActivaConfig {
    /// The settings of a preset for that many genes and labels.
    pub fn preset(preset: Preset, genes: usize, labels: usize) -> Self {
        let paper = Self {
            genes,
            labels,
            encoder: vec![1024, 512, 256],
            latent: 128,
            generator: vec![256, 512, 1024],
            bn_head: false,
            target_sum: 20_000.0,
            log: false,
            observation: Observation::Expression,
            kl: 1.0,
            kl_epochs: 0,
            margin: 110.0,
            encoder_adversarial: 1.0,
            generator_adversarial: 1.0,
            // The paper's α2 = 0.5, times the ½ inside its squared errors.
            reconstruction: 0.25,
            classification: 0.25,
            warm_up_epochs: 10,
            classifier_epochs: 10,
            compat_detached: false,
            soft_adapt: false,
            classifier_lr: 1e-4,
            classifier_decay: 0.005,
            average: 0.0,
            latent_law: LatentLaw::Prior,
            filter: true,
            max_rounds: 100,
            bn_batch_stats: false,
        };
        match preset {
            Preset::Paper => paper,
            Preset::Code => Self {
                bn_head: true,
                encoder_adversarial: 0.25,
                generator_adversarial: 0.5,
                reconstruction: 0.05,
                classification: 0.05,
                warm_up_epochs: 9,
                classifier_epochs: 4,
                compat_detached: true,
                bn_batch_stats: true,
                ..paper
            },
            Preset::Default => Self {
                encoder: vec![256, 128],
                latent: 32,
                generator: vec![128, 256],
                log: true,
                observation: Observation::Counts(CountLaw::Nb),
                kl: 1.0,
                kl_epochs: 40,
                encoder_adversarial: 0.0,
                generator_adversarial: 0.0,
                reconstruction: 1.0,
                classification: 0.0,
                warm_up_epochs: 60,
                // As long as the rest: rare types need more than some hundred minibatches, and nothing leans on it meanwhile.
                classifier_epochs: 100_000,
                classifier_lr: 1e-3,
                // The published decay, at ten times the published step, keeps rare types from being told apart.
                classifier_decay: 1e-4,
                average: 0.01,
                latent_law: LatentLaw::Posterior,
                ..paper
            },
        }
    }

    /// The optimiser of encoder and generator.
    pub fn adam(preset: Preset) -> AdamConfig {
        let lr = if preset == Preset::Default { 1e-3 } else { 2e-4 };
        AdamConfig { lr, ..AdamConfig::default() }
    }
}
