//! What can go wrong in a network.

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
