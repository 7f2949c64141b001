//! The models. A model file knows tensors only: no path, no obs column, no format.
//!
//! Adding a model = one file and one row of [`REGISTRY`].

mod batch;
mod checkpoint;
mod generate;
mod neuron_edit;
pub mod scgan;
mod step;
mod trainer;

use crate::nn::{AdamConfig, NnError, Params};

pub use batch::{Batch, BatchSource, CountBatch};
pub use checkpoint::{Checkpoint, FORMAT_VERSION, ModelFile, check_target};
pub use generate::{Cells, Generate, LibraryLaw, Made};
pub use neuron_edit::{KIND as NEURON_EDIT, LatentEdit, NeuronEdit, NeuronEditConfig};
pub use step::StepCx;
pub use trainer::{EarlyStop, Length, TrainConfig, TrainState, Trainer, Watch};

/// Named losses of one step; the first is the total.
pub type Losses = Vec<(&'static str, f64)>;

/// What every model can do: be trained, be stored.
pub trait Model: Send {
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
    /// The model as one that makes cells.
    fn as_generate(&self) -> Option<&dyn Generate> {
        None
    }
}

/// One row of the table of models.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name in files and on the command line.
    pub kind: &'static str,
    /// What it is, in a line.
    pub what: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
}

/// All models.
pub static REGISTRY: &[Entry] = &[
    Entry {
        kind: neuron_edit::KIND,
        what: "batch correction from spike-in controls: percentile maps on the neurons of an autoencoder",
        reference: "Amodio et al., Neuron Editing, eq. 1",
    },
    Entry {
        kind: scgan::SCGAN,
        what: "cells of the whole population: Wasserstein GAN with gradient penalty, all cells of one library size",
        reference: "Marouf et al. 2020, Nature Communications 11:166",
    },
    Entry {
        kind: scgan::CSCGAN,
        what: "cells of a label: scGAN with batch normalisation and critic head by label",
        reference: "Marouf et al. 2020, Nature Communications 11:166",
    },
];

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
