//! Exact zeros of mass cytometry: what becomes of them, and how many there are.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// What becomes of values that are exactly zero. Docs: `docs/neuron-edit.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Zeros {
    /// They stay zero
    #[default]
    Keep,
    /// They are moved as all other values
    Move,
}

/// Share of values that are exactly zero, over all markers.
pub fn zero_share(x: ArrayView2<'_, f32>) -> f64 {
    x.iter().filter(|v| **v == 0.0).count() as f64 / x.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_that_are_exactly_zero_count_of_either_sign() {
        let x = ndarray::arr2(&[[0.0, -0.0, 1e-30, -1.0], [0.5, f32::MIN_POSITIVE, 0.0, 2.0]]);
        assert_eq!(zero_share(x.view()), 3.0 / 8.0);
        assert_eq!(zero_share(x.slice(ndarray::s![..0, ..])), 0.0);
    }
}
