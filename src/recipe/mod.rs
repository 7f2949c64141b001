//! What is done to stored values before a model sees them: recipes, fitted on one data set and replayed on others.
//!
//! ```
//! use scx::data::{Dataset, Dense, Frame, Index, Matrix, Values};
//! use scx::recipe::{Options, Recipe};
//!
//! let names = |n: usize| Frame::new(Index::names((0..n).map(|i| format!("{i}")).collect()));
//! let mut cells = Dataset::new(names(2), names(3));
//! cells.x = Some(Matrix::Dense(Dense::new(2, 3, Values::I32(vec![1, 0, 3, 2, 0, 0]))?));
//! let mut other = cells.clone();
//!
//! let recipe: Recipe = serde_json::from_str(
//!     r#"[{"step": "filter_genes", "min_cells": 1}, {"step": "normalize_total", "target_sum": "median"}]"#,
//! )?;
//! let fitted = recipe.fit_apply(&mut cells, &Options::default())?;
//! assert_eq!(cells.n_vars(), 2);
//! fitted.replay(&mut other, &Options::default())?;
//! assert_eq!(other.n_vars(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apart;
mod apply;
mod cytometry;
mod error;
mod fit;
mod fitted;
mod hvg;
mod loess;
mod logicle;
mod split;
mod stats;
mod step;
mod view;
mod vst;

use serde::{Deserialize, Serialize};

pub use apart::on_features;
pub use error::RecipeError;
pub use fit::{looks_like_counts, looks_transformed};
pub use fitted::{FittedRecipe, FittedStep, ReplayNotes};
pub use hvg::variable_genes;
pub use logicle::Logicle;
pub use split::{Groups, Split, balanced, groups_by};
pub use stats::Options;
pub use step::{Flavor, Median, Recipe, Step, TargetSum};

/// The scale a model works on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transform {
    /// `arcsinh(x / cofactor)`, the scale of cytometry; 5 for mass, about 150 for fluorescence.
    Arcsinh {
        /// Divides the stored value.
        cofactor: f64,
    },
    /// Values are taken as they are.
    None,
}

impl Transform {
    /// Stored value → model scale.
    pub fn forward(self, x: f64) -> f64 {
        match self {
            Transform::Arcsinh { cofactor } => (x / cofactor).asinh(),
            Transform::None => x,
        }
    }

    /// Model scale → stored value.
    pub fn inverse(self, y: f64) -> f64 {
        match self {
            Transform::Arcsinh { cofactor } => cofactor * y.sinh(),
            Transform::None => y,
        }
    }

    /// How the scale is written on an axis.
    pub fn label(self) -> String {
        match self {
            Transform::Arcsinh { cofactor } => format!("arcsinh(x/{cofactor})"),
            Transform::None => "stored value".into(),
        }
    }
}

/// Running look at stored values: do they look already transformed?
#[derive(Debug, Clone, Copy, Default)]
pub struct ScaleGuess {
    max: f64,
    fractions: u64,
    n: u64,
}

impl ScaleGuess {
    /// Takes one stored value into account.
    pub fn see(&mut self, x: f64) {
        self.max = self.max.max(x);
        self.fractions += u64::from(x.fract() != 0.0);
        self.n += 1;
    }

    /// The largest value seen.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Whether the values look as if arcsinh or a logarithm had been taken already: the maximum is below 15 and more
    /// than a fifth of the values are not whole numbers.
    pub fn looks_transformed(&self) -> bool {
        self.n > 0 && self.max < 15.0 && self.fractions * 5 > self.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arcsinh_divides_by_the_cofactor_and_its_inverse_multiplies() {
        let t = Transform::Arcsinh { cofactor: 5.0 };
        assert!((t.forward(5.0) - 1.0f64.asinh()).abs() < 1e-15);
        for x in [-300.0, -0.2, 0.0, 3.0, 12_345.0] {
            assert!((t.inverse(t.forward(x)) - x).abs() < 1e-9 * (1.0 + x.abs()));
        }
    }

    #[test]
    fn counts_and_raw_intensities_do_not_look_transformed() {
        let guess = |v: &[f64]| {
            let mut g = ScaleGuess::default();
            v.iter().for_each(|&x| g.see(x));
            g.looks_transformed()
        };
        assert!(guess(&[0.1, 2.5, 7.3]));
        assert!(!guess(&[0.0, 2.0, 7.0]), "small counts");
        assert!(!guess(&[0.1, 2.5, 700.3]), "raw intensities");
        assert!(!guess(&[]));
    }
}
