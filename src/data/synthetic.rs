//! The marks of cells that a model made, so that nobody takes them for real ones.

use super::{Column, Dataset};

/// Column of obs that tells made cells from real ones.
pub const COLUMN: &str = "is_synthetic";

/// How the names of made cells start where a format holds no column of cells.
pub const NAME_PREFIX: &str = "scx-synthetic-";

/// Which cells are marked as made, by [`COLUMN`] or by name; `None` when no cell is.
pub fn mask(dataset: &Dataset) -> Option<Vec<bool>> {
    let column = dataset.obs.column(COLUMN);
    let named = |i: usize| dataset.obs.index.get(i).is_some_and(|name| name.starts_with(NAME_PREFIX));
    let made: Vec<bool> =
        (0..dataset.n_obs()).map(|i| column.is_some_and(|c| says_yes(c, i)) || named(i)).collect();
    made.contains(&true).then_some(made)
}

/// Formats without booleans hold the column as numbers or text.
fn says_yes(column: &Column, i: usize) -> bool {
    let text = column.text(i).unwrap_or_default();
    text.eq_ignore_ascii_case("true") || text.parse::<f64>().is_ok_and(|v| v == 1.0)
}
