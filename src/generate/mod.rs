//! Making cells: which counts to learn from, training, stored models, new cells, and putting them below the real ones.
//!
//! The way of the data: [`Material`] (counts and labels of a data set) → [`train`] → [`Trained`] → [`make`] →
//! [`Synthetic`] → [`alone`] or [`below`]. A stored model enters at [`Trained::load`].

mod by;
mod classify;
mod derive;
mod join;
mod make;
mod material;
mod outlook;
mod simple;
mod stored;
mod train;

use crate::classic::sampling::SampleError;
use crate::cluster::ClusterError;
use crate::concat::ConcatError;
use crate::data::DataError;
use crate::data::counts::CountsError;
use crate::loader::LabelError;
use crate::zoo::ZooError;

pub use by::{LEAST_OF_A_VALUE, wanted};
pub use classify::{Classified, Matching, classify, first};
pub use join::{alone, below, check_below};
pub use make::{Request, Synthetic, make, proportions};
pub use material::{Material, Sought};
pub use outlook::{NewCells, outlook_alone, outlook_below};
pub use simple::{KINDS, Simple};
pub use train::{Maker, Stops, TrainPlan, Trained, train};

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
    fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into() }
    }

    fn input(what: impl Into<String>) -> Self {
        Self::Input { what: what.into() }
    }
}
