//! What is predicted: learning, judging, and the cells.

use ndarray::{Array2, Axis, concatenate};

use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::data::Dataset;
use crate::predict::{
    Cells, DEFAULT, Judged, KINDS, Kind, LEAST_CELLS, Prediction, Task, Verdict, best, choose, confounded,
    facts_for, judge, kind, needed, verdict,
};
use crate::recipe::Options;
use crate::rng::Seed;

/// The name that lets the training types choose.
const AUTO: &str = "auto";

/// Which model is asked for.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// One by name.
    One(&'static Kind),
    /// Whichever does best.
    Auto,
}

impl Asked {
    /// # Errors
    /// [`CliError`] with the models that there are.
    pub(super) fn of(name: Option<&str>) -> Result<Self, CliError> {
        let name = name.unwrap_or(DEFAULT);
        if name == AUTO {
            return Ok(Self::Auto);
        }
        kind(name).map(Self::One).ok_or_else(|| {
            let known: Vec<&str> = KINDS.iter().map(|k| k.name).chain([AUTO]).collect();
            let hint = crate::data::did_you_mean(name, known.iter().copied());
            CliError::usage(format!(
                "--model {name}: no model that predicts is called so{hint}; models: {}",
                known.join(", ")
            ))
        })
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::One(kind) => kind.name,
            Self::Auto => AUTO,
        }
    }
}

/// What came of it.
pub(super) struct Done {
    /// The model that made the cells.
    pub(super) model: &'static str,
    /// Why that one, where it was chosen.
    pub(super) why: Option<String>,
    /// Types that were asked for.
    pub(super) types: Vec<usize>,
    /// Rows of the data set the cells were made from.
    pub(super) rows: Vec<usize>,
    /// Predicted cells.
    pub(super) values: Array2<f32>,
    /// Weights and remarks of each type asked for.
    pub(super) predictions: Vec<Prediction>,
    /// All models that were judged.
    pub(super) judged: Vec<Judged>,
    /// What to think of it.
    pub(super) verdict: Verdict,
    /// Genes that were learnt on.
    pub(super) variable: Vec<usize>,
    /// Types that were learnt from.
    pub(super) learnt_from: Vec<String>,
}

/// The types that are asked for: one, or with another condition to predict from all that have cells there.
///
/// # Errors
/// [`CliError`] when it is not there.
pub(super) fn asked_types(
    cells: &Cells,
    cell_type: Option<&str>,
    applied: bool,
    console: &Console,
) -> Result<Vec<usize>, CliError> {
    let one = cell_type.map(|name| cells.find(name)).transpose()?;
    if !applied {
        return one
            .map(|t| vec![t])
            .ok_or_else(|| CliError::usage("--cell-type: which type is to be predicted?"));
    }
    let n = cells.real_types;
    let wanted: Vec<usize> = one.map_or_else(|| (0..n).collect(), |t| vec![t]);
    let (enough, few): (Vec<usize>, Vec<usize>) =
        wanted.into_iter().map(|t| n + t).partition(|&t| cells.source[t].len() >= LEAST_CELLS);
    for t in few.into_iter().filter(|&t| !cells.source[t].is_empty() || one.is_some()) {
        console.say(&format!(
            "{}: {} cells, {LEAST_CELLS} are needed to predict from; it is left out",
            cells.types[t],
            cells.source[t].len()
        ));
    }
    if enough.is_empty() {
        return Err(CliError::input(format!(
            "--apply-to: no cell type has {LEAST_CELLS} cells or more in that condition to predict from"
        )));
    }
    Ok(enough)
}

/// Learns, judges and predicts.
///
/// # Errors
/// [`CliError`] when the data do not allow it.
pub(super) fn run(
    (dataset, cells): (&Dataset, &Cells),
    types: &[usize],
    (asked, n_top, seed): (Asked, usize, Seed),
    memory: u64,
    console: &Console,
) -> Result<Done, CliError> {
    let held = types.first().copied().filter(|t| *t < cells.real_types);
    let mut study = cells.study(held, Vec::new());
    let mut seen: Vec<usize> = study.source.iter().chain(&study.target).flatten().copied().collect();
    seen.sort_unstable();
    let options = Options { memory, progress: console, ..Options::default() };
    study.variable = choose(cells.values.view(), &seen, n_top, cells.of_counts, &options)?;
    types.iter().try_for_each(|&t| study.check(t))?;
    if confounded(&study) {
        console.say(
            "every batch holds cells of one condition only: what a batch adds cannot be told from the response, and both are \
             predicted together",
        );
    }
    let kinds: Vec<&'static Kind> = match asked {
        Asked::One(kind) => needed(kind),
        Asked::Auto => KINDS.iter().collect(),
    };
    let facts = facts_for(&study, &kinds, seed)?;
    let trained: Vec<usize> = facts.trained().into_iter().filter(|t| Some(*t) != held).collect();
    let first = Task::new(&facts, trained.clone(), types[0])?;
    let judged = judge(&first, &kinds, console)?;
    let (model, why) = chosen(asked, &judged);
    let gene = |g: usize| dataset.var.index.get(g).unwrap_or_default().into_owned();
    let verdict = verdict(&first, model.name, &judged, &gene);
    let (mut rows, mut tables, mut predictions) = (Vec::new(), Vec::new(), Vec::new());
    for &t in types {
        console.check()?;
        let task = Task::new(&facts, trained.clone(), t)?;
        let mut made = (model.build)().cells(&task, seed)?;
        rows.extend(study.source[t].iter().map(|&i| cells.rows[i]));
        tables.push(std::mem::take(&mut made.cells));
        predictions.push(made);
    }
    let views: Vec<_> = tables.iter().map(|t| t.view()).collect();
    let values = concatenate(Axis(0), &views).map_err(|e| CliError::input(e.to_string()))?;
    Ok(Done {
        model: model.name,
        why,
        types: types.to_vec(),
        rows,
        values,
        predictions,
        judged,
        verdict,
        learnt_from: trained.iter().map(|&t| cells.types[t].clone()).collect(),
        variable: study.variable.clone(),
    })
}

fn chosen(asked: Asked, judged: &[Judged]) -> (&'static Kind, Option<String>) {
    let default = || kind(DEFAULT).unwrap_or(&KINDS[0]);
    match asked {
        Asked::One(kind) => (kind, None),
        Asked::Auto => match best(judged).and_then(|b| Some((b, kind(&b.model)?))) {
            Some((found, kind)) => {
                let why = format!(
                    "{} told the training types best: mean R² of means {:.3} over {} types, each predicted from the others",
                    kind.name,
                    found.r2(),
                    found.types.len()
                );
                (kind, Some(why))
            }
            None => (
                default(),
                Some(format!("nothing can be compared with one training type; {DEFAULT} is taken")),
            ),
        },
    }
}
