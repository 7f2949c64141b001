//! Corrections without a network: matrices in, matrices out, `f64` inside, no candle.

mod gain_map;
mod percentile_map;
pub mod sampling;

use ndarray::ArrayView2;
use rayon::prelude::*;

pub use gain_map::GainMap;
pub use percentile_map::{PAPER_KNOTS, PercentileMap, Tail, percentile, percentiles, weighted_quantiles};

/// One percentile map for each column, from `source` to `target` (cells × columns each).
pub fn fit_percentile_maps(
    source: ArrayView2<'_, f32>,
    target: ArrayView2<'_, f32>,
    range: [f64; 2],
    tail: Tail,
) -> Vec<PercentileMap> {
    (0..source.ncols())
        .into_par_iter()
        .map(|j| {
            let mut s: Vec<f64> = source.column(j).iter().map(|&x| f64::from(x)).collect();
            let mut t: Vec<f64> = target.column(j).iter().map(|&x| f64::from(x)).collect();
            PercentileMap::fit(&mut s, &mut t, range, tail)
        })
        .collect()
}

/// Mean of each column; NaN when there are no rows.
pub fn column_means(x: ArrayView2<'_, f32>) -> Vec<f64> {
    x.columns().into_iter().map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / c.len() as f64).collect()
}
