//! What `correct` prints: the score as a table for people, as JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::correct::inputs::Inputs;
use crate::cli::correct::outcome::Outcome;
use crate::cli::correct::settings::Job;
use crate::cli::kit::show::{align, number, percent, thousands};
use crate::correct::{Fitted, Method, MethodScore, SampleScore, Verdict};
use crate::recipe::Scale;
use crate::report::Column;
use crate::zoo::Length;

/// The columns of the score table; those from the seventh on need a held-out control. The report explains each.
pub(in crate::cli) fn columns(held_out: bool) -> Vec<Column> {
    let mut all = vec![
        Column::halves(),
        Column::follows(),
        Column::r(),
        Column::slope(),
        Column::rmse(),
        Column::outside(),
    ];
    if held_out {
        all.extend([Column::r_true(), Column::emd_mean(), Column::emd_worst()]);
    }
    all
}

/// The cells of one row, in the order of [`columns`].
pub(in crate::cli) fn row(m: &MethodScore) -> Vec<String> {
    let halves = m.halves.map_or_else(|| "–".into(), |h| format!("{:.3} → {:.3}", h.before, h.after));
    let mut cells = vec![
        halves,
        percent(m.follows),
        number(m.r, 3),
        number(m.slope, 2),
        number(m.rmse, 3),
        percent(m.outside),
    ];
    if let Some(h) = &m.holdout {
        cells.push(number(h.r_true, 3));
        cells.push(format!("{:.3} → {:.3}", h.emd_before, h.emd_after));
        cells.push(format!("{} {:.2}", h.worst, h.worst_emd));
    }
    cells
}

/// Shares of exact zeros, where there are some worth a line.
pub(in crate::cli) fn zeros(score: &SampleScore, chosen: Method) -> Option<String> {
    let [before, target] = score.zeros;
    let (before, after) = (before?, score.of(chosen)?.zeros?);
    (before.max(target.unwrap_or(0.0)) > 0.01).then(|| {
        format!(
            "exact zeros: {} of the sample's values before, {} after, {} of the target control",
            percent(Some(before)),
            percent(Some(after)),
            percent(target)
        )
    })
}

/// The table for people.
pub(in crate::cli) fn table(job: &Job, outcome: &Outcome) -> String {
    let mut text = String::new();
    for score in &outcome.scores {
        let _ = writeln!(
            text,
            "{}: {} cells, {} markers",
            outcome.title(score),
            thousands(score.cells),
            outcome.inputs.markers.len()
        );
        let held = score.methods.iter().any(|m| m.holdout.is_some());
        let headings = columns(held).into_iter().map(|c| c.header);
        let mut rows = vec![std::iter::once("  method".to_owned()).chain(headings).collect::<Vec<_>>()];
        for m in &score.methods {
            let mark = if m.method == job.method { "*" } else { " " };
            let mut cells = vec![format!("{mark} {}", m.method.name())];
            cells.extend(row(m));
            rows.push(cells);
        }
        text.push_str(&align(&rows));
        let negative = score.of(job.method).and_then(|m| m.negative).filter(|n| *n > 0.0);
        if let Some(n) = negative {
            let _ = writeln!(text, "{:.1} % of the corrected values are negative and kept so", 100.0 * n);
        }
        if let Some(line) = zeros(score, job.method) {
            let _ = writeln!(text, "{line}");
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{}", said(job.method, outcome.verdict.as_ref()));
    text
}

/// Scores without numbers JSON has no word for.
pub(in crate::cli) fn scores(scores: &[SampleScore]) -> Value {
    serde_json::to_value(scores).unwrap_or(Value::Null)
}

/// Cofactors of single markers, by name.
pub(in crate::cli) fn cofactors(scale: &Scale) -> Value {
    scale
        .own
        .iter()
        .map(|(name, c)| (name.clone(), Value::from(*c)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What to think of the result, in one line.
pub(in crate::cli) fn said(method: Method, verdict: Option<&Verdict>) -> String {
    match verdict {
        Some(verdict) => verdict.text.clone(),
        None => format!(
            "only {} was applied (--only): there are no rivals, no scores and no verdict",
            method.name()
        ),
    }
}

/// How the network was trained; null where there is none.
pub(in crate::cli) fn training(fitted: &Fitted) -> Value {
    let Some(network) = &fitted.network else { return Value::Null };
    let state = network.trainer.state();
    json!({
        "steps": state.step,
        "first_loss": state.history.first().map(|h| h.1),
        "last_loss": state.history.last().map(|h| h.1),
    })
}

/// The object for programs.
pub(in crate::cli) fn json(job: &Job, outcome: &Outcome) -> Value {
    json!({
        "method": job.method,
        "preset": outcome.fitted.plan.preset,
        "transform": outcome.fitted.scale.common,
        "cofactors": cofactors(&outcome.fitted.scale),
        "seed": outcome.fitted.plan.seed,
        "markers": outcome.inputs.markers.iter().map(|m| &m.name).collect::<Vec<_>>(),
        "markers_chosen_by": outcome.inputs.how,
        "reference": outcome.inputs.reference,
        "outputs": job.outputs.iter().map(|o| o.display().to_string()).collect::<Vec<_>>(),
        "training": training(&outcome.fitted),
        "only": job.only,
        "zeros": outcome.fitted.plan.zeros,
        "scores": scores(&outcome.scores),
        "verdict": outcome.verdict,
    })
}

/// What a dry run says.
pub(in crate::cli) fn plan(job: &Job, inputs: &Inputs) -> String {
    let mut text = String::new();
    for f in &inputs.files {
        let _ = writeln!(
            text,
            "  read {} as {}: {} cells × {} variables",
            f.name(),
            f.roles.join(" and "),
            thousands(f.dataset.n_obs()),
            f.dataset.n_vars()
        );
    }
    let length = match job.train.length {
        Length::Steps(n) => format!("{n} steps"),
        Length::Epochs(n) => format!("{n} epochs"),
    };
    if job.model_dir.is_none() {
        let cells: usize = inputs.experiment.training.iter().map(|g| g.rows.len()).sum();
        let _ = writeln!(text, "  train on {} cells for {length}", thousands(cells));
    }
    for (run, sample, _) in &inputs.samples {
        let of = if inputs.reference.is_some() { format!("run {run}") } else { sample.name.clone() };
        let _ = writeln!(
            text,
            "  correct {} cells of {of} by {}",
            thousands(sample.cells.rows.len()),
            job.method.name()
        );
    }
    text
}
