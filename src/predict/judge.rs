//! How far to trust a model: each training type told by the others, against the strongest simple rule.

use ndarray::Array1;

use super::kinds::{Kind, YARDSTICK, kind};
use super::{Facts, PredictError, Task};
use crate::eval::perturbation::{correlation, r2};
use crate::progress::Progress;

/// How well a model told one type whose response is known.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Told {
    /// The type.
    pub cell_type: String,
    /// R² of the means over the variable genes.
    pub r2: f64,
    /// Correlation of the changes over the variable genes.
    pub change: f64,
}

/// How well a model told the training types.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Judged {
    /// The model.
    pub model: String,
    /// Each type.
    pub types: Vec<Told>,
    /// Squared error of each gene, mean over the types; not shown.
    #[serde(skip)]
    error: Array1<f64>,
}

impl Judged {
    /// Mean R² over the types.
    pub fn r2(&self) -> f64 {
        mean(self.types.iter().map(|t| t.r2))
    }

    /// Mean correlation of the changes.
    pub fn change(&self) -> f64 {
        mean(self.types.iter().map(|t| t.change))
    }
}

fn mean(v: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = v.len().max(1) as f64;
    v.sum::<f64>() / n
}

/// Asks the models for each training type in turn; none when there are fewer than two.
///
/// # Errors
/// [`PredictError`] of a model, or when somebody asked to stop.
pub fn judge(task: &Task, kinds: &[&Kind], progress: &dyn Progress) -> Result<Vec<Judged>, PredictError> {
    let inner = task.inner()?;
    if inner.is_empty() {
        return Ok(Vec::new());
    }
    let study = task.facts.study;
    progress.start("judging models", (inner.len() * kinds.len()) as u64);
    let mut out = Vec::with_capacity(kinds.len());
    for (k, kind) in kinds.iter().enumerate() {
        let model = (kind.build)();
        let mut judged = Judged {
            model: kind.name.into(),
            types: Vec::with_capacity(inner.len()),
            error: Array1::zeros(study.values.ncols()),
        };
        for (i, task) in inner.iter().enumerate() {
            if progress.cancelled() {
                progress.finish();
                return Err(PredictError::Cancelled);
            }
            let said = model.mean(task)?;
            judged.types.push(told(task, &said)?);
            let wrong = &said - &real(task)?;
            judged.error += &(&wrong * &wrong / inner.len() as f64);
            progress.advance((k * inner.len() + i + 1) as u64, kind.name);
        }
        out.push(judged);
    }
    progress.finish();
    Ok(out)
}

/// The mean that was measured, with the batches that the control cells have.
fn real(task: &Task) -> Result<Array1<f64>, PredictError> {
    let own = task.own()?;
    Ok(&own.measured + &(&own.response - &own.control))
}

fn told(task: &Task, said: &Array1<f64>) -> Result<Told, PredictError> {
    let genes = Some(task.facts.study.variable.as_slice());
    let (real, control) = (real(task)?, &task.own()?.measured);
    let change = |m: &Array1<f64>| (m - control).to_vec();
    Ok(Told {
        cell_type: task.facts.study.types[task.of].clone(),
        r2: r2(&said.to_vec(), &real.to_vec(), genes),
        change: correlation(&change(said), &change(&real), genes),
    })
}

/// The model that told the training types best, by the mean R²; of equals the simpler one, which stands first.
pub fn best(judged: &[Judged]) -> Option<&Judged> {
    judged.iter().fold(None, |best: Option<&Judged>, j| match best {
        Some(b) if b.r2() >= j.r2() => Some(b),
        _ => Some(j),
    })
}

/// What to think of a prediction.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// One sentence.
    pub headline: String,
    /// What it rests on.
    pub details: Vec<String>,
    /// Whether the model did better than the yardstick; `None` when it cannot be told, or is the yardstick itself.
    pub better: Option<bool>,
    /// Genes whose prediction was worse than no change among the training types, the worst first.
    pub doubtful: Vec<String>,
}

/// A mean R² this much better is worth a word.
const WORTH: f64 = 0.002;

/// Genes named at most.
const NAMED: usize = 20;

/// Compares a model with the yardstick on the training types. `judged` must hold both, and `none`.
pub fn verdict(task: &Task, model: &str, judged: &[Judged], genes: &dyn Fn(usize) -> String) -> Verdict {
    let find = |name: &str| judged.iter().find(|j| j.model == name);
    let (Some(own), Some(yard)) = (find(model), find(YARDSTICK)) else {
        let only = task.facts.study.types[task.from[0]].clone();
        return Verdict {
            headline: format!("Nothing to judge by: {only} is the only type measured in both conditions."),
            details: vec![
                "How far to trust this prediction cannot be told; measure a second type in both conditions."
                    .into(),
            ],
            better: None,
            doubtful: Vec::new(),
        };
    };
    let n = own.types.len();
    let wins = own.types.iter().zip(&yard.types).filter(|(a, b)| a.r2 > b.r2).count();
    let figures = format!(
        "each of {n} training types predicted from the others: R² of means {:.3} for {model}, {:.3} for copying the change of \
         the nearest type; correlation of changes {:.3} and {:.3}; better for {wins} of {n} types",
        own.r2(),
        yard.r2(),
        own.change(),
        yard.change()
    );
    let gain = own.r2() - yard.r2();
    let better = (model != YARDSTICK).then_some(gain > WORTH && 2 * wins > n);
    let headline = match better {
        None => "This is the change of the nearest type, copied.".to_owned(),
        Some(true) => format!("{model} did better than copying the nearest type's change."),
        Some(false) if gain < -WORTH => {
            format!("{model} did worse than copying the nearest type's change: take --model {YARDSTICK}.")
        }
        Some(false) => format!("Copying the nearest type's change would have done as well as {model}."),
    };
    let doubtful: Vec<String> =
        find("none").map_or_else(Vec::new, |none| doubtful(task, own, none)).into_iter().map(genes).collect();
    let mut details = vec![figures];
    if !doubtful.is_empty() {
        details.push(format!(
            "do not trust these genes, which among the training types were told worse than by no change at all: {}",
            doubtful.join(", ")
        ));
    }
    Verdict { headline, details, better, doubtful }
}

/// Variable genes with a larger error than no change has, the largest first; errors that are small against the others do not
/// count.
fn doubtful(task: &Task, own: &Judged, none: &Judged) -> Vec<usize> {
    let variable = &task.facts.study.variable;
    let typical = mean(variable.iter().map(|&g| own.error[g]));
    let mut worse: Vec<usize> = variable
        .iter()
        .copied()
        .filter(|&g| own.error[g] > none.error[g] && own.error[g] > typical)
        .collect();
    worse.sort_by(|&a, &b| own.error[b].total_cmp(&own.error[a]).then(a.cmp(&b)));
    worse.truncate(NAMED);
    worse
}

/// The rows of the table that a verdict on `model` needs.
pub fn needed(model: &'static Kind) -> Vec<&'static Kind> {
    let mut all: Vec<&'static Kind> = [kind("none"), kind(YARDSTICK)].into_iter().flatten().collect();
    if !all.iter().any(|k| k.name == model.name) {
        all.push(model);
    }
    all
}

/// Facts that serve these models.
///
/// # Errors
/// As [`Facts::new`].
pub fn facts_for<'a>(
    study: &'a super::Study<'a>,
    kinds: &[&Kind],
    seed: crate::rng::Seed,
) -> Result<Facts<'a>, PredictError> {
    let pairs = kinds.iter().any(|k| k.needs.contains(&super::Need::Pairs));
    Facts::new(study, pairs, seed)
}
