//! What each step learns from a data set.

use super::fitted::FittedStep;
use super::stats::{Options, median, moments};
use super::step::{Flavor, Step, TargetSum};
use super::work::{LOOK_ROWS, Work, looks_like_counts, x};
use super::{RecipeError, ScaleGuess, hvg};
use crate::data::counts::{self, Place, Wanted};
use crate::data::{Dataset, Matrix};

/// Learns one step.
pub(super) fn fit(
    step: &Step,
    dataset: &Dataset,
    work: &mut Work,
    options: &Options,
) -> Result<FittedStep, RecipeError> {
    Ok(match step {
        Step::FilterCells { min_genes } => FittedStep::FilterCells { min_genes: *min_genes },
        Step::FilterGenes { min_cells } => {
            let counts = work.genes(dataset, options)?;
            let kept = (0..counts.cells.len()).filter(|&g| counts.cells[g] >= *min_cells).collect();
            FittedStep::FilterGenes { min_cells: *min_cells, kept }
        }
        Step::NormalizeTotal { target_sum } => {
            check_not_logged(dataset, work, options)?;
            let target_sum = match target_sum {
                TargetSum::Sum(sum) if sum.is_finite() && *sum > 0.0 => *sum,
                TargetSum::Sum(sum) => {
                    return Err(RecipeError::usage(format!("target_sum {sum}: expected a number above 0")));
                }
                TargetSum::Median(_) => {
                    let totals = work.totals(dataset, options)?;
                    let sum = median(totals.iter().copied().filter(|t| *t > 0.0).collect());
                    if sum.is_nan() {
                        return Err(RecipeError::input("every cell is empty; there is no median of sums"));
                    }
                    sum
                }
            };
            FittedStep::NormalizeTotal { target_sum }
        }
        Step::Log1p => {
            check_not_logged(dataset, work, options)?;
            FittedStep::Log1p
        }
        Step::HighlyVariableGenes { n_top, flavor, subset } => {
            let m = match flavor {
                Flavor::SeuratV3 => raw_counts(dataset)?,
                Flavor::Seurat => logged(dataset, options)?,
                _ => x(dataset)?,
            };
            let found = hvg::find(options, m, *n_top, *flavor)?;
            let number = |v: f64| v.is_finite().then_some(v);
            let scores =
                found.scores.into_iter().map(|(k, v)| (k.into(), v.into_iter().map(number).collect()));
            FittedStep::HighlyVariableGenes {
                n_top: *n_top,
                flavor: *flavor,
                subset: *subset,
                scores: scores.collect(),
                chosen: (0..found.chosen.len()).filter(|&g| found.chosen[g]).collect(),
            }
        }
        Step::Scale { max_value } => {
            if max_value.is_some_and(|m| !(m.is_finite() && m > 0.0)) {
                return Err(RecipeError::usage("max_value: expected a number above 0"));
            }
            let moments = moments(options, x(dataset)?, |x| x)?;
            if let Some(g) = moments.variance.iter().position(|v| !v.is_finite()) {
                let name = dataset.var.index.get(g).unwrap_or_default();
                let what =
                    format!("gene {name} holds values that are no numbers, or too large to be squared");
                return Err(RecipeError::Numerical { what });
            }
            let sd = |v: &f64| if *v == 0.0 { 1.0 } else { v.sqrt() };
            FittedStep::Scale {
                max_value: *max_value,
                sd: moments.variance.iter().map(sd).collect(),
                mean: moments.mean,
            }
        }
        Step::Compensate { spillover } => {
            let spillover = match spillover {
                Some(given) => given.clone(),
                None => return Err(RecipeError::input("no spillover matrix; give one in the recipe")),
            };
            spillover.inverse().map_err(|e| RecipeError::input(e.to_string()))?;
            FittedStep::Compensate { spillover }
        }
        Step::Arcsinh { cofactor, channels } => {
            if !(cofactor.is_finite() && *cofactor > 0.0) {
                return Err(RecipeError::usage(format!("cofactor {cofactor}: expected a number above 0")));
            }
            if !options.force_space && look(x(dataset)?)?.looks_transformed() {
                return Err(RecipeError::input(
                    "X looks as if arcsinh or a logarithm had been taken already; --force-space goes on all the same",
                ));
            }
            FittedStep::Arcsinh { cofactor: *cofactor, channels: channels.clone() }
        }
        Step::Logicle { t, w, m, a, channels } => {
            super::logicle::Logicle::new(*t, *w, *m, *a)?;
            FittedStep::Logicle { t: *t, w: *w, m: *m, a: *a, channels: channels.clone() }
        }
        Step::Amplify => FittedStep::Amplify,
    })
}

/// Whether the first rows look as if a logarithm or arcsinh had been taken of counts.
pub fn looks_transformed(m: &Matrix) -> Result<bool, RecipeError> {
    Ok(look(m)?.looks_transformed())
}

/// A look at the first rows of a matrix.
fn look(m: &Matrix) -> Result<ScaleGuess, RecipeError> {
    let mut guess = ScaleGuess::default();
    let block = m.rows(0..m.shape().0.min(LOOK_ROWS))?;
    super::stats::each(&block, |_, _, x| guess.see(x));
    Ok(guess)
}

/// Refuses a matrix whose first rows hold a value that is no finite number.
pub(super) fn finite(m: &Matrix) -> Result<(), RecipeError> {
    match super::stats::first_odd(&m.rows(0..m.shape().0.min(LOOK_ROWS))?) {
        Some((row, column, value)) => Err(RecipeError::NotFinite { value, row, column }),
        None => Ok(()),
    }
}

/// Refuses a second logarithm, and sums of logarithms.
fn check_not_logged(dataset: &Dataset, work: &Work, options: &Options) -> Result<(), RecipeError> {
    if options.force_space || work.linear || !look(x(dataset)?)?.looks_transformed() {
        return Ok(());
    }
    Err(RecipeError::input(
        "X looks like log1p already (no value above 15, most are no whole numbers); give raw counts, or add \
         --force-space to go on all the same",
    ))
}

/// X for the `seurat` flavor, which undoes the logarithm: expm1 of a count overflows.
fn logged<'a>(dataset: &'a Dataset, options: &Options) -> Result<&'a Matrix, RecipeError> {
    let m = x(dataset)?;
    let max = look(m)?.max();
    if max > 80.0 && !options.force_space {
        return Err(RecipeError::input(format!(
            "flavor seurat expects log1p values, X holds {max}; take log1p first, or flavor cell_ranger or seurat_v3"
        )));
    }
    Ok(m)
}

/// Raw counts: X when it holds whole numbers, else the layer.
fn raw_counts(dataset: &Dataset) -> Result<&Matrix, RecipeError> {
    let m = x(dataset)?;
    if looks_like_counts(m)? {
        return Ok(m);
    }
    match dataset.layers.get("counts") {
        Some(layer) if looks_like_counts(layer)? => Ok(layer),
        _ => {
            finite(m)?;
            let wanted = Wanted { place: Some(Place::X), ..Wanted::default() };
            let why =
                counts::find(dataset, &wanted).map_or_else(|e| e.to_string(), |_| "X holds no counts".into());
            Err(RecipeError::input(format!("flavor seurat_v3 needs raw counts: {why}")))
        }
    }
}
