//! Neural-network parts on candle. Knows tensors, no data set, no file.

mod count_loss;
mod critic;
mod error;
mod first_layer;
pub mod fused;
pub mod gemm;
mod init;
mod layers;
mod library_norm;
mod loss;
mod norm;
mod optim;
mod params;
mod relu;
mod sampled;
mod sparse;

pub use count_loss::{CountLaw, ln_negative_binomial, ln_zero_inflated, negative_log_likelihood};
pub use critic::{Critic, Head, gradient_penalty};
pub use error::NnError;
pub use fused::Activation;
pub use init::Init;
pub use layers::{Linear, Mlp};
pub use library_norm::library_norm;
pub use loss::{cross_entropy, kl_divergence, squared_error};
pub use norm::{BatchNorm, Mode, NormConfig};
pub use optim::{Adam, AdamConfig, follow};
pub use params::Params;
pub use relu::leaky_relu;
pub use sampled::Sampled;
pub use sparse::{SparseBatch, SparseLinear};
