//! Rules for the change of the mean: each sees the means of the training types and the control cells of the type asked for.

use ndarray::{Array1, Array2};

use super::task::{blend, least};
use super::{PredictError, Task};
use crate::linalg::solve_definite;

/// A rule for the change of the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Nothing changes.
    None,
    /// The difference of all target and all source cells, whatever their types.
    Pooled,
    /// The mean of the changes of the types.
    TypeMean,
    /// The change of the type with the nearest control mean, over the variable genes.
    Nearest,
    /// The change of the type that is nearest in the control components.
    Matched,
    /// Changes weighted by closeness, with this width.
    Kernel(f64),
    /// Ridge from the components of control cells to the change of their type, with this penalty.
    Ridge(f64),
    /// Kernel ridge on the control means of the types, with a linear kernel and this penalty.
    KernelRidge(f64),
    /// For each gene a line from control mean to target mean over the types.
    GeneScaling {
        /// How strongly its slope is drawn to 1, in units of the mean spread of genes.
        pull: f64,
        /// Width of the closeness of types.
        width: f64,
    },
    /// From the control mean towards that of near types: what noise there is in a mean of few cells is not kept.
    Pull(f64),
    /// Ridge from the components of control cells to their displacement by optimal transport, with this penalty.
    Transport(f64),
}

/// The rules of `stack` and how they are called in reports.
pub(super) const STACKED: [(Rule, &str); 10] = [
    (Rule::TypeMean, "mean of the types' changes"),
    (Rule::Matched, "change of the nearest type"),
    (Rule::Kernel(0.2), "changes weighted by closeness"),
    (Rule::Ridge(0.03), "ridge on control components"),
    (Rule::KernelRidge(0.3), "kernel ridge on control means"),
    (Rule::GeneScaling { pull: 0.3, width: 0.3 }, "line of each gene over near types"),
    (Rule::GeneScaling { pull: 1.0, width: 3.0 }, "line of each gene over all types"),
    (Rule::Transport(0.03), "ridge on transport pairs"),
    (Rule::Transport(0.3), "ridge on transport pairs, stiff"),
    (Rule::Pull(0.3), "pull to near types"),
];

impl Rule {
    /// The change of the mean, over all genes.
    pub(super) fn change(self, task: &Task) -> Result<Array1<f64>, PredictError> {
        let genes = task.facts.study.values.ncols();
        let known = task.known()?;
        let own = task.own()?;
        let changes = task.changes()?;
        let weighted = |w: &[f64]| blend(w, changes.iter(), genes);
        Ok(match self {
            Rule::None => Array1::zeros(genes),
            Rule::Pooled => {
                let share = |n: fn(&super::facts::TypeFacts) -> usize| -> Vec<f64> {
                    let all: usize = known.iter().map(|t| n(t)).sum();
                    known.iter().map(|t| n(t) as f64 / all as f64).collect()
                };
                blend(&share(|t| t.n_target), known.iter().map(|t| &t.response), genes)
                    - blend(&share(|t| t.n), known.iter().map(|t| &t.control), genes)
            }
            Rule::TypeMean => weighted(&vec![1.0 / known.len() as f64; known.len()]),
            Rule::Nearest => {
                let variable = &task.facts.study.variable;
                let apart = |t: &&super::facts::TypeFacts| -> f64 {
                    variable.iter().map(|&g| (t.control[g] - own.control[g]).powi(2)).sum()
                };
                changes[least(&known.iter().map(apart).collect::<Vec<_>>())].clone()
            }
            Rule::Matched => changes[task.nearest()].clone(),
            Rule::Kernel(width) => weighted(&task.closeness(width)),
            Rule::Ridge(penalty) => weighted(&ridge_weights(task, penalty)?),
            Rule::KernelRidge(penalty) => weighted(&kernel_ridge_weights(task, penalty)?),
            Rule::GeneScaling { pull, width } => gene_scaling(task, pull, &task.closeness(width))?,
            Rule::Pull(width) => {
                blend(&task.closeness(width), known.iter().map(|t| &t.control), genes) - &own.control
            }
            Rule::Transport(penalty) => Displacement::fit(task, penalty)?.at(&own.place),
        })
    }
}

/// Ridge with intercept from places of control cells to the change of their type: what it predicts at the mean place of the
/// type asked for is a weighted sum of the changes, with these weights.
fn ridge_weights(task: &Task, penalty: f64) -> Result<Vec<f64>, PredictError> {
    let known = task.known()?;
    let n: f64 = known.iter().map(|t| t.n as f64).sum();
    let k = task.own()?.place.len();
    let mean =
        blend(&known.iter().map(|t| t.n as f64 / n).collect::<Vec<_>>(), known.iter().map(|t| &t.place), k);
    let mut products = Array2::zeros((k, k));
    known.iter().for_each(|t| products += &t.products);
    let aim = penalised(&products, &mean, n, penalty, &(&task.own()?.place - &mean))?;
    Ok(known.iter().map(|t| t.n as f64 * (aim.dot(&(&t.place - &mean)) + 1.0 / n)).collect())
}

/// (ZᵀZ − n z̄ z̄ᵀ + penalty · n · I)⁻¹ `right`.
fn penalised(
    products: &Array2<f64>,
    mean: &Array1<f64>,
    n: f64,
    penalty: f64,
    right: &Array1<f64>,
) -> Result<Array1<f64>, PredictError> {
    let right = right.clone().insert_axis(ndarray::Axis(1));
    Ok(solve_definite(&centred(products, mean, n, penalty), &right)?.column(0).to_owned())
}

fn centred(products: &Array2<f64>, mean: &Array1<f64>, n: f64, penalty: f64) -> Array2<f64> {
    Array2::from_shape_fn(products.dim(), |(i, j)| {
        let ridge = if i == j { penalty * n } else { 0.0 };
        products[(i, j)] - n * mean[i] * mean[j] + ridge
    })
}

/// Kernel ridge on the control means over the variable genes, with the mean change as intercept.
fn kernel_ridge_weights(task: &Task, penalty: f64) -> Result<Vec<f64>, PredictError> {
    let variable = &task.facts.study.variable;
    let known = task.known()?;
    let n = known.len();
    let pick = |v: &Array1<f64>| Array1::from_iter(variable.iter().map(|&g| v[g]));
    let mut mean = Array1::<f64>::zeros(variable.len());
    let rows: Vec<Array1<f64>> = known.iter().map(|t| pick(&t.control)).collect();
    rows.iter().for_each(|r| mean.scaled_add(1.0 / n as f64, r));
    let rows: Vec<Array1<f64>> = rows.into_iter().map(|r| r - &mean).collect();
    let mut gram = Array2::from_shape_fn((n, n), |(i, j)| rows[i].dot(&rows[j]));
    let trace = (0..n).map(|i| gram[(i, i)]).sum::<f64>() / n as f64;
    let flat = vec![1.0 / n as f64; n];
    // One type, or types without any difference: nothing to tell them apart by.
    if trace <= 0.0 {
        return Ok(flat);
    }
    (0..n).for_each(|i| gram[(i, i)] += penalty * trace);
    let own = pick(&task.own()?.control) - &mean;
    let right = Array2::from_shape_fn((n, 1), |(i, _)| rows[i].dot(&own));
    let w = solve_definite(&gram, &right)?;
    let sum = w.sum();
    Ok((0..n).map(|i| flat[i] * (1.0 - sum) + w[(i, 0)]).collect())
}

/// Slopes above this are not believed.
const STEEPEST: f64 = 1.5;

/// For each gene the line from control mean to target mean, weighted over the types, its slope drawn to 1.
fn gene_scaling(task: &Task, pull: f64, weights: &[f64]) -> Result<Array1<f64>, PredictError> {
    let (known, own) = (task.known()?, task.own()?);
    let genes = own.control.len();
    let control = blend(weights, known.iter().map(|t| &t.control), genes);
    let response = blend(weights, known.iter().map(|t| &t.response), genes);
    let (mut xx, mut xy) = (Array1::<f64>::zeros(genes), Array1::<f64>::zeros(genes));
    for (t, w) in known.iter().zip(weights) {
        for g in 0..genes {
            let x = t.control[g] - control[g];
            xx[g] += w * x * x;
            xy[g] += w * x * (t.response[g] - response[g]);
        }
    }
    let variable = &task.facts.study.variable;
    let p = pull * variable.iter().map(|&g| xx[g]).sum::<f64>() / variable.len().max(1) as f64;
    Ok(Array1::from_shape_fn(genes, |g| {
        let slope = if xx[g] + p > 0.0 { ((xy[g] + p) / (xx[g] + p)).clamp(0.0, STEEPEST) } else { 1.0 };
        response[g] + slope * (own.control[g] - control[g]) - own.control[g]
    }))
}

/// Ridge with intercept from the place of a control cell to its displacement.
pub(super) struct Displacement {
    /// Mean place.
    place: Array1<f64>,
    /// Mean displacement, over genes.
    pub(super) moved: Array1<f64>,
    /// Components × genes.
    pub(super) slopes: Array2<f64>,
}

impl Displacement {
    pub(super) fn fit(task: &Task, penalty: f64) -> Result<Self, PredictError> {
        let own = task.own()?;
        let (k, genes) = (own.place.len(), own.control.len());
        let (mut n, mut place, mut moved) = (0.0, Array1::<f64>::zeros(k), Array1::<f64>::zeros(genes));
        let (mut products, mut cross) = (Array2::<f64>::zeros((k, k)), Array2::<f64>::zeros((k, genes)));
        for pairs in task.known()?.into_iter().filter_map(|t| t.pairs.as_ref()) {
            n += pairs.n;
            place += &pairs.places;
            moved += &pairs.moved;
            products += &pairs.products;
            cross += &pairs.cross;
        }
        if n == 0.0 {
            return Err(PredictError::usage("the cells were not paired, which this rule needs"));
        }
        place /= n;
        moved /= n;
        for (mut row, z) in cross.rows_mut().into_iter().zip(&place) {
            row.scaled_add(-n * z, &moved);
        }
        let inverse = solve_definite(&centred(&products, &place, n, penalty), &Array2::eye(k))?;
        Ok(Self { place, moved, slopes: inverse.dot(&cross) })
    }

    /// The displacement at a place.
    pub(super) fn at(&self, place: &Array1<f64>) -> Array1<f64> {
        &self.moved + &(place - &self.place).dot(&self.slopes)
    }

    /// Places relative to the mean place.
    pub(super) fn relative(&self, places: &Array2<f64>) -> Array2<f64> {
        places - &self.place
    }
}

/// Change of each cell of the type asked for by ridge on the components: per-cell form of [`Rule::Ridge`].
pub(super) fn ridge_of_cells(task: &Task, penalty: f64) -> Result<Displacement, PredictError> {
    let known = task.known()?;
    let own = task.own()?;
    let (k, genes) = (own.place.len(), own.control.len());
    let n: f64 = known.iter().map(|t| t.n as f64).sum();
    let share: Vec<f64> = known.iter().map(|t| t.n as f64 / n).collect();
    let place = blend(&share, known.iter().map(|t| &t.place), k);
    let changes = task.changes()?;
    let moved = blend(&share, changes.iter(), genes);
    let mut products = Array2::zeros((k, k));
    let mut cross = Array2::<f64>::zeros((k, genes));
    for (t, change) in known.iter().zip(&changes) {
        products += &t.products;
        let apart = &t.place - &place;
        for (mut row, z) in cross.rows_mut().into_iter().zip(&apart) {
            row.scaled_add(t.n as f64 * z, change);
        }
    }
    let inverse = solve_definite(&centred(&products, &place, n, penalty), &Array2::eye(k))?;
    Ok(Displacement { place, moved, slopes: inverse.dot(&cross) })
}
