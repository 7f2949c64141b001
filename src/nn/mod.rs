//! Neural-network parts on candle. Knows tensors, no data set, no file.

pub mod fused;
pub mod gemm;
mod init;
mod layers;
mod optim;
mod params;

pub use fused::Activation;
pub use init::Init;
pub use layers::{Linear, Mlp};
pub use optim::{Adam, AdamConfig};
pub use params::Params;

/// What can go wrong in a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// A parameter does not fit.
    #[error("parameter {name}: {what}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// Candle refused.
    #[error("tensor operation failed")]
    Tensor(#[from] candle_core::Error),
}
