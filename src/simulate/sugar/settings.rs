//! What decides about SUGAR.

use serde::{Deserialize, Serialize};

/// How SUGAR works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SugarSettings {
    /// Principal components; fewer where the data have fewer.
    pub n_pcs: usize,
    /// Cells of a neighbourhood, the cell itself among them; also the neighbour whose distance is the width of a kernel of
    /// the diffusion.
    pub neighbours: usize,
}

impl Default for SugarSettings {
    /// Few components: in many, most of them noise, all distances are alike, the diffusion averages over everything, and
    /// what is left of a component is stretched by a large factor.
    fn default() -> Self {
        Self { n_pcs: 5, neighbours: 5 }
    }
}

/// How many points each real cell sends out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// As many as make all neighbourhoods equally dense.
    Equalise,
    /// So many in all, shared out by sparsity. Shares are rounded down as in the reference; the points that are then
    /// missing go to the largest remainders.
    Total(usize),
}
