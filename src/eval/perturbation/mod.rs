//! How well a response was predicted: predicted cells against real ones and against the control cells both started from.

mod distance;
mod genes;
mod means;
mod score;

pub use distance::{e_distance, energy_distance};
pub use genes::{Ranking, Test, rank, strongest, top};
pub use means::{Moments, corrected_half, correlation, r2};
pub use score::{
    Agreement, Halves, Plan, SPLITS, Score, Sets, Space, Spread, components, cut, halves, score,
};
