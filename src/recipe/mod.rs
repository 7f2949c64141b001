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
mod guess;
mod hvg;
mod loess;
mod logicle;
mod replay;
mod scale;
mod split;
mod stats;
mod step;
mod transform;
mod view;
mod vst;
mod work;

pub use apart::on_features;
pub use error::RecipeError;
pub use fit::looks_transformed;
pub use fitted::{FittedRecipe, FittedStep};
pub use guess::ScaleGuess;
pub use hvg::variable_genes;
pub use logicle::Logicle;
pub use replay::ReplayNotes;
pub use scale::Scale;
pub use split::{Groups, Split, balanced, groups_by};
pub use stats::Options;
pub use step::{Flavor, Median, Recipe, Step, TargetSum};
pub use transform::Transform;
pub use work::looks_like_counts;
