//! The models. A model file knows tensors only: no path, no obs column, no format.
//!
//! Adding a model = one file and one row of [`REGISTRY`].

pub mod actinn;
pub mod activa;
mod batch;
mod checkpoint;
mod counted;
mod error;
mod generate;
mod model;
mod neuron_edit;
mod registry;
pub mod scgan;
mod step;
mod trainer;

pub use batch::{Batch, BatchSource, CountBatch};
pub use checkpoint::{Checkpoint, FORMAT_VERSION, ModelFile, check_target};
pub use counted::{Build, Counted, Dims, Gives, Preset};
pub use error::ZooError;
pub use generate::{Classify, Generate, LibrarySizes, Made, MadeCells};
use model::WIDEST;
pub use model::{Losses, Model};
pub use neuron_edit::{KIND as NEURON_EDIT, LatentEdit, NeuronEdit, NeuronEditConfig};
pub use registry::{Entry, REGISTRY, entry};
pub use step::StepCx;
pub use trainer::{EarlyStop, Length, TrainConfig, TrainState, Trainer, Watch};
