//! Sizes and schedule of scGAN and cscGAN, and their presets.

use serde::{Deserialize, Serialize};

use crate::nn::AdamConfig;
use crate::zoo::{Length, Preset, TrainConfig, WIDEST, ZooError};

/// Settings of scGAN and, with `conditional`, of cscGAN.
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
    /// How the learning rate of both networks falls.
    pub rate: Schedule,
    /// Share of a minibatch's statistic in the running averages that cells are made with.
    pub norm_momentum: f64,
    /// What cscGAN knows about labels.
    pub conditional: Option<Conditional>,
}

/// Labels of cscGAN. Their shares in the training cells are taken from the data, by the label's number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// Number of labels.
    pub labels: usize,
    /// φ·w_c + φ·v + b at the end of the critic instead of φ·w_c + b_c.
    #[serde(default)]
    pub projection: bool,
}

/// A learning rate that falls exponentially from the one the run was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// What part of it is left at the end.
    pub end: f64,
    /// Outer steps (updates of the generator) until then, however long this run lasts; nothing changes afterwards.
    pub over: u64,
    /// Whether it falls at all. The public code lets it fall even where its flag says no.
    pub decay: bool,
}

impl Schedule {
    /// What the learning rate is multiplied by in outer step `t`: end^(t / over).
    pub fn factor(&self, t: u64) -> f64 {
        if !self.decay {
            return 1.0;
        }
        self.end.powf((t as f64 / self.over.max(1) as f64).min(1.0))
    }
}

/// Outer steps of the publication.
const PAPER_STEPS: u64 = 1_000_000;

/// Outer steps of the default preset.
const QUICK_STEPS: u64 = 3000;

impl ScGanConfig {
    /// The settings of a preset for that many genes and, in cscGAN, labels.
    ///
    /// `paper` has the published sizes and five critic updates for each of the generator. `code` is what the public
    /// code does: its update of the generator makes another one of the critic, six in all, and its first step has no
    /// others. `default` is for some thousand cells and some minutes on two cores: a quarter of the widths, which is a
    /// quarter of the time of a step; a learning rate that falls within the run; and running averages that are ready
    /// after some hundred updates instead of some thousand.
    pub fn preset(preset: Preset, genes: usize, labels: Option<usize>) -> Self {
        let paper = Self {
            genes,
            noise: 128,
            generator: vec![256, 512, 1024],
            critic: vec![1024, 512, 256],
            library: 20_000.0,
            penalty: 10.0,
            critic_updates: 5,
            first_alone: false,
            rate: Schedule { end: 0.1, over: PAPER_STEPS, decay: true },
            norm_momentum: 0.001,
            conditional: labels.map(|labels| Conditional { labels, projection: false }),
        };
        match preset {
            Preset::Paper => paper,
            Preset::Code => Self { critic_updates: 6, first_alone: true, ..paper },
            Preset::Default => Self {
                noise: 64,
                generator: vec![128, 256, 256],
                critic: vec![256, 128, 64],
                rate: Schedule { over: QUICK_STEPS, ..paper.rate },
                norm_momentum: 0.01,
                ..paper
            },
        }
    }

    /// How a preset is trained: AMSGrad with β (0.5, 0.9), minibatches of 128.
    pub fn train(preset: Preset) -> TrainConfig {
        let (lr, outer) = match preset {
            Preset::Paper | Preset::Code => (1e-4, PAPER_STEPS),
            Preset::Default => (5e-4, QUICK_STEPS),
        };
        let adam = AdamConfig { lr, beta1: 0.5, beta2: 0.9, amsgrad: true, ..AdamConfig::default() };
        let steps = Self::preset(preset, 1, None).steps(outer);
        TrainConfig { roll_backs: 3, ..TrainConfig::plain(128, Length::Steps(steps), adam) }
    }

    /// Number of labels; 1 without labels.
    pub fn labels(&self) -> usize {
        self.conditional.as_ref().map_or(1, |c| c.labels)
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
        let widest = self.generator.iter().chain(&self.critic).chain([&self.noise]).max();
        if let Some(wide) = widest.filter(|&&w| w > WIDEST) {
            return bad(&format!("a layer or noise of {wide}, at most {WIDEST} are possible"));
        }
        if self.genes == 0 || self.noise == 0 || zero(&self.generator) || zero(&self.critic) {
            return bad(
                "scGAN needs genes, noise and hidden layers of at least one unit in generator and critic",
            );
        }
        if self.critic_updates == 0 {
            return bad("critic_updates must be at least 1");
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        if !positive(self.rate.end) || !positive(f64::from(self.library)) {
            return bad("rate.end and library must be positive numbers");
        }
        if !(0.0..=1.0).contains(&self.norm_momentum) || !self.penalty.is_finite() || self.penalty < 0.0 {
            return bad("norm_momentum must lie in 0..1, and penalty must not be negative");
        }
        if self.labels() == 0 {
            return bad("cscGAN needs at least one label");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preset(preset: Preset) -> ScGanConfig {
        ScGanConfig::preset(preset, 10, None)
    }

    /// A worked example: t = T/2 gives 3.162278e-5.
    #[test]
    fn the_learning_rate_falls_over_the_given_steps_and_not_over_those_of_the_run() {
        let rate = preset(Preset::Paper).rate;
        let lr = |t| ScGanConfig::train(Preset::Paper).adam.lr * rate.factor(t);
        assert!((lr(500_000) - 3.162_278e-5).abs() < 1e-11);
        assert!((lr(0) - 1e-4).abs() < 1e-18 && (lr(1_000_000) - 1e-5).abs() < 1e-18);
        assert_eq!(lr(2_000_000), lr(1_000_000));
        assert_eq!(Schedule { decay: false, ..rate }.factor(500_000), 1.0);
    }

    #[test]
    fn updates_of_the_generator_come_as_the_preset_says() {
        let ends = |config: &ScGanConfig| (0..20).filter(|&s| config.ends_outer(s)).collect::<Vec<_>>();
        let (paper, code) = (preset(Preset::Paper), preset(Preset::Code));
        assert_eq!(ends(&paper), [4, 9, 14, 19]);
        assert_eq!(ends(&code), [0, 6, 12, 18]);
        let outer =
            [paper.outer(4), paper.outer(5), code.outer(0), code.outer(1), code.outer(6), code.outer(7)];
        assert_eq!(outer, [0, 1, 0, 1, 1, 2]);
        for config in [paper, code] {
            for outer in 1..5 {
                assert_eq!(config.outer(config.steps(outer)), outer);
                assert!(config.ends_outer(config.steps(outer) - 1));
            }
            assert_eq!(config.steps(0), 0);
        }
    }

    #[test]
    fn every_preset_is_sound_and_settings_that_cannot_work_are_named() {
        for of in Preset::ALL {
            preset(of).check().unwrap();
            ScGanConfig::preset(of, 10, Some(3)).check().unwrap();
        }
        let base = preset(Preset::Paper);
        let says = |config: ScGanConfig, word: &str| {
            let text = config.check().unwrap_err().to_string();
            assert!(text.contains(word), "{text}");
        };
        says(ScGanConfig { critic_updates: 0, ..base.clone() }, "critic_updates");
        says(ScGanConfig { critic: vec![], ..base.clone() }, "hidden layers");
        says(ScGanConfig { norm_momentum: f64::NAN, ..base }, "norm_momentum");
        says(ScGanConfig::preset(Preset::Default, 10, Some(0)), "label");
    }
}
