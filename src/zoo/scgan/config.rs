//! Sizes and schedule of scGAN and cscGAN, and their presets.

use serde::{Deserialize, Serialize};

use crate::nn::AdamConfig;
use crate::zoo::{Length, TrainConfig, ZooError};

/// Settings of scGAN and, with `conditional`, of cscGAN (`models.md` §2.17, §2.18).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScGanConfig {
    /// Number of genes.
    pub genes: usize,
    /// Width of the noise a cell is made of.
    pub noise: usize,
    /// Hidden layers of the generator.
    pub generator: Vec<usize>,
    /// Hidden layers of the critic.
    pub critic: Vec<usize>,
    /// Library size of every made cell, and the one real cells are scaled to, without logarithm.
    pub library: f32,
    /// Weight of the gradient penalty.
    pub penalty: f64,
    /// Updates of the critic for one of the generator.
    pub critic_updates: u64,
    /// Whether the very first update of the generator comes after one update of the critic, as in the public code.
    pub first_alone: bool,
    /// The learning rate of both networks.
    pub rate: RateConfig,
    /// Share of a minibatch's statistic in the running averages that cells are made with.
    pub norm_momentum: f64,
    /// Cells per minibatch.
    pub minibatch: usize,
    /// What cscGAN knows about labels.
    pub conditional: Option<Conditional>,
}

/// Labels of cscGAN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// Share of every label in the training cells, by the label's number; their order or size does not matter.
    pub ratios: Vec<f64>,
    /// φ·w_c + φ·v + b at the end of the critic instead of φ·w_c + b_c.
    #[serde(default)]
    pub projection: bool,
}

/// A learning rate that falls exponentially.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// Where it starts.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Outer steps (updates of the generator) in between, however long this run lasts; it stays at `to` afterwards.
    pub over: u64,
    /// Whether it falls at all. The public code lets it fall even where its flag says no.
    pub decay: bool,
}

impl RateConfig {
    /// The learning rate of outer step `t`: from · (to / from)^(t / over).
    pub fn at(&self, t: u64) -> f64 {
        if !self.decay {
            return self.from;
        }
        let part = (t as f64 / self.over.max(1) as f64).min(1.0);
        self.from * (self.to / self.from).powf(part)
    }
}

impl ScGanConfig {
    /// The preset `paper`: the published sizes, five critic updates for each of the generator.
    pub fn paper(genes: usize) -> Self {
        Self {
            genes,
            noise: 128,
            generator: vec![256, 512, 1024],
            critic: vec![1024, 512, 256],
            library: 20_000.0,
            penalty: 10.0,
            critic_updates: 5,
            first_alone: false,
            rate: RateConfig { from: 1e-4, to: 1e-5, over: 1_000_000, decay: true },
            norm_momentum: 0.001,
            minibatch: 128,
            conditional: None,
        }
    }

    /// The preset `code`: what the public code does. Its update of the generator makes another one of the critic, six
    /// in all, and its first step has no others.
    pub fn code(genes: usize) -> Self {
        Self { critic_updates: 6, first_alone: true, ..Self::paper(genes) }
    }

    /// The preset `default`, for some thousand cells and some minutes on two cores: a quarter of the widths, which is a
    /// quarter of the time of a step, five times the learning rate, and running averages that are ready after some
    /// hundred updates instead of some thousand.
    pub fn quick(genes: usize) -> Self {
        Self {
            noise: 64,
            generator: vec![128, 256, 256],
            critic: vec![256, 128, 64],
            rate: RateConfig { from: 5e-4, to: 5e-5, over: 10_000, decay: true },
            norm_momentum: 0.01,
            ..Self::paper(genes)
        }
    }

    /// The same for labels with these shares: cscGAN.
    #[must_use]
    pub fn with_labels(self, ratios: Vec<f64>) -> Self {
        Self { conditional: Some(Conditional { ratios, projection: false }), ..self }
    }

    /// Number of labels; 1 without labels.
    pub fn labels(&self) -> usize {
        self.conditional.as_ref().map_or(1, |c| c.ratios.len())
    }

    /// AMSGrad with β (0.5, 0.9), as published; the model sets the learning rate itself at every step.
    pub fn adam(&self) -> AdamConfig {
        AdamConfig { lr: self.rate.from, beta1: 0.5, beta2: 0.9, amsgrad: true, ..AdamConfig::default() }
    }

    /// A run of that many outer steps.
    pub fn run(&self, outer: u64) -> TrainConfig {
        TrainConfig::plain(self.minibatch, Length::Steps(self.steps(outer)), self.adam())
    }

    /// Trainer steps, which are critic updates, of so many updates of the generator.
    pub fn steps(&self, outer: u64) -> u64 {
        if self.first_alone && outer > 0 {
            return 1 + (outer - 1).saturating_mul(self.critic_updates);
        }
        outer.saturating_mul(self.critic_updates)
    }

    /// Updates of the generator before that trainer step (from 0).
    pub fn outer(&self, step: u64) -> u64 {
        if self.first_alone && step > 0 {
            return 1 + (step - 1) / self.critic_updates.max(1);
        }
        step / self.critic_updates.max(1)
    }

    /// Whether an update of the generator ends that trainer step (from 0).
    pub fn ends_outer(&self, step: u64) -> bool {
        self.outer(step + 1) > self.outer(step)
    }

    /// Looks for settings that cannot work.
    ///
    /// # Errors
    /// [`ZooError::Config`] that names the setting.
    pub fn check(&self) -> Result<(), ZooError> {
        let bad = |what: &str| Err(ZooError::Config { what: what.into() });
        let zero = |sizes: &[usize]| sizes.is_empty() || sizes.contains(&0);
        if self.genes == 0 || self.noise == 0 || zero(&self.generator) || zero(&self.critic) {
            return bad(
                "scGAN needs genes, noise and hidden layers of at least one unit in generator and critic",
            );
        }
        if self.critic_updates == 0 {
            return bad("critic_updates must be at least 1");
        }
        if self.minibatch < 2 {
            return bad("minibatch must be at least 2: batch normalisation needs two cells");
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if !positive(self.rate.from) || !positive(self.rate.to) || !positive(f64::from(self.library)) {
            return bad("rate.from, rate.to and library must be positive numbers");
        }
        if !(0.0..=1.0).contains(&self.norm_momentum) || !self.penalty.is_finite() || self.penalty < 0.0 {
            return bad("norm_momentum must lie in 0..1, and penalty must not be negative");
        }
        if let Some(c) = &self.conditional {
            let fine = c.ratios.iter().all(|r| r.is_finite() && *r >= 0.0);
            if !fine || c.ratios.iter().sum::<f64>() <= 0.0 {
                return bad("the labels' ratios must be shares, at least one of them above 0");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `models.md` §7: t = T/2 gives 3.162278e-5.
    #[test]
    fn the_learning_rate_falls_over_the_given_steps_and_not_over_those_of_the_run() {
        let rate = ScGanConfig::paper(10).rate;
        assert!((rate.at(500_000) - 3.162_278e-5).abs() < 1e-11);
        assert!((rate.at(0) - 1e-4).abs() < 1e-18 && (rate.at(1_000_000) - 1e-5).abs() < 1e-18);
        assert_eq!(rate.at(2_000_000), rate.at(1_000_000));
        assert_eq!(RateConfig { decay: false, ..rate }.at(500_000), 1e-4);
    }

    #[test]
    fn updates_of_the_generator_come_as_the_preset_says() {
        let ends = |config: &ScGanConfig| (0..20).filter(|&s| config.ends_outer(s)).collect::<Vec<_>>();
        let (paper, code) = (ScGanConfig::paper(10), ScGanConfig::code(10));
        assert_eq!(ends(&paper), [4, 9, 14, 19]);
        assert_eq!(ends(&code), [0, 6, 12, 18]);
        assert_eq!(
            (paper.outer(4), paper.outer(5), code.outer(0), code.outer(1), code.outer(6)),
            (0, 1, 0, 1, 1)
        );
        for config in [paper, code] {
            for outer in 1..5 {
                assert_eq!(config.outer(config.steps(outer)), outer);
                assert!(config.ends_outer(config.steps(outer) - 1));
            }
            assert_eq!(config.steps(0), 0);
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let base = ScGanConfig::paper(10);
        let says = |config: ScGanConfig, word: &str| {
            let text = config.check().unwrap_err().to_string();
            assert!(text.contains(word), "{text}");
        };
        assert!(base.check().is_ok() && ScGanConfig::quick(10).with_labels(vec![0.5, 0.0]).check().is_ok());
        says(ScGanConfig { critic_updates: 0, ..base.clone() }, "critic_updates");
        says(ScGanConfig { minibatch: 1, ..base.clone() }, "minibatch");
        says(ScGanConfig { critic: vec![], ..base.clone() }, "hidden layers");
        says(base.clone().with_labels(vec![]), "ratios");
        says(base.with_labels(vec![0.5, f64::NAN]), "ratios");
    }
}
