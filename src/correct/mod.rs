//! The main job: move samples of one run to where they would lie in another, learnt from the same control cells
//! measured in both.

mod again;
mod cofactors;
mod experiment;
mod fit;
mod fitted;
mod halves;
mod joined;
mod markers;
mod run_fit;
mod score;
mod stored;
mod study;
mod verdict;
mod zeros;

use serde::{Deserialize, Serialize};

use crate::data::DataError;
pub use crate::data::did_you_mean;
use crate::io::{ReadError, WriteError};
use crate::zoo::ZooError;

pub use again::{Earlier, RESULT_LAYER, earlier, records};
pub use cofactors::own_cofactors;
pub use experiment::{
    Design, Experiment, FILES_RUN, Roles, Run, Sample, from_annotated, from_files, runs_of,
};
pub use fit::{FitPlan, fit};
pub use fitted::{Applied, Fitted, Network};
pub use halves::{Halves, HeldOut};
pub use joined::{Codes, Guess, Joined};
pub use markers::{Choice, Marker, choose, match_panel};
pub use run_fit::RunFit;
pub use score::{Against, HoldoutScore, MarkerMedians, MethodScore, SampleScore, follows};
pub use study::{Reference, StudyRun, from_study, mean_control, pooled};
pub use verdict::{Evidence, Level, Verdict, verdict};
pub use zeros::{Zeros, zero_share};

/// Ways to correct, each fitted on controls and applied to samples.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Percentile maps on the neurons of an autoencoder
    #[default]
    NeuronEdit,
    /// The same neurons, each moved by the difference of its means
    ConstantShift,
    /// Percentile maps on the markers themselves
    Ambient,
    /// Each marker moved by the difference of its means
    MeanShift,
    /// Nothing: the uncorrected sample
    None,
}

impl Method {
    /// All methods, in the order of the score table.
    pub const ALL: [Method; 5] =
        [Method::NeuronEdit, Method::ConstantShift, Method::Ambient, Method::MeanShift, Method::None];

    /// Whether it works on the neurons of a trained autoencoder.
    pub fn needs_network(self) -> bool {
        matches!(self, Method::NeuronEdit | Method::ConstantShift)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::NeuronEdit => "neuron-edit",
            Method::ConstantShift => "constant-shift",
            Method::Ambient => "ambient",
            Method::MeanShift => "mean-shift",
            Method::None => "none",
        }
    }
}

/// Which form of NeuronEdit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Exactly as published
    Paper,
    /// Better on held-out controls; docs/neuron-edit.md lists every difference
    Default,
}

/// What can go wrong with a correction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorrectError {
    /// The request does not fit the data: another column, run, marker or option is needed.
    #[error("{what}")]
    Usage {
        /// What was asked, what there is, what to do.
        what: String,
    },
    /// The data cannot be corrected.
    #[error("{file}: {what}")]
    Input {
        /// Which file.
        file: String,
        /// What was found, what was expected, what to do.
        what: String,
    },
    /// A result is no number.
    #[error("{what}")]
    Numerical {
        /// Where, and what to do.
        what: String,
    },
    /// Reading a file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Writing a file.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Data in memory.
    #[error("{file}: {source}")]
    Data {
        /// Which file.
        file: String,
        /// What is wrong.
        #[source]
        source: DataError,
    },
    /// The model.
    #[error(transparent)]
    Zoo(#[from] ZooError),
}

impl CorrectError {
    /// A [`CorrectError::Usage`].
    pub fn usage(what: impl Into<String>) -> Self {
        CorrectError::Usage { what: what.into() }
    }

    /// A [`CorrectError::Input`].
    pub fn input(file: impl Into<String>, what: impl Into<String>) -> Self {
        CorrectError::Input { file: file.into(), what: what.into() }
    }
}
