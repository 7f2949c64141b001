//! What every model can do.

use serde_json::Value;

use super::ZooError;
use super::batch::{Batch, BatchSource};
use super::generate::{Classify, Generate};
use super::step::StepCx;
use crate::nn::{AdamConfig, Params};

/// Units of a layer, a code or noise at most: sizes come from settings and stored models.
pub(super) const WIDEST: usize = 1 << 20;

/// Named losses of one step; the first is the total.
pub type Losses = Vec<(&'static str, f64)>;

/// What every model can do: be trained, be stored.
pub trait Model: Send + Sync {
    /// Parameter groups, each with its own optimiser: the first part of tensor names.
    fn groups(&self) -> &'static [&'static str];
    /// The parameters.
    fn params(&self) -> &Params;
    /// The optimiser of a group; `asked` is what the settings of the run say.
    fn optimiser(&self, _group: &str, asked: AdamConfig) -> AdamConfig {
        asked
    }
    /// One update on a minibatch. The order of updates is the model's business.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    fn train_step(&mut self, batch: &Batch, cx: &mut StepCx<'_>) -> Result<Losses, ZooError>;
    /// Before the first step: looks at the data once, for parameters that should not start from chance.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    fn prepare(&mut self, _data: &dyn BatchSource) -> Result<(), ZooError> {
        Ok(())
    }
    /// After training: learns from one more pass over the data what is not learnt by descent.
    ///
    /// # Errors
    /// [`ZooError`] when tensors refuse.
    fn calibrate(&mut self, _data: &dyn BatchSource) -> Result<(), ZooError> {
        Ok(())
    }
    /// The model's own settings, as they are stored.
    ///
    /// # Errors
    /// [`ZooError`] when they have no form in JSON.
    fn settings(&self) -> Result<Value, ZooError>;
    /// What is learnt beside the weights, as it is stored.
    ///
    /// # Errors
    /// [`ZooError`] when it has no form in JSON.
    fn learnt(&self) -> Result<Value, ZooError> {
        Ok(Value::Null)
    }
    /// The model as one that makes cells.
    fn as_generate(&self) -> Option<&dyn Generate> {
        None
    }
    /// The model as one that labels cells.
    fn as_classify(&self) -> Option<&dyn Classify> {
        None
    }
}
