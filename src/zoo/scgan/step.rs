//! One step: an update of the critic, and one of the generator when its turn has come.

use candle_core::Tensor;

use super::{CRITIC, GENERATOR, ScGan};
use crate::nn::{Critic, Mode, gradient_penalty};
use crate::zoo::{CountBatch, Losses, StepCx, ZooError};

impl ScGan {
    pub(super) fn step(&mut self, batch: &CountBatch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        self.check_batch(batch)?;
        let rate = cx.lr() * self.config.rate.factor(self.config.outer(cx.step()));
        cx.set_lr(CRITIC, rate)?;
        cx.set_lr(GENERATOR, rate)?;
        let losses = self.critic_update(batch, cx)?;
        if self.config.ends_outer(cx.step()) {
            self.generator_update(batch.counts.len(), cx)?;
        }
        Ok(losses)
    }

    /// Descends mean D(made) − mean D(real) + λ · penalty.
    fn critic_update(&mut self, batch: &CountBatch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError> {
        let critic = match self.learning.take() {
            Some(critic) => critic,
            None => self.critic.gathering()?,
        };
        let losses = self.descend_critic(&critic, batch, cx)?;
        self.learning = Some(critic);
        Ok(losses)
    }

    fn descend_critic(
        &self,
        critic: &Critic,
        batch: &CountBatch,
        cx: &mut StepCx<'_>,
    ) -> Result<Losses, ZooError> {
        let n = batch.counts.len();
        let device = self.params.device();
        let real = batch.counts.scaled(self.config.library);
        let real_labels = match &self.config.conditional {
            Some(_) => Some(batch.label_tensor(device)?),
            None => None,
        };
        let z = cx.normal("critic", (n, self.config.noise), device)?;
        let labels = self.draw_labels("critic", n, cx)?;
        let made = self.generator.forward(&z, labels.as_ref(), Mode::Train)?.detach();

        let pre = critic.first_of_both(&made, &real)?;
        let of_made = pre.narrow(0, 0, n)?;
        let of_real = pre.narrow(0, n, n)?;
        let made_score = critic.score(&of_made, labels.as_ref())?.mean_all()?;
        let real_score = critic.score(&of_real, real_labels.as_ref())?.mean_all()?;

        // The penalty is taken between real cells and cells made of the same noise with the labels of the real ones.
        let of_partner = match &real_labels {
            None => of_made.detach(),
            Some(labels) => {
                let partner = self.generator.forward(&z, Some(labels), Mode::Batch)?.detach();
                critic.frozen().first(&partner)?
            }
        };
        let mut stream = cx.stream("mixture");
        let share: Vec<f32> = (0..n).map(|_| stream.uniform() as f32).collect();
        let share = Tensor::from_vec(share, (n, 1), device)?;
        let of_real = of_real.detach();
        let mixture = (&of_real + (of_partner - &of_real)?.broadcast_mul(&share)?)?;
        let penalty = gradient_penalty(&critic.input_gradient(&mixture, real_labels.as_ref())?)?;

        let distance = (&made_score - &real_score)?;
        let loss = (&distance + (&penalty * self.config.penalty)?)?;
        let mut grads = loss.backward()?;
        critic.hand_over(&mut grads);
        cx.apply(CRITIC, &grads)?;
        let number = |t: &Tensor| Ok::<_, ZooError>(f64::from(t.to_scalar::<f32>()?));
        Ok(vec![
            ("critic", number(&loss)?),
            ("distance", -number(&distance)?),
            ("penalty", number(&penalty)?),
            ("generator", -number(&made_score)?),
        ])
    }

    /// Descends −mean D(made).
    fn generator_update(&self, n: usize, cx: &mut StepCx<'_>) -> Result<(), ZooError> {
        let z = cx.normal("generator", (n, self.config.noise), self.params.device())?;
        let labels = self.draw_labels("generator", n, cx)?;
        let made = self.generator.forward(&z, labels.as_ref(), Mode::Train)?;
        let critic = self.critic.frozen();
        let score = critic.score(&critic.first(&made)?, labels.as_ref())?;
        cx.descend(GENERATOR, &score.mean_all()?.neg()?)
    }

    /// Labels drawn by their shares, where labels are known.
    fn draw_labels(&self, name: &str, n: usize, cx: &StepCx<'_>) -> Result<Option<Tensor>, ZooError> {
        let Some(shares) = self.shares()? else { return Ok(None) };
        let mut stream = cx.stream(&format!("labels/{name}"));
        let labels: Vec<u32> = (0..n).map(|_| stream.weighted(&shares) as u32).collect();
        Ok(Some(Tensor::from_vec(labels, n, self.params.device())?))
    }

    /// Whether a minibatch fits the model.
    pub(super) fn check_batch(&self, batch: &CountBatch) -> Result<(), ZooError> {
        let bad = |what: String| Err(ZooError::Config { what });
        let (width, genes) = (batch.counts.width(), self.config.genes);
        if width != genes {
            return bad(format!("this model was made for {genes} genes, the cells have {width}"));
        }
        if self.config.conditional.is_none() {
            return Ok(());
        }
        if batch.labels.len() != batch.counts.len() {
            return bad("cscGAN needs a label for every cell".into());
        }
        let labels = self.config.labels();
        match batch.labels.iter().find(|&&l| l as usize >= labels) {
            Some(label) => {
                bad(format!("a cell has label {label}, this model knows labels 0 to {}", labels - 1))
            }
            None => Ok(()),
        }
    }
}
