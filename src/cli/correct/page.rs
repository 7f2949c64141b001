//! From the outcome of `correct` to what the report draws.

use ndarray::{Array2, ArrayView2, Axis};

use crate::cli::correct::how::How;
use crate::cli::correct::outcome::Outcome;
use crate::cli::correct::settings::{Cells, Job};
use crate::cli::correct::{pairs, show};
use crate::cli::kit::error::CliError;
use crate::cli::kit::show::thousands;
use crate::correct::{Fitted, Level, Marker, Method, Run, RunFit, Sample, SampleScore, Verdict};
use crate::linalg::Pca;
use crate::loader::Group;
use crate::report::{
    self, Biaxial, MarkerValues, MedianChange, Medians, Panel, PcaCloud, Points, Report, Role, ScoreGroup,
    ScoreRow, ScoreTable, ScoreValue,
};
use crate::rng::Seed;
use crate::zoo::Length;

/// Cells drawn of each group in a cloud.
const CLOUD: usize = 2000;

/// Cells that a density is estimated from.
const DENSITY: usize = 5000;

/// Everything the page shows.
pub(in crate::cli) fn build(job: &Job, outcome: &Outcome) -> Result<Report, CliError> {
    let Outcome { inputs, fitted, scores, verdict } = outcome;
    let held_out = scores.iter().any(|s| s.methods.iter().any(|m| m.holdout.is_some()));
    let panels = inputs
        .samples
        .iter()
        .enumerate()
        .map(|(i, (run, sample, _))| {
            let score = scores.get(i);
            let name = match inputs.reference {
                Some(_) => format!("run {}", sample.name),
                None => sample.name.clone(),
            };
            let drawn = Drawn {
                how: &job.how,
                fitted,
                markers: &inputs.markers,
                tables: &inputs.experiment.tables,
                fit: fitted.run(run),
                run: inputs.run(run),
                sample,
                score,
            };
            drawn.panel(name, made_of(outcome, run, sample))
        })
        .collect::<Result<_, _>>()?;
    let cells: usize = inputs.samples.iter().map(|s| s.1.cells.rows.len()).sum();
    Ok(Report {
        title: "Batch correction from spike-in controls".into(),
        subtitle: format!(
            "{} · {} cells · {} markers",
            job.method.name(),
            thousands(cells),
            inputs.markers.len()
        ),
        unit: fitted.scale.label(),
        verdict: judged(job, scores, verdict.as_ref()),
        score: ScoreTable {
            columns: show::columns(held_out),
            groups: scores.iter().map(|s| group(outcome.title(s), s, job.method)).collect(),
        },
        panels,
        loss: loss(fitted),
        parameters: parameters(job, outcome),
        provenance: provenance(outcome)?,
        warnings: warnings(outcome),
        notes: pairs::unequal(&outcome.inputs.pairing)
            .into_iter()
            .map(|line| format!("Paired with {}: {line}.", outcome.inputs.pairing.first))
            .collect(),
    })
}

/// What must be known before the result is used.
fn warnings(outcome: &Outcome) -> Vec<String> {
    let left = outcome.fitted.runs.iter().filter_map(|run| {
        let names: Vec<&str> = outcome
            .inputs
            .markers
            .iter()
            .zip(&run.untouched)
            .filter(|(_, untouched)| **untouched)
            .map(|(m, _)| m.name.as_str())
            .collect();
        (!names.is_empty())
            .then(|| format!("Constant in a control and left uncorrected: {}.", names.join(", ")))
    });
    let apart = pairs::left(&outcome.inputs.pairing).into_iter().map(|l| format!("Left uncorrected: {l}."));
    left.chain(apart).collect()
}

/// What to think of the result, for the top of the page.
pub(in crate::cli) fn judged(
    how: &How,
    scores: &[SampleScore],
    verdict: Option<&Verdict>,
) -> report::Verdict {
    report::Verdict {
        headline: sentence(&show::said(how.method, verdict)),
        details: details(scores, how.method),
        level: match verdict.map(|v| v.level) {
            Some(Level::Good) => report::Level::Good,
            Some(Level::Bad) => report::Level::Bad,
            Some(Level::Caution) => report::Level::Caution,
            None => report::Level::Unjudged,
        },
    }
}

/// The losses of training, by step.
pub(in crate::cli) fn loss(fitted: &Fitted) -> Vec<(f64, f64)> {
    let history = fitted.network.as_ref().map(|n| n.trainer.state().history.as_slice()).unwrap_or_default();
    history.iter().map(|&(step, loss)| (step as f64, loss)).collect()
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    first + chars.as_str() + end
}

fn details(scores: &[SampleScore], chosen: Method) -> Vec<String> {
    let mut out = Vec::new();
    for m in scores.iter().filter_map(|s| s.of(chosen)) {
        if let Some(n) = m.negative.filter(|n| *n > 0.0) {
            out.push(format!("{:.1} % of the corrected values are negative and kept so.", 100.0 * n));
        }
        if let Some(o) = m.outside.filter(|o| *o > 0.05) {
            out.push(format!(
                "{:.1} % of the sample lies outside what the source control showed: the correction extrapolates there.",
                100.0 * o
            ));
        }
    }
    out.extend(scores.iter().filter_map(|s| Some(show::zeros(s, chosen)? + ".")));
    out.dedup();
    out
}

/// The rows of one sample or run in the score table.
pub(in crate::cli) fn group(name: String, score: &SampleScore, chosen: Method) -> ScoreGroup {
    let best = |key: &dyn Fn(&crate::correct::MethodScore) -> Option<f64>| {
        let of = |m: &crate::correct::MethodScore| key(m).filter(|x| x.is_finite());
        score.methods.iter().filter_map(of).reduce(f64::min)
    };
    // Only what may choose a method has a best: the distance to the held-out truth and the correlation with it.
    let closest = best(&|m| m.holdout.as_ref().map(|h| h.emd_after));
    let truest = best(&|m| m.holdout.as_ref().and_then(|h| h.r_true).map(|r| -r)).map(|r| -r);
    let worst = best(&|m| m.holdout.as_ref().map(|h| h.worst_emd));
    let rows = score
        .methods
        .iter()
        .map(|m| {
            let h = m.holdout.as_ref();
            let is_best = |i: usize| match i {
                6 => truest.is_some() && h.and_then(|h| h.r_true) == truest,
                7 => closest.is_some() && h.map(|h| h.emd_after) == closest,
                8 => worst.is_some() && h.map(|h| h.worst_emd) == worst,
                _ => false,
            };
            let values = show::row(m).into_iter().enumerate();
            ScoreRow {
                method: m.method.name().into(),
                chosen: m.method == chosen,
                values: values.map(|(i, text)| ScoreValue { text, best: is_best(i) }).collect(),
            }
        })
        .collect();
    ScoreGroup { name, rows }
}

/// Some rows of a group, always the same ones.
fn some(tables: &[Array2<f32>], group: &Group, most: usize) -> Array2<f32> {
    let picked = Seed(0).stream("report").sample(group.rows.len(), most);
    let rows = picked.into_iter().map(|i| group.rows[i]).collect();
    Group { table: group.table, rows }.gather(tables)
}

/// What the figures of one sample or run are drawn from.
pub(in crate::cli) struct Drawn<'a> {
    pub how: &'a How,
    pub fitted: &'a Fitted,
    pub markers: &'a [Marker],
    pub tables: &'a [Array2<f32>],
    pub fit: Option<&'a RunFit>,
    pub run: Option<&'a Run>,
    pub sample: &'a Sample,
    pub score: Option<&'a SampleScore>,
}

impl Drawn<'_> {
    /// The figures.
    ///
    /// # Errors
    /// [`CliError`] when cells cannot be moved.
    pub(in crate::cli) fn panel(
        &self,
        name: String,
        made_of: Vec<(String, String)>,
    ) -> Result<Panel, CliError> {
        let tables = self.tables;
        let before = some(tables, &self.sample.scored, DENSITY);
        let after = match self.fit {
            Some(fit) => self.fitted.apply(fit, self.how.method, before.view())?.values,
            None => before.clone(),
        };
        let mut groups: Vec<(Role, Array2<f32>)> = Vec::new();
        if let Some(Run { source, target, .. }) = self.run {
            groups.push((Role::SourceControl, some(tables, source, DENSITY)));
            groups.push((Role::TargetControl, some(tables, target, DENSITY)));
        }
        groups.push((Role::Before, before));
        groups.push((Role::After, after));
        let of = |role: Role| groups.iter().find(|g| g.0 == role).map(|g| &g.1);
        let own = self.score.and_then(|s| s.of(self.how.method));
        let changes = self.score.iter().flat_map(|s| &s.medians).map(|m| MedianChange {
            marker: m.marker.clone(),
            control_change: m.control_change,
            sample_change: m.sample_change,
            true_change: None,
        });
        let column = |role: Role, j: usize| of(role).map(|x| x.column(j).to_vec()).unwrap_or_default();
        let densities = self.markers.iter().enumerate().map(|(j, m)| MarkerValues {
            marker: m.name.clone(),
            source_control: column(Role::SourceControl, j),
            target_control: column(Role::TargetControl, j),
            before: column(Role::Before, j),
            after: column(Role::After, j),
            truth: None,
        });
        Ok(Panel {
            name,
            made_of,
            medians: Medians {
                changes: changes.collect(),
                r: own.and_then(|m| m.r),
                slope: own.and_then(|m| m.slope),
                rmse: own.and_then(|m| m.rmse),
                r_true: own.and_then(|m| m.holdout.as_ref()?.r_true),
            },
            pca: cloud(&groups),
            biaxial: self.biaxial(&groups),
            densities: densities.collect(),
        })
    }

    /// Two markers against each other: those asked for, else the most and the least shifted.
    fn biaxial(&self, groups: &[(Role, Array2<f32>)]) -> Option<Biaxial> {
        let markers = self.markers;
        let (x, y, why) = match &self.how.biaxial {
            Some([x, y]) => {
                let find = |name: &String| markers.iter().position(|m| m.name.eq_ignore_ascii_case(name));
                (find(x)?, find(y)?, "as asked for")
            }
            None => {
                let (most, least) = most_and_least_shifted(self.fit?, groups)?;
                (most, least, "the marker the controls moved most, and one they moved least")
            }
        };
        let groups = groups
            .iter()
            .map(|(role, cells)| {
                let rows = Seed(0).stream("report/cloud").sample(cells.nrows(), CLOUD);
                let at = rows.iter().map(|&i| [f64::from(cells[(i, x)]), f64::from(cells[(i, y)])]).collect();
                Points { role: *role, at }
            })
            .collect();
        let name = |j: usize| markers.get(j).map(|m| m.name.clone());
        Some(Biaxial { x: name(x)?, y: name(y)?, why: why.into(), groups })
    }
}

fn made_of(outcome: &Outcome, run: &str, sample: &Sample) -> Vec<(String, String)> {
    let Outcome { inputs, .. } = outcome;
    match &inputs.reference {
        Some(reference) => vec![
            ("source control".into(), format!("control cells of run {run}")),
            ("target control".into(), format!("control cells of run {reference}")),
            (
                "sample".into(),
                format!("all other cells of run {run}, {}", thousands(sample.scored.rows.len())),
            ),
        ],
        None => inputs
            .files
            .iter()
            .filter(|f| !f.roles.contains(&"sample") || f.name() == sample.name)
            .map(|f| (f.roles.join(" and "), format!("{}, {} cells", f.base(), thousands(f.dataset.n_obs()))))
            .collect(),
    }
}

fn points(x: ArrayView2<'_, f64>) -> Vec<[f64; 2]> {
    x.axis_iter(Axis(0)).filter_map(|row| Some([*row.get(0)?, *row.get(1)?])).collect()
}

/// Components of controls and sample; the corrected sample is only projected, so that it cannot bend the view.
fn cloud(groups: &[(Role, Array2<f32>)]) -> Option<PcaCloud> {
    let small: Vec<(Role, Array2<f32>)> = groups
        .iter()
        .map(|(role, x)| {
            let rows = Seed(0).stream("report/cloud").sample(x.nrows(), CLOUD);
            (*role, x.select(Axis(0), &rows))
        })
        .collect();
    let fitted: Vec<_> = small.iter().filter(|g| g.0 != Role::After).map(|g| g.1.view()).collect();
    let all = ndarray::concatenate(Axis(0), &fitted).ok()?;
    let pca = Pca::fit(all.view(), 2).ok()?;
    let groups = small
        .iter()
        .filter_map(|(role, x)| {
            Some(Points { role: *role, at: points(pca.transform(x.view()).ok()?.view()) })
        })
        .collect();
    let explained = [pca.explained.first().copied()?, pca.explained.get(1).copied().unwrap_or(0.0)];
    Some(PcaCloud { groups, explained })
}

/// The marker whose median the controls moved most, and the one they moved least of those that vary among cells: a
/// marker nobody expresses shows nothing.
fn most_and_least_shifted(fit: &RunFit, groups: &[(Role, Array2<f32>)]) -> Option<(usize, usize)> {
    let shift = |j: &usize| fit.control_change[*j].abs();
    let learnt: Vec<usize> = (0..fit.untouched.len()).filter(|&j| !fit.untouched[j]).collect();
    let most = learnt.iter().copied().max_by(|a, b| shift(a).total_cmp(&shift(b)))?;
    let sample = groups.iter().find(|g| g.0 == Role::Before).map(|g| &g.1)?;
    let spread = |j: usize| sample.column(j).mapv(f64::from).var(0.0);
    let others = || learnt.iter().copied().filter(|&j| j != most);
    let widest = others().map(spread).fold(0.0, f64::max);
    let least =
        others().filter(|&j| spread(j) >= 0.5 * widest).min_by(|a, b| shift(a).total_cmp(&shift(b)))?;
    Some((most, least))
}

fn parameters(job: &Job, outcome: &Outcome) -> Vec<(String, String)> {
    let mut out = settings(&job.how, &outcome.fitted);
    out.push(("markers".to_owned(), outcome.inputs.pairing.how.clone()));
    if let Cells::Annotated { batch_key, .. } = &job.cells {
        out.push(("runs".to_owned(), format!("obs[\"{batch_key}\"]")));
    }
    if let Some(reference) = &outcome.inputs.reference {
        out.push(("reference run".to_owned(), reference.clone()));
    }
    out
}

/// The settings of a method, by name.
pub(in crate::cli) fn settings(how: &How, fitted: &Fitted) -> Vec<(String, String)> {
    let plan = &fitted.plan;
    let mut out = vec![
        ("method".to_owned(), how.method.name().to_owned()),
        ("scale".to_owned(), fitted.scale.label()),
        ("exact zeros".to_owned(), format!("{:?}", plan.zeros).to_lowercase()),
    ];
    if fitted.network.is_some() {
        let length = match plan.train.length {
            Length::Steps(n) => format!("{n} steps"),
            Length::Epochs(n) => format!("{n} epochs"),
        };
        let layers: Vec<String> = plan.hidden.iter().map(usize::to_string).collect();
        out.extend([
            ("preset".to_owned(), format!("{:?}", plan.preset).to_lowercase()),
            ("autoencoder".to_owned(), format!("{} and back", layers.join("-"))),
            (
                "training".to_owned(),
                format!("{length} of {} cells, Adam {}", plan.train.minibatch, plan.train.adam.lr),
            ),
            ("seed".to_owned(), plan.seed.0.to_string()),
        ]);
    }
    out
}

fn provenance(outcome: &Outcome) -> Result<Vec<(String, String)>, CliError> {
    let mut out = vec![("scx".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    for f in &outcome.inputs.files {
        let r = f.record()?;
        out.push((r.role, format!("{} · {} × {} · SHA-256 {}", r.name, r.n_obs, r.n_vars, r.sha256)));
    }
    Ok(out)
}
