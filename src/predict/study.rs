//! The cells a response is learnt from: two conditions of several cell types.

use ndarray::{Array1, Array2, ArrayView2};

use super::PredictError;

/// Cells of a type on one side below which nothing is learnt from it.
pub const LEAST_CELLS: usize = 10;

/// Cells of both conditions, and which of them are which.
#[derive(Debug, Clone)]
pub struct Study<'a> {
    /// Values, cells × genes, on a log-like scale.
    pub values: &'a Array2<f32>,
    /// Genes that rules are learnt on, increasing; all genes are predicted.
    pub variable: Vec<usize>,
    /// Names of the cell types.
    pub types: Vec<String>,
    /// For each type its cells of the source condition.
    pub source: Vec<Vec<usize>>,
    /// For each type its cells of the target condition.
    pub target: Vec<Vec<usize>>,
    /// The batch of each cell.
    pub batch: Option<Vec<usize>>,
    /// Values that can be no smaller, as those of counts and their logarithms at 0.
    pub floor: Option<f32>,
}

impl Study<'_> {
    /// Types with cells enough on both sides.
    pub fn complete(&self) -> Vec<usize> {
        let enough = |cells: &Vec<usize>| cells.len() >= LEAST_CELLS;
        (0..self.types.len()).filter(|&t| enough(&self.source[t]) && enough(&self.target[t])).collect()
    }

    /// The same cells, but nothing known of the response of one type, and other genes to learn on.
    #[must_use]
    pub fn without(&self, held: usize, variable: Vec<usize>) -> Self {
        let mut study = self.clone();
        study.variable = variable;
        study.target[held].clear();
        study
    }

    /// Refuses what no rule can be learnt from.
    ///
    /// # Errors
    /// [`PredictError::Input`] with what is there.
    pub fn check(&self, wanted: usize) -> Result<(), PredictError> {
        let name = |t: usize| self.types.get(t).map_or("", String::as_str);
        let found = self.source[wanted].len();
        if found < LEAST_CELLS {
            return Err(PredictError::input(format!(
                "{}: {found} cells of the source condition; {LEAST_CELLS} or more are needed to predict from",
                name(wanted)
            )));
        }
        if self.complete().iter().all(|&t| t == wanted) {
            let list = |cells: &[Vec<usize>]| {
                let all = cells.iter().enumerate().filter(|(t, c)| *t != wanted && !c.is_empty());
                all.map(|(t, c)| format!("{} ({})", name(t), c.len())).collect::<Vec<_>>().join(", ")
            };
            let or_none = |s: String| if s.is_empty() { "none".to_owned() } else { s };
            return Err(PredictError::input(format!(
                "no other cell type has {LEAST_CELLS} cells or more in both conditions, so there is no response to learn \
                 from; other types with cells in the source condition: {}; in the target condition: {}",
                or_none(list(&self.source)),
                or_none(list(&self.target))
            )));
        }
        Ok(())
    }
}

/// Mean and variance (n in the denominator) of each gene over some cells.
pub fn moments(values: ArrayView2<'_, f32>, cells: &[usize]) -> (Array1<f64>, Array1<f64>) {
    let genes = values.ncols();
    let n = cells.len().max(1) as f64;
    let mut mean = Array1::<f64>::zeros(genes);
    for &cell in cells {
        mean.iter_mut().zip(values.row(cell)).for_each(|(m, v)| *m += f64::from(*v));
    }
    mean /= n;
    let mut variance = Array1::<f64>::zeros(genes);
    for &cell in cells {
        for ((s, m), v) in variance.iter_mut().zip(&mean).zip(values.row(cell)) {
            *s += (f64::from(*v) - m).powi(2);
        }
    }
    variance /= n;
    (mean, variance)
}
