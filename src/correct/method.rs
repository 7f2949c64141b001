//! Ways to correct.

use serde::{Deserialize, Serialize};

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
