//! The models. A model file knows tensors only: no path, no obs column, no format.
//!
//! Adding a model = one file and one row of [`REGISTRY`].

pub mod actinn;
pub mod activa;
mod batch;
mod checkpoint;
mod generate;
mod neuron_edit;
mod registry;
pub mod scgan;
mod step;
mod trainer;

use serde_json::Value;

use crate::nn::{AdamConfig, NnError, Params};

pub use batch::{Batch, BatchSource, CountBatch};
pub use checkpoint::{Checkpoint, FORMAT_VERSION, ModelFile, check_target};
pub use generate::{Classify, Generate, LibrarySizes, Made, MadeCells};
pub use neuron_edit::{KIND as NEURON_EDIT, LatentEdit, NeuronEdit, NeuronEditConfig};
pub use registry::{Build, Counted, Dims, Entry, Gives, Preset, REGISTRY, entry};
pub use step::StepCx;
pub use trainer::{EarlyStop, Length, TrainConfig, TrainState, Trainer, Watch};

/// Units of a layer, a code or noise at most: sizes come from settings and stored models.
const WIDEST: usize = 1 << 20;

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

/// What can go wrong with a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZooError {
    /// The loss is no number any more, or far above where it began.
    #[error(
        "training diverged at step {step} (epoch {epoch}): {name} is {loss}, the loss began at {first}; \
         check the input scale (--transform, --cofactor) or lower the learning rate (model.learning_rate in --config)"
    )]
    Diverged {
        /// Step, from 1.
        step: u64,
        /// Epoch, from 1.
        epoch: u64,
        /// Which loss.
        name: String,
        /// The loss there.
        loss: f64,
        /// The loss of the first step.
        first: f64,
    },
    /// Somebody asked to stop.
    #[error("stopped at step {step}; nothing was written")]
    Cancelled {
        /// Steps done.
        step: u64,
    },
    /// The settings do not fit together.
    #[error("{what}")]
    Config {
        /// What is wrong.
        what: String,
    },
    /// A model cannot be stored there.
    #[error("{}: {what}", path.display())]
    Exists {
        /// The folder.
        path: std::path::PathBuf,
        /// What is there, and what to do.
        what: String,
    },
    /// The disk or the quota is full.
    #[error("{}: no space left on the device for the model", path.display())]
    Full {
        /// The folder.
        path: std::path::PathBuf,
    },
    /// A stored model cannot be used.
    #[error("{}: {what}", path.display())]
    Checkpoint {
        /// The folder or file.
        path: std::path::PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A network refused.
    #[error(transparent)]
    Nn(#[from] NnError),
}

impl From<candle_core::Error> for ZooError {
    fn from(e: candle_core::Error) -> Self {
        ZooError::Nn(NnError::Tensor(e))
    }
}
