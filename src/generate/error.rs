//! Why no cells could be made.

use crate::classic::sampling::SampleError;
use crate::cluster::ClusterError;
use crate::concat::ConcatError;
use crate::data::DataError;
use crate::data::counts::CountsError;
use crate::loader::LabelError;
use crate::zoo::ZooError;

/// Why no cells could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// Something asked for does not fit; what to do is in the message.
    #[error("{what}")]
    Usage {
        /// What does not fit.
        what: String,
    },
    /// The data do not allow it.
    #[error("{what}")]
    Input {
        /// What is wrong with them.
        what: String,
    },
    /// The generator cannot make the type that is wanted.
    #[error(
        "the model makes too few cells of {label}: {have} of {wanted} after {tried} tries (acceptance {:.2} %); \
         train longer, ask for fewer, or take cells as they come (in --config, settings: {{filter: false, latent_law: posterior}})",
        100.0 * *have as f64 / (*tried).max(1) as f64
    )]
    Exhausted {
        /// The label.
        label: String,
        /// Cells accepted.
        have: usize,
        /// Cells wanted.
        wanted: usize,
        /// Cells made.
        tried: u64,
    },
    /// The room for it is missing.
    #[error("{what}")]
    TooLarge {
        /// What does not fit.
        what: String,
    },
    /// No counts.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// No labels.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// The model refused.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// A simple generator refused.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// Clusters could not be found.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Real and made cells could not be put together.
    #[error(transparent)]
    Concat(#[from] ConcatError),
    /// A matrix cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl GenerateError {
    pub(super) fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into() }
    }

    pub(super) fn input(what: impl Into<String>) -> Self {
        Self::Input { what: what.into() }
    }
}
