//! Where raw counts are, in a data set that may hold them in several places.

use serde::Serialize;

use super::fit::{finite, look, looks_like_counts};
use super::{FittedRecipe, FittedStep, Recipe, RecipeError, Step};
use crate::data::{Dataset, place};

/// Where counts were taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsFrom {
    /// `layers["counts"]`.
    Layer,
    /// `raw`, with its own genes.
    Raw,
    /// X.
    X,
    /// X, which holds fractions.
    Fractions,
}

impl CountsFrom {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            CountsFrom::Layer => "layers[\"counts\"]",
            CountsFrom::Raw => "raw, with its own genes",
            CountsFrom::X => "X",
            CountsFrom::Fractions => "X, which holds fractions",
        }
    }
}

impl Recipe {
    /// Whether a step scales cells to a sum, which makes sense for raw counts only.
    pub fn needs_counts(&self) -> bool {
        self.steps.iter().any(|s| matches!(s, Step::NormalizeTotal { .. }))
    }
}

impl FittedRecipe {
    /// As [`Recipe::needs_counts`].
    pub fn needs_counts(&self) -> bool {
        self.steps.iter().any(|s| matches!(s, FittedStep::NormalizeTotal { .. }))
    }
}

/// Makes raw counts the main matrix: those of `layers["counts"]`, else whole numbers in `raw`, else whole numbers in X.
/// Fractions in X are taken when they do not look logarithmised.
///
/// # Errors
/// [`RecipeError::Input`] when X looks logarithmised, unless `force`; when it holds NaN or infinite values; when there is no
/// matrix at all.
pub fn take_counts(dataset: &mut Dataset, force: bool) -> Result<CountsFrom, RecipeError> {
    if let Some(layer) = dataset.layers.get("counts") {
        if looks_like_counts(layer)? {
            dataset.x = Some(layer.clone());
            return Ok(CountsFrom::Layer);
        }
        match finite(layer) {
            Err(RecipeError::NotFinite { value, row, column }) => {
                let (cell, variable) = (dataset.obs.index.get(row), dataset.var.index.get(column));
                let at = place(cell.as_deref(), Some(row), variable.as_deref(), Some(column));
                tracing::warn!("layers[\"counts\"] holds {value} at {at}; it is not taken for counts");
            }
            _ => tracing::warn!(
                "layers[\"counts\"] holds other than whole numbers; it is not taken for counts"
            ),
        }
    }
    if let Some(raw) = &dataset.raw
        && looks_like_counts(&raw.x)?
    {
        dataset.arrange(Some("raw"), &[])?;
        return Ok(CountsFrom::Raw);
    }
    let Some(x) = &dataset.x else {
        return Err(RecipeError::input("X is absent, and neither layers[\"counts\"] nor raw holds counts"));
    };
    if looks_like_counts(x)? {
        return Ok(CountsFrom::X);
    }
    finite(x).map_err(|e| e.named(dataset))?;
    if look(x)?.looks_transformed() && !force {
        return Err(RecipeError::input(
            "X looks like log1p (no value above 15, most are no whole numbers), and there are no raw counts in \
             layers[\"counts\"] or raw; say where they are with --layer, or add --force-space to go on all the same",
        ));
    }
    Ok(CountsFrom::Fractions)
}
