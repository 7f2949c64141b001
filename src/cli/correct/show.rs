//! What `correct` prints: the score as a table for people, as JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::correct::inputs::Inputs;
use crate::cli::correct::outcome::Outcome;
use crate::cli::correct::pairs;
use crate::cli::correct::settings::Job;
use crate::cli::kit::show::{align, number, percent, thousands};
use crate::correct::{MethodScore, SampleScore};
use crate::report::Column;
use crate::zoo::Length;

/// The columns of the score table; those from the fifth on need a held-out control. The report explains each.
pub(in crate::cli) fn columns(held_out: bool) -> Vec<Column> {
    let mut all = vec![Column::r(), Column::slope(), Column::rmse(), Column::outside()];
    if held_out {
        all.extend([Column::r_true(), Column::emd_mean(), Column::emd_worst()]);
    }
    all
}

/// The cells of one row, in the order of [`columns`].
pub(in crate::cli) fn row(m: &MethodScore) -> Vec<String> {
    let mut cells = vec![number(m.r, 3), number(m.slope, 2), number(m.rmse, 3), percent(m.outside)];
    if let Some(h) = &m.holdout {
        cells.push(number(h.r_true, 3));
        cells.push(format!("{:.3} → {:.3}", h.emd_before, h.emd_after));
        cells.push(format!("{} {:.2}", h.worst, h.worst_emd));
    }
    cells
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
        text.push('\n');
    }
    text.push_str(&pairs::text(&outcome.inputs.pairing));
    let _ = writeln!(text, "{}", outcome.verdict.text);
    text
}

/// Scores without numbers JSON has no word for.
pub(in crate::cli) fn scores(scores: &[SampleScore]) -> Value {
    serde_json::to_value(scores).unwrap_or(Value::Null)
}

/// The object for programs.
pub(in crate::cli) fn json(job: &Job, outcome: &Outcome) -> Value {
    let history = &outcome.fitted.trainer.state().history;
    json!({
        "method": job.method,
        "preset": outcome.fitted.plan.preset,
        "transform": outcome.fitted.transform,
        "seed": outcome.fitted.plan.seed,
        "markers": outcome.inputs.markers.iter().map(|m| &m.name).collect::<Vec<_>>(),
        "markers_chosen_by": outcome.inputs.pairing.how,
        "pairing": pairs::json(&outcome.inputs.pairing),
        "reference": outcome.inputs.reference,
        "outputs": job.outputs.iter().map(|o| o.display().to_string()).collect::<Vec<_>>(),
        "training": {
            "steps": outcome.fitted.trainer.state().step,
            "first_loss": history.first().map(|h| h.1),
            "last_loss": history.last().map(|h| h.1),
        },
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
    text.push_str(&pairs::text(&inputs.pairing));
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
