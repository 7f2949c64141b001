//! One question: what would this type do, told by those types?

use ndarray::Array1;

use super::facts::TypeFacts;
use super::{Facts, PredictError};

/// A type to be predicted and the types it is learnt from. Whatever the target cells of the first are, no rule looks at
/// them.
pub struct Task<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// Types learnt from.
    pub(super) from: Vec<usize>,
    /// The type asked for.
    pub(super) of: usize,
    /// Squared distances of their mean places.
    distance: Vec<f64>,
}

impl<'a> Task<'a> {
    /// # Errors
    /// [`PredictError::Input`] when a type has too few cells, or none is left to learn from.
    pub fn new(facts: &'a Facts<'a>, from: Vec<usize>, of: usize) -> Result<Self, PredictError> {
        let place = &facts.known(of)?.place;
        let distance = from
            .iter()
            .map(|&t| Ok(square(&(&facts.known(t)?.place - place))))
            .collect::<Result<Vec<f64>, PredictError>>()?;
        if from.is_empty() {
            return Err(PredictError::input("no cell type is left to learn a response from"));
        }
        Ok(Self { facts, from, of, distance })
    }

    /// What is known of the type asked for.
    pub(super) fn own(&self) -> Result<&'a TypeFacts, PredictError> {
        self.facts.known(self.of)
    }

    /// What is known of the types learnt from, each with its position.
    pub(super) fn known(&self) -> Result<Vec<&'a TypeFacts>, PredictError> {
        self.from.iter().map(|&t| self.facts.known(t)).collect()
    }

    /// The training types, each asked for in turn and told by the others; none when there is one type only.
    pub fn inner(&self) -> Result<Vec<Task<'a>>, PredictError> {
        if self.from.len() < 2 {
            return Ok(Vec::new());
        }
        let others = |u: usize| self.from.iter().copied().filter(|&t| t != u).collect();
        self.from.iter().map(|&u| Task::new(self.facts, others(u), u)).collect()
    }

    /// Weights of the types by closeness: exp(−(d − least d) / (`h` · median d)), adding up to 1.
    pub(super) fn closeness(&self, h: f64) -> Vec<f64> {
        let least = self.distance.iter().copied().fold(f64::INFINITY, f64::min);
        let unit = h * median(&self.distance);
        let weight = |d: &f64| if unit > 0.0 { (-(d - least) / unit).exp() } else { 1.0 };
        let weights: Vec<f64> = self.distance.iter().map(weight).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / sum).collect()
    }

    /// The training type whose mean place is nearest, as a position.
    pub(super) fn nearest(&self) -> usize {
        least(&self.distance)
    }

    /// Change of the mean of each training type.
    pub(super) fn changes(&self) -> Result<Vec<Array1<f64>>, PredictError> {
        Ok(self.known()?.into_iter().map(|t| &t.response - &t.control).collect())
    }

    /// The mean that follows from a change: not below what values can be.
    pub(super) fn mean(&self, change: &Array1<f64>) -> Result<Array1<f64>, PredictError> {
        let mut mean = &self.own()?.measured + change;
        if let Some(floor) = self.facts.study.floor {
            mean.mapv_inplace(|v| v.max(f64::from(floor)));
        }
        Ok(mean)
    }
}

/// Position of the least; the first of equals.
pub(super) fn least(v: &[f64]) -> usize {
    v.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |m| m.0)
}

fn square(v: &Array1<f64>) -> f64 {
    v.dot(v)
}

/// Mean of the middle two when even.
pub(super) fn median(v: &[f64]) -> f64 {
    let mut v = v.to_vec();
    v.sort_by(f64::total_cmp);
    let n = v.len();
    match n {
        0 => 0.0,
        n if n % 2 == 1 => v[n / 2],
        n => 0.5 * (v[n / 2 - 1] + v[n / 2]),
    }
}

/// A weighted sum.
pub(super) fn blend<'b>(
    weights: &[f64],
    of: impl Iterator<Item = &'b Array1<f64>>,
    genes: usize,
) -> Array1<f64> {
    let mut out = Array1::zeros(genes);
    weights.iter().zip(of).for_each(|(w, v)| out.scaled_add(*w, v));
    out
}
