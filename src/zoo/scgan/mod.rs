//! scGAN, a Wasserstein GAN with gradient penalty whose cells all have one library size, and cscGAN, its conditional
//! form (Marouf et al. 2020): one model with and without labels.
//!
//! A trainer step is one minibatch and one update of the critic; every n-th is followed by an update of the generator,
//! which ends an outer step. Noise, labels and mixtures follow from seed, name and trainer step.

mod config;
mod counted;
mod generate;
mod model;
mod networks;
mod step;

pub use config::{Conditional, ScGanConfig, Schedule};
pub(super) use counted::{COUNTED, COUNTED_BY_LABEL};
pub use counted::{CSCGAN, SCGAN};
pub use model::ScGan;
use model::{CRITIC, GENERATOR};
