//! The updates of ACTIVA on one minibatch.

use candle_core::Tensor;

use super::config::{ActivaConfig, Observation};
use super::networks::Encoder;
use super::{Activa, CLASSIFIER, ENCODER, GENERATOR, Input};
use crate::nn::{Mode, Sampled, cross_entropy, kl_divergence, negative_log_likelihood, squared_error};
use crate::zoo::{CountBatch, Losses, StepCx, ZooError};

/// Buffer of the last losses SoftAdapt looks at: margin terms, reconstruction.
pub(super) const WINDOW: &str = "encoder.soft_adapt";

/// Steps in that window.
pub(super) const WINDOW_LEN: usize = 10;

/// How strongly SoftAdapt weighs slopes.
const SOFT_ADAPT: f64 = 0.1;

impl ActivaConfig {
    /// Whether encoder and generator play against each other at all.
    fn adversarial(&self) -> bool {
        self.encoder_adversarial > 0.0 || self.generator_adversarial > 0.0 || self.classification > 0.0
    }

    /// Weight of the divergence in that epoch.
    fn kl_at(&self, epoch: u64) -> f64 {
        let share =
            if self.kl_epochs == 0 { 1.0 } else { ((epoch + 1) as f64 / self.kl_epochs as f64).min(1.0) };
        f64::from(self.kl) * share
    }
}

/// A minibatch on its way.
struct Cells<'a> {
    batch: &'a CountBatch,
    x: Input,
    /// What the expression generator is compared with.
    target: Option<Tensor>,
}

impl Activa {
    /// All updates of one minibatch.
    pub(super) fn step(&mut self, batch: &CountBatch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let x = self.scaled(batch);
        let target = match (&self.config.observation, &x) {
            (Observation::Expression, Input::Sparse(rows)) => Some(rows.dense(self.params.device())?),
            _ => None,
        };
        let cells = Cells { batch, x, target };
        let mut losses = if cx.epoch() < self.config.warm_up_epochs || !self.config.adversarial() {
            self.plain(&cells, cx)?
        } else {
            self.introspective(&cells, cx)?
        };
        if cx.epoch() < self.config.classifier_epochs {
            let labels = batch.label_tensor(self.params.device())?;
            let loss = cross_entropy(&self.classifier.forward(&cells.x)?, &labels)?;
            cx.descend(CLASSIFIER, &loss)?;
            losses.push(("classifier", number(&loss)?));
        }
        Ok(losses)
    }

    /// A step of the VAE alone: reconstruction and divergence.
    fn plain(&self, cells: &Cells<'_>, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let (mean, log_variance) = self.encoder.forward(&cells.x, Mode::Train)?;
        let z = self.code(&mean, &log_variance, &mut cx.stream("noise/code"))?;
        let made = self.generator.forward(&z, Mode::Train)?;
        let reconstruction = self.reconstruction(cells, &made)?;
        let kl = kl_divergence(&mean, &log_variance)?;
        // As published, the warm-up does not weigh its two terms.
        let weight = if self.config.observation == Observation::Expression {
            1.0
        } else {
            self.config.kl_at(cx.epoch())
        };
        let loss = (&reconstruction + (&kl * weight)?)?;
        cx.descend_all(&[ENCODER, GENERATOR], &loss)?;
        Ok(vec![("loss", number(&loss)?), ("reconstruction", number(&reconstruction)?), ("kl", number(&kl)?)])
    }

    /// The update of the encoder, then that of the generator.
    fn introspective(&self, cells: &Cells<'_>, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let c = &self.config;
        let noise = cx.normal("made", (cells.batch.counts.len(), c.latent), self.params.device())?;
        let made = self.generator.forward(&noise, Mode::Train)?;
        let (mean, log_variance) = self.encoder.forward(&cells.x, Mode::Train)?;
        let z = self.code(&mean, &log_variance, &mut cx.stream("noise/code"))?;
        // The generator learns from this pass in the public code alone.
        let again = if c.compat_detached {
            self.generator.forward(&z, Mode::Train)?
        } else {
            self.generator.frozen().forward(&z, Mode::Train)?
        };

        // The encoder sees reconstructed and made cells without a way back to the generator.
        let x_again = self.seen(cells, &again, cx, "again")?;
        let x_made = self.seen(cells, &made, cx, "made")?;
        let kl_again = divergence(&self.encoder, &x_again.detach())?;
        let kl_made = divergence(&self.encoder, &x_made.detach())?;
        let kl = kl_divergence(&mean, &log_variance)?;
        let reconstruction = self.reconstruction(cells, &again)?;
        let class = self.classification(cells, &x_again)?;
        let margin = (self.hinge(&kl_again)? + self.hinge(&kl_made)?)?;
        let rebuilt =
            ((&reconstruction * f64::from(c.reconstruction))? + (&class * f64::from(c.classification))?)?;
        let [margin_share, rebuilt_share] =
            self.soft_adapt(number(&margin)?, number(&reconstruction)?, cx.step())?;
        let loss = (((&kl * c.kl_at(cx.epoch()))?
            + (&margin * (f64::from(c.encoder_adversarial) * margin_share))?)?
            + (&rebuilt * rebuilt_share)?)?;
        let grads = loss.backward()?;
        cx.apply(ENCODER, &grads)?;

        if c.compat_detached {
            // The public code encodes both once more without a way back, so that only the running statistics see it;
            // the generator steps on what the first backward pass left.
            divergence(&self.encoder, &x_again.detach())?;
            divergence(&self.encoder, &x_made.detach())?;
            cx.apply(GENERATOR, &grads)?;
        } else {
            // Encode again, through the encoder as it is now, which stands still; the graph is cut at the code.
            let again = self.generator.forward(&z.detach(), Mode::Train)?;
            let noise = cx.normal("made/2", (cells.batch.counts.len(), c.latent), self.params.device())?;
            let made = self.generator.forward(&noise, Mode::Train)?;
            let x_again = self.seen(cells, &again, cx, "again/2")?;
            let adversarial = f64::from(c.generator_adversarial);
            let encoder = self.encoder.frozen();
            let divergences = if adversarial > 0.0 {
                let x_made = self.seen(cells, &made, cx, "made/2")?;
                (divergence(&encoder, &x_again)? + divergence(&encoder, &x_made)?)?
            } else {
                kl.zeros_like()?
            };
            let rebuilt = ((self.reconstruction(cells, &again)? * f64::from(c.reconstruction))?
                + (self.classification(cells, &x_again)? * f64::from(c.classification))?)?;
            cx.descend(GENERATOR, &((divergences * adversarial)? + rebuilt)?)?;
        }
        Ok(vec![
            ("loss", number(&loss)?),
            ("reconstruction", number(&reconstruction)?),
            ("kl", number(&kl)?),
            ("kl_reconstructed", number(&kl_again)?),
            ("kl_made", number(&kl_made)?),
            ("classification", number(&class)?),
        ])
    }

    /// What the generator gives, as encoder and classifier take it.
    fn seen(&self, cells: &Cells<'_>, made: &Tensor, cx: &StepCx<'_>, name: &str) -> Result<Input, ZooError> {
        if self.generator.dispersion.is_none() {
            return Ok(Input::Dense(made.clone()));
        }
        let (theta, zero) = self.dispersion()?;
        let scale = (self.config.target_sum, self.config.log);
        let stream = &mut cx.stream(&format!("noise/counts/{name}"));
        Ok(Input::Sampled(Sampled::draw(made, &cells.batch.library, (&theta, &zero), scale, stream)?))
    }

    /// What of the margin a divergence leaves open.
    fn hinge(&self, kl: &Tensor) -> Result<Tensor, ZooError> {
        Ok((kl.neg()? + f64::from(self.config.margin))?.relu()?)
    }

    /// Distance of what was made to the cells.
    fn reconstruction(&self, cells: &Cells<'_>, made: &Tensor) -> Result<Tensor, ZooError> {
        match (&cells.target, &self.generator.dispersion, self.config.observation) {
            (Some(x), _, _) => Ok(squared_error(made, x)?),
            (None, Some((theta, zero)), Observation::Counts(law)) => {
                let CountBatch { counts, library, .. } = cells.batch;
                Ok(negative_log_likelihood(counts, library, law, made, theta, zero)?)
            }
            _ => Err(ZooError::Config { what: "the generator and its observation do not fit".into() }),
        }
    }

    /// How differently the classifier sees cells and their reconstruction, on its logits.
    fn classification(&self, cells: &Cells<'_>, again: &Input) -> Result<Tensor, ZooError> {
        if self.config.classification == 0.0 {
            return Ok(Tensor::zeros((), candle_core::DType::F32, self.params.device())?);
        }
        let classifier = self.classifier.frozen();
        let real = classifier.forward(&cells.x)?.detach();
        Ok(squared_error(&classifier.forward(again)?, &real)?)
    }

    /// Shares of the margin terms and of the reconstruction in the encoder's loss: 1 each, or by their recent slopes.
    fn soft_adapt(&self, margin: f64, reconstruction: f64, step: u64) -> Result<[f64; 2], ZooError> {
        if !self.config.soft_adapt {
            return Ok([1.0; 2]);
        }
        let mut window = self.stored(WINDOW)?;
        let at = (step % WINDOW_LEN as u64) as usize;
        let before = (at + WINDOW_LEN - 1) % WINDOW_LEN;
        let now = [margin, reconstruction];
        let mut slopes = [0.0; 2];
        let mut means = [0.0; 2];
        for k in 0..2 {
            let row = &mut window[k * WINDOW_LEN..][..WINDOW_LEN];
            slopes[k] = now[k] - f64::from(row[before]);
            row[at] = now[k] as f32;
            means[k] = row.iter().map(|&v| f64::from(v)).sum::<f64>() / WINDOW_LEN as f64;
        }
        self.store(WINDOW, window)?;
        let most = slopes[0].max(slopes[1]);
        let raw = [0, 1].map(|k| means[k] * (SOFT_ADAPT * (slopes[k] - most)).exp());
        let sum = raw[0] + raw[1] + 1e-8;
        Ok(raw.map(|r| r / sum))
    }
}

/// Divergence of the codes an encoder gives cells.
fn divergence(encoder: &Encoder, x: &Input) -> Result<Tensor, ZooError> {
    let (mean, log_variance) = encoder.forward(x, Mode::Train)?;
    Ok(kl_divergence(&mean, &log_variance)?)
}

fn number(x: &Tensor) -> Result<f64, ZooError> {
    Ok(f64::from(x.to_scalar::<f32>()?))
}
