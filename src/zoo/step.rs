//! What a training step may use: one optimiser per group, its place in the run, and noise.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor};

use super::ZooError;
use crate::nn::{Adam, NnError};
use crate::rng::{Seed, Stream};

/// The place of a step in its run.
#[derive(Debug)]
pub struct StepCx<'a> {
    pub(super) optimisers: &'a mut BTreeMap<&'static str, Adam>,
    pub(super) seed: Seed,
    pub(super) step: u64,
    pub(super) epoch: u64,
    pub(super) lr: f64,
    pub(super) lr_scale: f64,
}

impl StepCx<'_> {
    /// Steps done before this one.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Epochs done before this one.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The learning rate the run was asked for, where a schedule starts from.
    pub fn lr(&self) -> f64 {
        self.lr
    }

    /// Backward and one optimiser step, for the parameters of `group` alone. Any graph built before is stale
    /// afterwards: run forward again.
    ///
    /// # Errors
    /// [`ZooError`] when there is no such group or tensors refuse.
    pub fn descend(&mut self, group: &str, loss: &Tensor) -> Result<(), ZooError> {
        self.descend_all(&[group], loss)
    }

    /// As [`StepCx::descend`], for several groups that go down the same loss.
    ///
    /// # Errors
    /// As [`StepCx::descend`].
    pub fn descend_all(&mut self, groups: &[&str], loss: &Tensor) -> Result<(), ZooError> {
        let grads = loss.backward().map_err(NnError::from)?;
        groups.iter().try_for_each(|group| self.apply(group, &grads))
    }

    /// One optimiser step of `group` with gradients at hand.
    ///
    /// # Errors
    /// [`ZooError`] when there is no such group or tensors refuse.
    pub fn apply(&mut self, group: &str, grads: &GradStore) -> Result<(), ZooError> {
        Ok(self.optimiser(group)?.step(grads)?)
    }

    /// Sets the learning rate of a group for this and the next steps.
    ///
    /// # Errors
    /// [`ZooError`] when there is no such group.
    pub fn set_lr(&mut self, group: &str, lr: f64) -> Result<(), ZooError> {
        let lr = lr * self.lr_scale;
        self.optimiser(group)?.set_lr(lr);
        Ok(())
    }

    fn optimiser(&mut self, group: &str) -> Result<&mut Adam, ZooError> {
        self.optimisers
            .get_mut(group)
            .ok_or_else(|| ZooError::Config { what: format!("no parameter group {group}") })
    }

    /// The random numbers of that name in this step. They follow from seed, name and step: a run that goes on needs no
    /// stored generator.
    pub fn stream(&self, name: &str) -> Stream {
        self.seed.stream(&format!("{name}/{}", self.step))
    }

    /// Standard normal noise of that name and shape.
    ///
    /// # Errors
    /// Candle's.
    pub fn normal(&self, name: &str, shape: (usize, usize), device: &Device) -> Result<Tensor, ZooError> {
        let mut stream = self.stream(&format!("noise/{name}"));
        let values: Vec<f32> = (0..shape.0 * shape.1).map(|_| stream.normal() as f32).collect();
        Ok(Tensor::from_vec(values, shape, device)?)
    }
}
