//! The models that predict a response: one row each.

use ndarray::{Array1, Array2};

use super::cells::{matched, moments_of, moved, shifted};
use super::rules::{Displacement, Rule, ridge_of_cells};
use super::stack::Stack;
use super::{PredictError, Task};
use crate::rng::Seed;

/// The one that is taken when none is named.
pub const DEFAULT: &str = "stack";

/// The strongest of the simple rules: what a model has to do better than.
pub const YARDSTICK: &str = "matched-delta";

/// What a model needs of a study beyond means and variances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Control and stimulated cells of each type paired by optimal transport.
    Pairs,
}

/// One model.
pub struct Kind {
    /// Its name in options.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// What it needs.
    pub needs: &'static [Need],
    /// Makes it.
    pub build: fn() -> Box<dyn Predictor>,
}

/// All models, the simple ones first.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "none",
        summary: "the control cells as they are: no response",
        reference: "baseline",
        needs: &[],
        build: || Box::new(Shift(Rule::None)),
    },
    Kind {
        name: "mean-delta",
        summary: "adds the mean change of all other cells",
        reference: "baseline",
        needs: &[],
        build: || Box::new(Shift(Rule::Pooled)),
    },
    Kind {
        name: "matched-delta",
        summary: "adds the mean change of the type with the nearest control cells",
        reference: "baseline",
        needs: &[],
        build: || Box::new(Shift(Rule::Nearest)),
    },
    Kind {
        name: "ridge",
        summary: "ridge regression from control components to the change of a cell's type",
        reference: "baseline",
        needs: &[],
        build: || Box::new(Ridge),
    },
    Kind {
        name: "ot-ridge",
        summary: "ridge regression from control components to the displacement of cells paired by optimal transport",
        reference: "baseline",
        needs: &[Need::Pairs],
        build: || Box::new(OtRidge),
    },
    Kind {
        name: "stack",
        summary: "rules for mean and variance, weighted by leave-one-type-out, and cells that hold both",
        reference: "scx",
        needs: &[Need::Pairs],
        build: || Box::new(Stacked),
    },
];

/// The row of that name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.name == name)
}

/// Predicted cells, and what there is to say of them.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Cells × genes, in the order of the source cells of the type.
    pub cells: Array2<f32>,
    /// Rules of the mean and their weights, where there are several.
    pub mean_weights: Vec<(String, f64)>,
    /// Rules of the variance and their weights.
    pub variance_weights: Vec<(String, f64)>,
    /// What is to be said.
    pub notes: Vec<String>,
}

impl Prediction {
    fn plain(cells: Array2<f32>) -> Self {
        Self { cells, mean_weights: Vec::new(), variance_weights: Vec::new(), notes: Vec::new() }
    }
}

/// What a model can do.
pub trait Predictor: Send + Sync {
    /// One cell for each source cell of the type asked for.
    ///
    /// # Errors
    /// [`PredictError`] when the data do not allow it.
    fn cells(&self, task: &Task, seed: Seed) -> Result<Prediction, PredictError>;

    /// The predicted mean of each gene.
    ///
    /// # Errors
    /// As [`Predictor::cells`].
    fn mean(&self, task: &Task) -> Result<Array1<f64>, PredictError> {
        Ok(moments_of(self.cells(task, Seed(0))?.cells.view()).0)
    }
}

struct Shift(Rule);

impl Predictor for Shift {
    fn cells(&self, task: &Task, _: Seed) -> Result<Prediction, PredictError> {
        Ok(Prediction::plain(shifted(task, &self.0.change(task)?)))
    }
}

/// Penalty of the ridge rules that stand alone.
const PENALTY: f64 = 0.03;

struct Ridge;

impl Predictor for Ridge {
    fn cells(&self, task: &Task, _: Seed) -> Result<Prediction, PredictError> {
        Ok(Prediction::plain(moved(task, &ridge_of_cells(task, PENALTY)?)?))
    }
}

struct OtRidge;

impl Predictor for OtRidge {
    fn cells(&self, task: &Task, _: Seed) -> Result<Prediction, PredictError> {
        Ok(Prediction::plain(moved(task, &Displacement::fit(task, PENALTY)?)?))
    }
}

struct Stacked;

impl Predictor for Stacked {
    fn cells(&self, task: &Task, seed: Seed) -> Result<Prediction, PredictError> {
        let stack = Stack::fit(task)?;
        let displacement = Displacement::fit(task, PENALTY)?;
        let cells = matched(task, (&stack.mean, &stack.variance), &displacement, seed)?;
        let named = |w: Vec<(&'static str, f64)>| w.into_iter().map(|(n, w)| (n.to_owned(), w)).collect();
        Ok(Prediction {
            cells,
            mean_weights: named(stack.mean_weights),
            variance_weights: named(stack.variance_weights),
            notes: stack.notes,
        })
    }

    fn mean(&self, task: &Task) -> Result<Array1<f64>, PredictError> {
        Ok(Stack::fit(task)?.mean)
    }
}
