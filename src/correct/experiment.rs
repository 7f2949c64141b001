//! Which cells are source control, target control, sample and held-out control, whatever files they came from.

use ndarray::Array2;

use super::CorrectError;
use crate::data::{Frame, did_you_mean, find_value};
use crate::loader::Group;

/// Cells that are corrected and scored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Name in tables.
    pub name: String,
    /// Cells that are corrected.
    pub cells: Group,
    /// Those of them that are learnt from: cells that scx has not made.
    pub learnt: Group,
    /// Cells that are scored: those learnt from that are no controls.
    pub scored: Group,
}

/// One run that is moved to the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Name in tables and files.
    pub name: String,
    /// What people know it by, for messages.
    pub title: String,
    /// Control cells in this run.
    pub source: Group,
    /// The same control in the reference run.
    pub target: Group,
    /// What is moved.
    pub samples: Vec<Sample>,
    /// A second control in this run and in the reference; only the score may look at its second half.
    pub holdout: Option<(Group, Group)>,
}

/// Everything a correction learns from and applies to, on the model's scale.
#[derive(Debug)]
pub struct Experiment {
    /// Names of the markers, in column order.
    pub markers: Vec<String>,
    /// Cells × markers, one table a file.
    pub tables: Vec<Array2<f32>>,
    /// The runs.
    pub runs: Vec<Run>,
    /// What the autoencoder is trained on.
    pub training: Vec<Group>,
}

impl Experiment {
    /// Takes the cells that scx has made, one mask a table, out of everything that is learnt from and scored; they are moved
    /// with their run all the same. `names` are those of the tables.
    ///
    /// # Errors
    /// [`CorrectError`] when a control has too few cells without them.
    pub fn leave_out_made(
        &mut self,
        made: &[Option<Vec<bool>>],
        names: &[String],
    ) -> Result<(), CorrectError> {
        let of = |table: usize| made.get(table).and_then(Option::as_ref);
        for (table, name) in names.iter().enumerate() {
            if let Some(n) = of(table).map(|m| m.iter().filter(|m| **m).count()) {
                tracing::warn!(
                    "{name}: {n} cells were made by scx; nothing is learnt from them, and they are corrected with the others"
                );
            }
        }
        let real = |group: &mut Group| {
            if let Some(made) = of(group.table) {
                group.rows.retain(|&r| made.get(r) != Some(&true));
            }
        };
        self.training.iter_mut().for_each(real);
        for run in &mut self.runs {
            let held = run.holdout.iter_mut().flat_map(|(s, t)| [s, t]);
            for control in [&mut run.source, &mut run.target].into_iter().chain(held) {
                let before = control.rows.len();
                real(control);
                if control.rows.len() < before && control.rows.len() < FEWEST {
                    let n = control.rows.len();
                    return Err(CorrectError::input(
                        &run.title,
                        format!("a control has {n} real cells, at least {FEWEST} are needed to learn from"),
                    ));
                }
            }
            run.samples.iter_mut().flat_map(|s| [&mut s.learnt, &mut s.scored]).for_each(real);
        }
        Ok(())
    }
}

/// Fewest control cells, below which no percentile means anything.
const FEWEST: usize = 20;

/// Control cells below which the 101 percentiles are not all seen.
const FEW: usize = 101;

pub(super) fn check_control(file: &str, what: &str, n: usize) -> Result<(), CorrectError> {
    if n < FEWEST {
        return Err(CorrectError::input(
            file,
            format!("{what} has {}, at least {FEWEST} are needed to learn from", cells(n)),
        ));
    }
    if n < FEW {
        tracing::warn!("{file}: {what} has only {n} cells; its percentiles are rough below {FEW}");
    }
    Ok(())
}

fn cells(n: usize) -> String {
    if n == 1 { "1 cell".into() } else { format!("{n} cells") }
}

fn whole(table: usize, tables: &[Array2<f32>]) -> Group {
    Group { table, rows: (0..tables[table].nrows()).collect() }
}

/// Which table is what, in an experiment of separate files. One table may have several roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// The control in the source run.
    pub source: usize,
    /// The same control in the target run.
    pub target: usize,
    /// A second control, in the source and in the target run.
    pub holdout: Option<(usize, usize)>,
    /// What is corrected.
    pub samples: Vec<usize>,
}

/// An experiment of separate files: one table and one name a file.
///
/// # Errors
/// [`CorrectError`] when a control has too few cells or a sample none.
pub fn from_files(
    markers: Vec<String>,
    tables: Vec<Array2<f32>>,
    names: &[String],
    roles: &Roles,
) -> Result<Experiment, CorrectError> {
    let Roles { source, target, holdout, samples } = roles;
    let check = |what: &str, i: usize| check_control(&names[i], what, tables[i].nrows());
    check("the source control", *source)?;
    check("the target control", *target)?;
    if let Some((held_source, held_target)) = holdout {
        check("the held-out source", *held_source)?;
        check("the held-out target", *held_target)?;
        if [source, target].contains(&held_target) || samples.contains(held_target) {
            return Err(CorrectError::usage(format!(
                "{}: is the held-out target and something else too; only the score may look at it",
                names[*held_target]
            )));
        }
    }
    if source == target {
        tracing::warn!("{}: is both source and target control, so nothing will move", names[*source]);
    }
    let empty = || samples.iter().filter(|&&i| tables[i].nrows() == 0);
    if let Some(&i) = empty().next()
        && empty().count() == samples.len()
    {
        return Err(CorrectError::input(&names[i], "has no cells; there is nothing to correct"));
    }
    // One sample without cells does not stop the others.
    empty().for_each(|&i| tracing::warn!("{}: has no cells; it is written as it is", names[i]));
    let sample = |&i: &usize| {
        let cells = whole(i, &tables);
        Sample { name: names[i].clone(), scored: cells.clone(), learnt: cells.clone(), cells }
    };
    let run = Run {
        name: FILES_RUN.into(),
        title: format!("{} and {}", names[*source], names[*target]),
        source: whole(*source, &tables),
        target: whole(*target, &tables),
        samples: samples.iter().map(sample).collect(),
        holdout: holdout.map(|(s, t)| (whole(s, &tables), whole(t, &tables))),
    };
    // The held-out target is the one table nothing learns from.
    let training = (0..tables.len())
        .filter(|i| holdout.is_none_or(|(_, t)| t != *i))
        .map(|i| whole(i, &tables))
        .collect();
    Ok(Experiment { markers, tables, runs: vec![run], training })
}

/// Name of the only run of an experiment of separate files.
pub const FILES_RUN: &str = "source";

/// The columns of an annotated file that say what each cell is.
#[derive(Debug, Clone, Copy)]
pub struct Design<'a> {
    /// Column that holds the run.
    pub batch_key: &'a str,
    /// Column that marks controls, `name` or `name=value`.
    pub spikein: &'a str,
    /// The run that others are moved to; the first category when not given.
    pub reference: Option<&'a str>,
    /// Column that marks held-out controls, `name` or `name=value`.
    pub holdout: Option<&'a str>,
}

/// An experiment of one annotated file, and the name of its reference run.
///
/// # Errors
/// [`CorrectError`] when a column, run or control is missing or too small.
pub fn from_annotated(
    file: &str,
    obs: &Frame,
    design: Design<'_>,
    markers: Vec<String>,
    table: Array2<f32>,
) -> Result<(Experiment, String), CorrectError> {
    let (runs, names) = groups(file, obs, design.batch_key)?;
    let control = flags(file, obs, design.spikein)?;
    let held = design.holdout.map(|spec| flags(file, obs, spec)).transpose()?;
    every_cell_has_its_run(file, obs, design.batch_key, &runs)?;
    let used: Vec<usize> = (0..names.len()).filter(|&b| runs.contains(&Some(b))).collect();
    let reference = match design.reference {
        Some(name) => {
            find_value(used.iter().map(|&b| names[b].as_str()), name).map(|i| used[i]).ok_or_else(|| {
                let hint = did_you_mean(name, used.iter().map(|&b| names[b].as_str()));
                CorrectError::usage(format!(
                    "{file}: no run {name} in obs[\"{}\"]{hint} (runs: {})",
                    design.batch_key,
                    used.iter().map(|&b| names[b].as_str()).collect::<Vec<_>>().join(", ")
                ))
            })?
        }
        None => used.first().copied().ok_or_else(|| CorrectError::input(file, "has no cells"))?,
    };
    if used.len() < 2 {
        return Err(CorrectError::usage(format!(
            "{file}: obs[\"{}\"] holds one run only ({}); there is nothing to move",
            design.batch_key, names[reference]
        )));
    }
    let cells = |run: usize, keep: &dyn Fn(usize) -> bool| Group {
        table: 0,
        rows: (0..runs.len()).filter(|&i| runs[i] == Some(run) && keep(i)).collect(),
    };
    let is_held = |i: usize| held.as_ref().is_some_and(|h| h[i]);
    let is_control = |i: usize| control[i] && !is_held(i);
    let pick = |run: usize, what: &str, spec: &str, keep: &dyn Fn(usize) -> bool| {
        let group = cells(run, keep);
        if group.rows.is_empty() {
            return Err(CorrectError::usage(format!(
                "{file}: run {} has no {what} cells ({spec}); every run needs some",
                names[run]
            )));
        }
        check_control(file, &format!("the {what} of run {}", names[run]), group.rows.len())?;
        Ok(group)
    };
    let target = pick(reference, "spike-in", design.spikein, &is_control)?;
    let held_spec = design.holdout.unwrap_or_default();
    let held_target = held.is_some().then(|| pick(reference, "held-out", held_spec, &is_held)).transpose()?;
    let mut out = Vec::new();
    for &run in used.iter().filter(|&&b| b != reference) {
        let source = pick(run, "spike-in", design.spikein, &is_control)?;
        let holdout = match &held_target {
            Some(t) => Some((pick(run, "held-out", held_spec, &is_held)?, t.clone())),
            None => None,
        };
        let sample = Sample {
            name: names[run].clone(),
            cells: cells(run, &|_| true),
            learnt: cells(run, &|_| true),
            scored: cells(run, &|i| !control[i] && !is_held(i)),
        };
        if sample.scored.rows.is_empty() {
            tracing::warn!("{file}: run {} holds controls only; its score is left empty", names[run]);
        }
        out.push(Run {
            name: names[run].clone(),
            title: format!("{file}: run {}", names[run]),
            source,
            target: target.clone(),
            samples: vec![sample],
            holdout,
        });
    }
    let training = Group {
        table: 0,
        rows: (0..runs.len()).filter(|&i| !(is_held(i) && runs[i] == Some(reference))).collect(),
    };
    let experiment = Experiment { markers, tables: vec![table], runs: out, training: vec![training] };
    Ok((experiment, names[reference].clone()))
}

/// The runs other than the reference and their cells, for a saved edit that needs no controls.
///
/// # Errors
/// [`CorrectError`] when the column is missing.
pub fn runs_of(file: &str, obs: &Frame, key: &str) -> Result<Vec<(String, Vec<usize>)>, CorrectError> {
    let (codes, names) = groups(file, obs, key)?;
    every_cell_has_its_run(file, obs, key, &codes)?;
    let cells = |b: usize| (0..codes.len()).filter(|&i| codes[i] == Some(b)).collect::<Vec<_>>();
    Ok(names.into_iter().enumerate().map(|(b, n)| (n, cells(b))).filter(|(_, c)| !c.is_empty()).collect())
}

/// Refuses a column that leaves cells without a run.
fn every_cell_has_its_run(
    file: &str,
    obs: &Frame,
    key: &str,
    runs: &[Option<usize>],
) -> Result<(), CorrectError> {
    let Some(first) = runs.iter().position(Option::is_none) else { return Ok(()) };
    let missing = runs.iter().filter(|r| r.is_none()).count();
    Err(CorrectError::usage(format!(
        "{file}: obs[\"{key}\"] is missing for {missing} of {} cells ({} first); every cell needs its run",
        runs.len(),
        obs.index.get(first).unwrap_or_default()
    )))
}

type Groups = (Vec<Option<usize>>, Vec<String>);

fn groups(file: &str, obs: &Frame, name: &str) -> Result<Groups, CorrectError> {
    let column = obs.column(name).ok_or_else(|| {
        let hint = did_you_mean(name, obs.columns.iter().map(|(n, _)| n.as_str()));
        let known: Vec<&str> = obs.columns.iter().map(|(n, _)| n.as_str()).collect();
        CorrectError::usage(format!("{file}: no column {name} in obs{hint} (columns: {})", known.join(", ")))
    })?;
    column.groups().map_err(|e| CorrectError::usage(format!("{file}: obs[\"{name}\"]: {e}")))
}

/// Which cells a specification `column` or `column=value` marks. Without a value, true, 1, yes and the like count, and
/// anything else that is not plainly a no is an error.
fn flags(file: &str, obs: &Frame, spec: &str) -> Result<Vec<bool>, CorrectError> {
    // A column may have `=` in its own name: the longest column name that fits wins.
    let (name, value) = match obs.column(spec) {
        Some(_) => (spec, None),
        None => spec.rsplit_once('=').map_or((spec, None), |(n, v)| (n, Some(v))),
    };
    let (codes, labels) = groups(file, obs, name)?;
    let yes: Vec<bool> = match value {
        Some(value) => {
            let Some(hit) = find_value(labels.iter().map(String::as_str), value) else {
                let hint = did_you_mean(value, labels.iter().map(String::as_str));
                return Err(CorrectError::usage(format!(
                    "{file}: obs[\"{name}\"] has no value {value}{hint} (values: {})",
                    labels.join(", ")
                )));
            };
            (0..labels.len()).map(|i| i == hit).collect()
        }
        None => labels
            .iter()
            .map(|l| match l.to_lowercase().trim_end_matches(".0") {
                "true" | "1" | "yes" | "y" | "t" => Ok(true),
                "false" | "0" | "no" | "n" | "f" | "" => Ok(false),
                _ => Err(CorrectError::usage(format!(
                    "{file}: obs[\"{name}\"] is not yes or no (found {l}); say which value means control: \
                     --spikein {name}=VALUE (values: {})",
                    labels.join(", ")
                ))),
            })
            .collect::<Result<_, _>>()?,
    };
    Ok(codes.iter().map(|c| c.is_some_and(|c| yes[c])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Column, Index, Values};

    fn obs(runs: &[&str], control: &[bool]) -> Frame {
        Frame::new(Index::Range(runs.len()))
            .with("run", Column::Strings(runs.iter().map(|s| (*s).to_owned()).collect()))
            .with("is_control", Column::Numbers(Values::Bool(control.to_vec())))
    }

    fn design<'a>(key: &'a str, spikein: &'a str) -> Design<'a> {
        Design { batch_key: key, spikein, reference: None, holdout: None }
    }

    fn build(obs: &Frame, design: Design<'_>) -> Result<(Experiment, String), CorrectError> {
        let table = Array2::zeros((obs.len(), 1));
        from_annotated("f.h5ad", obs, design, vec!["a".into()], table)
    }

    fn two_runs() -> Frame {
        let runs: Vec<&str> = (0..100).map(|i| if i < 50 { "a" } else { "b" }).collect();
        let control: Vec<bool> = (0..100).map(|i| i % 50 < 25).collect();
        obs(&runs, &control)
    }

    #[test]
    fn each_other_run_is_moved_whole_to_the_first_and_scored_without_controls() {
        let (e, reference) = build(&two_runs(), design("run", "is_control")).unwrap();
        assert_eq!((reference.as_str(), e.runs.len()), ("a", 1));
        let run = &e.runs[0];
        assert_eq!(run.source.rows, (50..75).collect::<Vec<_>>());
        assert_eq!(run.target.rows, (0..25).collect::<Vec<_>>());
        assert_eq!(run.samples[0].cells.rows.len(), 50);
        assert_eq!(run.samples[0].scored.rows, (75..100).collect::<Vec<_>>());
        let d = Design { reference: Some("b"), ..design("run", "is_control=True") };
        assert_eq!(build(&two_runs(), d).unwrap().1, "b");
    }

    #[test]
    fn wrong_columns_values_and_runs_name_the_nearest() {
        let text = |d| build(&two_runs(), d).unwrap_err().to_string();
        assert!(text(design("rum", "is_control")).contains("did you mean run?"));
        assert!(text(design("run", "is_contrl")).contains("did you mean is_control?"));
        assert!(text(design("run", "is_control=Tru")).contains("did you mean True?"));
        assert!(text(design("run", "run")).contains("--spikein run=VALUE"));
        let d = Design { reference: Some("c"), ..design("run", "is_control") };
        assert!(text(d).contains("no run c"), "{}", text(d));
    }

    #[test]
    fn a_run_without_controls_is_a_wrong_request_and_one_with_few_is_bad_input() {
        let mut control = vec![true; 60];
        control.resize(100, false);
        let runs: Vec<&str> = (0..100).map(|i| if i < 60 { "a" } else { "b" }).collect();
        let e = build(&obs(&runs, &control), design("run", "is_control")).unwrap_err();
        assert!(matches!(e, CorrectError::Usage { .. }) && e.to_string().contains("run b has no spike-in"));
        control[60..70].fill(true);
        let e = build(&obs(&runs, &control), design("run", "is_control")).unwrap_err();
        assert!(matches!(e, CorrectError::Input { .. }), "{e}");
    }

    #[test]
    fn the_held_out_target_is_never_trained_on() {
        let mut held = vec![false; 100];
        held[25..50].fill(true);
        held[75..98].fill(true);
        let obs = two_runs().with("held", Column::Numbers(Values::Bool(held)));
        let d = Design { holdout: Some("held"), ..design("run", "is_control") };
        let (e, _) = build(&obs, d).unwrap();
        let (source, target) = e.runs[0].holdout.clone().unwrap();
        assert_eq!((source.rows.len(), target.rows.len()), (23, 25));
        let trained = &e.training[0].rows;
        assert!(source.rows.iter().all(|r| trained.contains(r)));
        assert!(target.rows.iter().all(|r| !trained.contains(r)));
        assert_eq!(e.runs[0].samples[0].scored.rows, [98, 99]);
    }
}
