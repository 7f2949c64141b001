//! Why nothing can be simulated or estimated.

/// Why nothing can be simulated or estimated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplatError {
    /// A parameter outside its range.
    #[error("{name}: {found}; expected {expected}")]
    Parameter {
        /// Its name in a parameter file.
        name: String,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Data from which nothing can be estimated.
    #[error("{what}")]
    Input {
        /// What was found, what is needed.
        what: String,
    },
    /// A label it was not fitted on, or that had too few cells.
    #[error("label {label}: {what}")]
    Label {
        /// The label.
        label: usize,
        /// What is wrong.
        what: String,
    },
    /// More counts than memory allows.
    #[error("{bytes} bytes of counts so far, {cells} of {of} cells; at most {limit} are allowed (--memory)")]
    TooLarge {
        /// Bytes so far.
        bytes: u64,
        /// Cells done.
        cells: usize,
        /// Cells asked for.
        of: usize,
        /// Bytes allowed.
        limit: u64,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}
