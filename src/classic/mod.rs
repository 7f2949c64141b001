//! Corrections without a network: matrices in, matrices out, `f64` inside, no candle.

mod gain_map;
mod percentile_map;
pub mod sampling;

pub use gain_map::{GainMap, column_means};
pub use percentile_map::{
    PAPER_KNOTS, PercentileMap, Tail, fit_percentile_maps, percentile, percentiles, weighted_quantiles,
};
