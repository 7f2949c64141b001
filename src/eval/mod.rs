//! Metrics: arrays in, numbers out.

mod distribution;
mod spike_in;

pub use distribution::{emd, median};
pub use spike_in::{Agreement, agreement, pearson};
