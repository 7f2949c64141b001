//! What is known of X between the steps of a recipe.

use super::RecipeError;
use super::stats::{self, CellCounts, GeneCounts, Options};
use crate::data::{Dataset, Matrix};

/// What is known of X between steps, so that it is not read again for it.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) cells: Option<CellCounts>,
    pub(super) genes: Option<GeneCounts>,
    pub(super) totals: Option<Vec<f64>>,
    /// Whether a step has just scaled X to sums: its values are on no logarithmic scale, however small.
    pub(super) linear: bool,
}

impl Work {
    /// Looks at the data set; keeps the values of X in a layer when they are going to change.
    pub(super) fn start(
        dataset: &mut Dataset,
        _: &Options,
        values_change: bool,
    ) -> Result<Self, RecipeError> {
        x(dataset)?;
        let m = dataset.x.take().ok_or(RecipeError::Cancelled)?.shared()?;
        if values_change && !dataset.layers.contains_key("counts") {
            if looks_like_counts(&m)? {
                dataset.layers.insert("counts".into(), m.clone());
            } else if !dataset.layers.contains_key("original") {
                dataset.layers.insert("original".into(), m.clone());
            }
        }
        dataset.x = Some(m);
        Ok(Self::default())
    }

    /// Counts of X as it is, for cells with `min_genes`.
    pub(super) fn count(
        &mut self,
        dataset: &Dataset,
        options: &Options,
        min_genes: u64,
    ) -> Result<(), RecipeError> {
        let (cells, genes) = stats::count(options, x(dataset)?, min_genes)?;
        self.totals = Some(cells.totals.clone());
        self.cells = Some(cells);
        self.genes = Some(genes);
        Ok(())
    }

    /// Cells of each gene.
    pub(super) fn genes(&mut self, dataset: &Dataset, options: &Options) -> Result<&GeneCounts, RecipeError> {
        if self.genes.is_none() {
            self.count(dataset, options, 0)?;
        }
        self.genes.as_ref().ok_or(RecipeError::Cancelled)
    }

    /// Sum of each cell.
    pub(super) fn totals(&mut self, dataset: &Dataset, options: &Options) -> Result<&[f64], RecipeError> {
        if self.totals.is_none() {
            self.totals = Some(stats::totals(options, x(dataset)?)?);
        }
        self.totals.as_deref().ok_or(RecipeError::Cancelled)
    }

    /// Forgets what was counted.
    pub(super) fn forget(&mut self) {
        *self = Self { linear: self.linear, ..Self::default() };
    }
}

/// X, which every step reads.
pub(super) fn x(dataset: &Dataset) -> Result<&Matrix, RecipeError> {
    dataset.x.as_ref().ok_or_else(|| RecipeError::input("X is absent; there is nothing to work on"))
}

/// Whether the first rows hold whole numbers of zero and above only, and one above zero at least.
pub fn looks_like_counts(m: &Matrix) -> Result<bool, RecipeError> {
    let (mut whole, mut some) = (true, false);
    let block = m.rows(0..m.shape().0.min(LOOK_ROWS))?;
    super::stats::each(&block, |_, _, x| {
        whole &= x >= 0.0 && x.fract() == 0.0;
        some |= x > 0.0;
    });
    Ok(whole && some)
}

/// Rows looked at to tell on what scale a matrix is.
pub(super) const LOOK_ROWS: usize = 1000;
