//! ACTIVA: an introspective variational autoencoder with a classifier (Heydari et al. 2022), as
//! published and with a law for counts.
//!
//! Encoder and generator form a VAE. After a warm-up the encoder also learns to give made cells a high divergence, and
//! the generator to make cells it cannot tell; a classifier (ACTINN) that sees cell and reconstruction keeps their type.

mod config;
mod counted;
mod generate;
mod model;
mod moments;
mod networks;
mod step;

use networks::Input;

pub use config::{ActivaConfig, LatentLaw, Observation};
pub(super) use counted::COUNTED;
pub use model::{Activa, KIND, Learnt};
use model::{CLASSIFIER, ENCODER, GENERATOR, ROWS};
