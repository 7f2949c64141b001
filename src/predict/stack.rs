//! The stack: rules for the mean and for the variance, weighted by how well they told types whose response is known.

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::boost::{Boost, LEAST_ROWS, stacked};
use super::curve::Curve;
use super::rules::STACKED;
use super::task::blend;
use super::{PredictError, Task};
use crate::linalg::nnls;

/// Width of the closeness by which near types are weighted.
pub(super) const NEAR: f64 = 0.3;

/// Least variance of a predicted gene.
const LEAST_VARIANCE: f64 = 1e-6;

/// Rules by name, and their weights.
pub(super) type Weights = Vec<(&'static str, f64)>;

/// Mean and variance that the stack predicts, and why.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    /// Predicted mean of each gene.
    pub(super) mean: Array1<f64>,
    /// Predicted variance of each gene.
    pub(super) variance: Array1<f64>,
    /// Rules of the mean and their weights.
    pub(super) mean_weights: Weights,
    /// Rules of the variance and their weights.
    pub(super) variance_weights: Weights,
    /// What is to be said.
    pub(super) notes: Vec<String>,
}

/// The rules of the variance and how they are called.
const VARIANCES: [&str; 6] = [
    "variance of near types",
    "curve of the mean",
    "curve times what genes keep",
    "curve times what genes and cells keep",
    "control variance times the near types' ratio",
    "control variance",
];

impl Stack {
    /// Weighs the rules by leave-one-type-out among the training types, and predicts.
    pub(super) fn fit(task: &Task) -> Result<Self, PredictError> {
        let inner = task.inner()?;
        if inner.is_empty() {
            return alone(task);
        }
        let all = changes(task)?;
        let told: Vec<Array2<f64>> =
            inner.par_iter().map(|i| Ok(variable(i, &changes(i)?))).collect::<Result<_, PredictError>>()?;
        let wanted: Vec<Vec<f64>> = inner.iter().map(known_change).collect::<Result<_, _>>()?;
        let weights = weigh(&told, &wanted)?;
        let mut change = blend(&weights, all.iter(), all[0].len());
        let mut notes = Vec::new();
        match boosted(task, &inner, (&told, &wanted), &weights, &all)? {
            Some(more) => change += &more,
            None => notes.push("boosting what the weighted rules leave over did not help types it had not seen; it is left out".into()),
        }
        let mean = task.mean(&change)?;
        // Means of the training types as the same weights tell them: what the variance will be given.
        let means: Vec<Array1<f64>> = inner
            .iter()
            .zip(&told)
            .map(|(i, told)| mean_of_variable(i, &told.dot(&Array1::from(weights.clone()))))
            .collect::<Result<_, _>>()?;
        let (variance, variance_weights) = variance(task, &mean, &inner, &means)?;
        let mean_weights = STACKED.iter().zip(&weights).map(|(r, w)| (r.1, *w)).collect();
        Ok(Self { mean, variance, mean_weights, variance_weights, notes })
    }
}

/// One training type: its change, and its ratio of variances.
fn alone(task: &Task) -> Result<Stack, PredictError> {
    let known = task.known()?;
    let change = task.changes()?.swap_remove(0);
    let mean = task.mean(&change)?;
    let own = &task.own()?.control_variance;
    let variance = Array1::from_shape_fn(own.len(), |g| {
        ratio(own[g], known[0].response_variance[g], known[0].control_variance[g])
    });
    let name = &task.facts.study.types[task.from[0]];
    let notes = vec![format!(
        "{name} is the only type with cells of both conditions: nothing can be weighed, its change is copied, and how far to \
         trust it cannot be told"
    )];
    Ok(Stack {
        mean,
        variance: variance.mapv(|v| v.max(LEAST_VARIANCE)),
        mean_weights: vec![("change of the nearest type", 1.0)],
        variance_weights: vec![(VARIANCES[4], 1.0)],
        notes,
    })
}

/// What each rule says, over all genes.
fn changes(task: &Task) -> Result<Vec<Array1<f64>>, PredictError> {
    STACKED.iter().map(|(rule, _)| rule.change(task)).collect()
}

/// The same over the variable genes, genes × rules.
fn variable(task: &Task, changes: &[Array1<f64>]) -> Array2<f64> {
    let genes = &task.facts.study.variable;
    Array2::from_shape_fn((genes.len(), changes.len()), |(i, r)| changes[r][genes[i]])
}

/// What the type asked for did, where it is known: over the variable genes.
fn known_change(task: &Task) -> Result<Vec<f64>, PredictError> {
    let own = task.own()?;
    Ok(task.facts.study.variable.iter().map(|&g| own.response[g] - own.control[g]).collect())
}

/// Non-negative weights of columns over all parts.
fn weigh(parts: &[Array2<f64>], wanted: &[Vec<f64>]) -> Result<Vec<f64>, PredictError> {
    let k = parts.first().map_or(0, Array2::ncols);
    let (mut gram, mut moment) = (Array2::<f64>::zeros((k, k)), Array1::<f64>::zeros(k));
    for (part, y) in parts.iter().zip(wanted) {
        gram += &part.t().dot(part);
        moment += &part.t().dot(&Array1::from(y.clone()));
    }
    Ok(nnls(&gram, &moment.to_vec())?)
}

/// Mean over the variable genes that follows from a change of them.
fn mean_of_variable(task: &Task, change: &Array1<f64>) -> Result<Array1<f64>, PredictError> {
    let own = task.own()?;
    let floor = task.facts.study.floor.map_or(f64::NEG_INFINITY, f64::from);
    let genes = &task.facts.study.variable;
    Ok(Array1::from_shape_fn(genes.len(), |i| (own.measured[genes[i]] + change[i]).max(floor)))
}

/// What trees add to the weighted rules, over all genes; `None` when they do not help: each training type is told by trees
/// that have not seen it, and its squared error has to fall.
fn boosted(
    task: &Task,
    inner: &[Task],
    (told, wanted): (&[Array2<f64>], &[Vec<f64>]),
    weights: &[f64],
    all: &[Array1<f64>],
) -> Result<Option<Array1<f64>>, PredictError> {
    let rows: usize = told.iter().map(Array2::nrows).sum();
    if rows < LEAST_ROWS || inner.len() < 3 {
        return Ok(None);
    }
    let w = Array1::from(weights.to_vec());
    let parts: Vec<Array2<f64>> = inner
        .iter()
        .zip(told)
        .map(|(i, t)| features(i, t, &task.facts.study.variable))
        .collect::<Result<_, _>>()?;
    let left: Vec<Vec<f64>> =
        told.iter().zip(wanted).map(|(t, y)| (Array1::from(y.clone()) - t.dot(&w)).to_vec()).collect();
    let helped: Vec<(f64, f64)> = (0..inner.len())
        .into_par_iter()
        .map(|u| {
            let others: Vec<usize> = (0..inner.len()).filter(|&v| v != u).collect();
            let x = stacked(&others.iter().map(|&v| parts[v].clone()).collect::<Vec<_>>());
            let y: Vec<f64> = others.iter().flat_map(|&v| left[v].iter().copied()).collect();
            let said = Boost::fit(x.view(), &y).at(parts[u].view());
            let before: f64 = left[u].iter().map(|r| r * r).sum();
            let after: f64 = left[u].iter().zip(&said).map(|(r, s)| (r - s).powi(2)).sum();
            (before, after)
        })
        .collect();
    let better = helped.iter().filter(|h| h.1 < h.0).count();
    let (before, after) = helped.iter().fold((0.0, 0.0), |s, h| (s.0 + h.0, s.1 + h.1));
    if after >= before || 2 * better < helped.len() {
        return Ok(None);
    }
    let y: Vec<f64> = left.into_iter().flatten().collect();
    let trees = Boost::fit(stacked(&parts).view(), &y);
    let genes: Vec<usize> = (0..all[0].len()).collect();
    let of_all = Array2::from_shape_fn((genes.len(), all.len()), |(g, r)| all[r][g]);
    Ok(Some(Array1::from(trees.at(features(task, &of_all, &genes)?.view()))))
}

/// What trees look at for each gene: the rules, the control mean, means of near types, and how much control means differ.
fn features(task: &Task, told: &Array2<f64>, genes: &[usize]) -> Result<Array2<f64>, PredictError> {
    let (known, own) = (task.known()?, task.own()?);
    let near = task.closeness(NEAR);
    let n = own.control.len();
    let response = blend(&near, known.iter().map(|t| &t.response), n);
    let control = blend(&near, known.iter().map(|t| &t.control), n);
    let even = vec![1.0 / known.len() as f64; known.len()];
    let mean = blend(&even, known.iter().map(|t| &t.control), n);
    let spread = |g: usize| {
        (known.iter().map(|t| (t.control[g] - mean[g]).powi(2)).sum::<f64>() / known.len() as f64).sqrt()
    };
    let rules = told.ncols();
    Ok(Array2::from_shape_fn((genes.len(), rules + 4), |(i, j)| {
        let g = genes[i];
        match j.checked_sub(rules) {
            None => told[(i, j)],
            Some(0) => own.control[g],
            Some(1) => response[g],
            Some(2) => control[g],
            _ => spread(g),
        }
    }))
}

/// The predicted variance of all genes, and the weights of its rules.
fn variance(
    task: &Task,
    mean: &Array1<f64>,
    inner: &[Task],
    means: &[Array1<f64>],
) -> Result<(Array1<f64>, Weights), PredictError> {
    let variable = &task.facts.study.variable;
    let told: Vec<Array2<f64>> = inner
        .par_iter()
        .zip(means)
        .map(|(i, m)| variances(i, &|at, _| m[at], variable))
        .collect::<Result<_, PredictError>>()?;
    let wanted: Vec<Vec<f64>> = inner
        .iter()
        .map(|i| i.own().map(|own| variable.iter().map(|&g| own.response_variance[g]).collect()))
        .collect::<Result<_, PredictError>>()?;
    let weights = weigh(&told, &wanted)?;
    let all: Vec<usize> = (0..mean.len()).collect();
    let said = variances(task, &|_, g| mean[g], &all)?.dot(&Array1::from(weights.clone()));
    Ok((said.mapv(|v| v.max(LEAST_VARIANCE)), VARIANCES.into_iter().zip(weights).collect()))
}

/// How far a gene's own excess over the curve is believed.
const KEPT: f64 = 0.8;

/// What each rule says of the variance of these genes, genes × rules. `mean` gives the mean of a gene by its position here
/// and its number.
fn variances(
    task: &Task,
    mean: &dyn Fn(usize, usize) -> f64,
    genes: &[usize],
) -> Result<Array2<f64>, PredictError> {
    let (known, own) = (task.known()?, task.own()?);
    let near = task.closeness(NEAR);
    let variable = &task.facts.study.variable;
    let pairs = known.iter().flat_map(|t| variable.iter().map(|&g| (t.response[g], t.response_variance[g])));
    let curve = Curve::fit(pairs);
    let at = |m: f64| curve.as_ref().map_or(0.0, |c| c.at(m));
    let excess = |v: f64, m: f64| ((v + 1e-3) / (at(m) + 1e-3)).ln();
    let rows: Vec<[f64; 6]> = genes
        .iter()
        .enumerate()
        .map(|(i, &g)| {
            let weighted =
                |f: &dyn Fn(usize) -> f64| near.iter().enumerate().map(|(t, w)| w * f(t)).sum::<f64>();
            let stimulated = weighted(&|t| known[t].response_variance[g]);
            let control = weighted(&|t| known[t].control_variance[g]);
            let kept = KEPT * weighted(&|t| excess(known[t].response_variance[g], known[t].response[g]));
            let cells = excess(own.control_variance[g], own.control[g]);
            let f = at(mean(i, g));
            [
                stimulated,
                f,
                f * kept.clamp(-2.0, 2.0).exp(),
                f * (0.5 * kept + 0.5 * cells).clamp(-2.0, 2.0).exp(),
                ratio(own.control_variance[g], stimulated, control),
                own.control_variance[g],
            ]
        })
        .collect();
    Ok(Array2::from_shape_fn((rows.len(), 6), |(i, j)| rows[i][j]))
}

/// A variance changed as another one was, not above three times the larger of what is known.
fn ratio(own: f64, after: f64, before: f64) -> f64 {
    (own * (after + 0.01) / (before + 0.01)).min(3.0 * own.max(after).max(1.0))
}
