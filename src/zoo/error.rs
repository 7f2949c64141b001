//! What can go wrong with a model.

use crate::nn::NnError;

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
