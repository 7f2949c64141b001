//! What is known of each cell type, worked out once: means, variances, places in the control components, matched pairs.

use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use super::pairs::Pairs;
use super::study::{LEAST_CELLS, moments};
use super::{PredictError, Study, batches};
use crate::linalg::Pca;
use crate::rng::Seed;

/// Principal components of the control cells.
const COMPONENTS: usize = 50;

/// One cell type.
#[derive(Debug, Clone)]
pub(super) struct TypeFacts {
    /// Cells of the source condition.
    pub(super) n: usize,
    /// Cells of the target condition.
    pub(super) n_target: usize,
    /// Mean of the source cells as measured.
    pub(super) measured: Array1<f64>,
    /// Mean of the source cells, without batches.
    pub(super) control: Array1<f64>,
    /// Variance of the source cells.
    pub(super) control_variance: Array1<f64>,
    /// Mean of the target cells, without batches; empty when there are none.
    pub(super) response: Array1<f64>,
    /// Variance of the target cells.
    pub(super) response_variance: Array1<f64>,
    /// Mean place of the source cells.
    pub(super) place: Array1<f64>,
    /// Sum of products of places.
    pub(super) products: Array2<f64>,
    /// Displacements of matched pairs.
    pub(super) pairs: Option<Pairs>,
}

/// A study with what is known of its types.
pub struct Facts<'a> {
    /// The study.
    pub study: &'a Study<'a>,
    pub(super) types: Vec<Option<TypeFacts>>,
    pub(super) pca: Pca,
    /// Divides scores: the standard deviation of the control cells along the first component.
    pub(super) scale: f64,
    /// What batches add, batches × genes.
    effects: Option<Array2<f64>>,
}

impl<'a> Facts<'a> {
    /// Works out what all rules need; matched pairs too when `pairs` are wanted.
    ///
    /// # Errors
    /// [`PredictError`] when there are too few control cells, or a decomposition fails.
    pub fn new(study: &'a Study<'a>, pairs: bool, seed: Seed) -> Result<Self, PredictError> {
        let effects = match &study.batch {
            Some(batch) => Some(batches::effects(study, batch)?),
            None => None,
        };
        let known: Vec<usize> =
            (0..study.types.len()).filter(|&t| study.source[t].len() >= LEAST_CELLS).collect();
        let all: Vec<usize> = known.iter().flat_map(|&t| study.source[t].iter().copied()).collect();
        let mut facts = Self {
            study,
            types: vec![None; study.types.len()],
            pca: Pca {
                mean: Vec::new(),
                components: Array2::zeros((0, 0)),
                explained: Vec::new(),
                variance: Vec::new(),
            },
            scale: 1.0,
            effects,
        };
        let control = facts.columns(&all);
        let k = COMPONENTS.min(control.nrows().saturating_sub(1)).min(control.ncols()).max(1);
        facts.pca = Pca::fit_small_side(control.view(), k)?;
        drop(control);
        // Divided by n, as the other spreads are.
        let n = all.len() as f64;
        let first = facts.pca.variance.first().copied().unwrap_or(0.0) * (n - 1.0) / n;
        facts.scale = if first > 0.0 { first.sqrt() } else { 1.0 };
        let found: Vec<(usize, TypeFacts)> = known
            .par_iter()
            .map(|&t| Ok((t, facts.of(t, pairs, seed)?)))
            .collect::<Result<_, PredictError>>()?;
        found.into_iter().for_each(|(t, f)| facts.types[t] = Some(f));
        Ok(facts)
    }

    fn of(&self, t: usize, pairs: bool, seed: Seed) -> Result<TypeFacts, PredictError> {
        let study = self.study;
        let (measured, control_variance) = moments(study.values.view(), &study.source[t]);
        let places = self.places(&study.source[t])?;
        let place = places.mean_axis(Axis(0)).unwrap_or_default();
        let complete = study.target[t].len() >= LEAST_CELLS;
        let empty = || Array1::zeros(0);
        let (response, response_variance) =
            if complete { moments(study.values.view(), &study.target[t]) } else { (empty(), empty()) };
        let control = self.plain(measured.clone(), &study.source[t]);
        let response = if complete { self.plain(response, &study.target[t]) } else { response };
        let pairs =
            (pairs && complete).then(|| Pairs::new(self, t, &(&response - &control), seed)).transpose()?;
        Ok(TypeFacts {
            n: study.source[t].len(),
            n_target: study.target[t].len(),
            measured,
            control,
            control_variance,
            response,
            response_variance,
            products: places.t().dot(&places),
            place,
            pairs,
        })
    }

    /// The same facts, but for the source cells of one type, which `study` has others of.
    pub(super) fn with_source<'b>(&self, study: &'b Study<'b>, t: usize) -> Result<Facts<'b>, PredictError> {
        let mut facts = Facts {
            study,
            types: self.types.clone(),
            pca: self.pca.clone(),
            scale: self.scale,
            effects: self.effects.clone(),
        };
        facts.types[t] = Some(facts.of(t, false, Seed(0))?);
        Ok(facts)
    }

    /// A mean over cells without what their batches add.
    fn plain(&self, mean: Array1<f64>, cells: &[usize]) -> Array1<f64> {
        match (&self.effects, &self.study.batch) {
            (Some(effects), Some(batch)) => mean - batches::share(effects, batch, cells),
            _ => mean,
        }
    }

    /// Variable genes of cells, without what their batches add.
    pub(super) fn columns(&self, cells: &[usize]) -> Array2<f32> {
        let study = self.study;
        let mut out = Array2::zeros((cells.len(), study.variable.len()));
        let rows = out.axis_iter_mut(Axis(0)).into_par_iter();
        rows.zip(cells).for_each(|(mut row, &cell)| {
            let from = study.values.row(cell);
            row.iter_mut().zip(&study.variable).for_each(|(to, &g)| *to = from[g]);
            if let (Some(effects), Some(batch)) = (&self.effects, &study.batch) {
                let added = effects.row(batch[cell]);
                row.iter_mut().zip(&study.variable).for_each(|(to, &g)| *to -= added[g] as f32);
            }
        });
        out
    }

    /// Cells in the control components, in units of the first one's spread.
    pub(super) fn places(&self, cells: &[usize]) -> Result<Array2<f64>, PredictError> {
        Ok(self.pca.transform(self.columns(cells).view())? / self.scale)
    }

    /// Mean of a type in the components.
    pub(super) fn known(&self, t: usize) -> Result<&TypeFacts, PredictError> {
        self.types.get(t).and_then(Option::as_ref).ok_or_else(|| {
            PredictError::input(format!(
                "{}: fewer than {LEAST_CELLS} cells of the source condition",
                self.study.types.get(t).map_or("", String::as_str)
            ))
        })
    }

    /// Types that a response can be learnt from.
    pub fn trained(&self) -> Vec<usize> {
        let has = |t: &usize| self.types[*t].as_ref().is_some_and(|f| !f.response.is_empty());
        (0..self.types.len()).filter(has).collect()
    }
}
