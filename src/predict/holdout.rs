//! Each type held out in turn: what all models would have said of cells that were measured.

use ndarray::{Array2, Axis};
use serde::Serialize;

use super::judge::facts_for;
use super::kinds::Kind;
use super::{Facts, PredictError, Study, Task};
use crate::eval::perturbation::{
    Halves, Moments, Plan, SPLITS, Score, Sets, Test, components, correlation, cut, halves, score,
};
use crate::progress::Progress;
use crate::rng::Seed;

/// Chooses the variable genes from the cells that may be looked at.
pub type ChooseGenes<'a> = &'a dyn Fn(&[usize]) -> Result<Vec<usize>, PredictError>;

/// How to hold out.
pub struct Holdout<'a> {
    /// The models.
    pub kinds: &'a [&'static Kind],
    /// Resamples of each scheme; 0 for none.
    pub resamples: usize,
    /// Seed of everything random.
    pub seed: Seed,
    /// Chooses the variable genes from the cells that may be looked at.
    pub genes: ChooseGenes<'a>,
}

/// One model on one type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The type that was held out.
    pub cell_type: String,
    /// The model.
    pub model: String,
    /// Its figures, over the variable genes.
    pub score: Score,
    /// Correlation of changes when the model saw one half of the control cells and the real change is against the other;
    /// mean of four splits.
    pub change_half: f64,
    /// Seconds that learning and predicting took.
    #[serde(skip)]
    pub seconds: f64,
    /// What halves of the real cells reach; the same for all models of a type.
    pub halves: Option<Halves>,
}

/// Holds out each type with cells enough on both sides, in the order of types and models.
///
/// # Errors
/// [`PredictError`] when fewer than two types have cells enough, of a model, or when somebody asked to stop.
pub fn hold_out(study: &Study, plan: &Holdout, progress: &dyn Progress) -> Result<Vec<Row>, PredictError> {
    let types = study.complete();
    if types.len() < 2 {
        return Err(PredictError::input(format!(
            "{} cell types have {} cells or more in both conditions; holding one out needs two",
            types.len(),
            super::LEAST_CELLS
        )));
    }
    progress.start("holding out", (types.len() * plan.kinds.len()) as u64);
    let mut rows = Vec::new();
    for &held in &types {
        let done = one(study, held, plan, &mut |n| {
            progress.advance((rows.len() + n) as u64, &study.types[held]);
            !progress.cancelled()
        });
        match done {
            Ok(more) => rows.extend(more),
            Err(e) => {
                progress.finish();
                return Err(e);
            }
        }
    }
    progress.finish();
    Ok(rows)
}

fn one(
    study: &Study,
    held: usize,
    plan: &Holdout,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<Row>, PredictError> {
    let mut blind = study.without(held, Vec::new());
    let variable = (plan.genes)(&all_cells(&blind))?;
    blind.variable.clone_from(&variable);
    let started = std::time::Instant::now();
    let facts = facts_for(&blind, plan.kinds, plan.seed)?;
    let shared = started.elapsed().as_secs_f64() / plan.kinds.len().max(1) as f64;
    let pick = |cells: &[usize]| study.values.select(Axis(0), cells).select(Axis(1), &variable);
    let (real, control) = (pick(&study.target[held]), pick(&study.source[held]));
    // Components of all cells: nothing is learnt on them.
    let everything = pick(&all_cells(study));
    let space = components(everything.view(), Array2::zeros((0, variable.len())).view())?;
    let mut rows: Vec<Row> = Vec::new();
    for kind in plan.kinds {
        if !go_on(rows.len()) {
            return Err(PredictError::Cancelled);
        }
        let started = std::time::Instant::now();
        let task = Task::new(&facts, facts.trained(), held)?;
        let model = (kind.build)();
        let cells = model.cells(&task, plan.seed)?.cells.select(Axis(1), &variable);
        let seconds = shared + started.elapsed().as_secs_f64();
        let sets = Sets { predicted: cells.view(), real: real.view(), control: control.view() };
        let how = Plan {
            test: Test::TTest,
            top: 100,
            listed: None,
            resamples: plan.resamples,
            sources: Some((0..cells.nrows()).collect()),
            seed: plan.seed,
        };
        let halves = match rows.first() {
            Some(Row { halves, .. }) => halves.clone(),
            None => halves(&sets, &space, plan.seed)?,
        };
        rows.push(Row {
            cell_type: study.types[held].clone(),
            model: kind.name.into(),
            score: score(&sets, &how, &space)?,
            change_half: independent(&facts, kind, held, &real, plan.seed)?,
            seconds,
            halves,
        });
    }
    Ok(rows)
}

/// All cells in the order of the file.
fn all_cells(study: &Study) -> Vec<usize> {
    let mut all: Vec<usize> = study.source.iter().chain(&study.target).flatten().copied().collect();
    all.sort_unstable();
    all
}

/// The model sees half of the control cells, and the change is taken against the other half.
fn independent(
    facts: &Facts,
    kind: &Kind,
    held: usize,
    real: &Array2<f32>,
    seed: Seed,
) -> Result<f64, PredictError> {
    let study = facts.study;
    let real = Moments::of(real.view()).mean;
    let control = &study.source[held];
    let mut sum = 0.0;
    for split in 0..SPLITS {
        let first = cut(control.len(), seed, split);
        let half = |wanted: bool| -> Vec<usize> {
            control.iter().zip(&first).filter(|(_, f)| **f == wanted).map(|(c, _)| *c).collect()
        };
        let (own, other) = (half(true), half(false));
        if own.len() < super::LEAST_CELLS || other.is_empty() {
            return Ok(f64::NAN);
        }
        let mut study = study.clone();
        study.source[held] = own.clone();
        let facts = facts.with_source(&study, held)?;
        let said = (kind.build)().mean(&Task::new(&facts, facts.trained(), held)?)?;
        let mean = |cells: &[usize]| {
            let all = Moments::over(study.values.view(), cells.iter().copied()).mean;
            study.variable.iter().map(|&g| all[g]).collect::<Vec<f64>>()
        };
        let said: Vec<f64> = study.variable.iter().map(|&g| said[g]).collect();
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        sum += correlation(&minus(&said, &mean(&own)), &minus(&real, &mean(&other)), None);
    }
    Ok(sum / SPLITS as f64)
}
