//! What `correct --sheet` prints: one table of runs for people, an object for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::correct::study::plan::{Fate, Study};
use crate::cli::correct::study::run::Ended;
use crate::cli::correct::study::survey::Surveyed;
use crate::cli::correct::{pairs, show as scores};
use crate::cli::kit::console::Console;
use crate::cli::kit::show::{align, thousands};
use crate::correct::{Level, Reference};

/// What is said before the work.
pub(super) fn say(study: &Study, files: &[Surveyed], console: &Console) {
    let cells: usize = files.iter().map(|f| f.shape.0).sum();
    console.say(&format!(
        "{} files of {} runs, {} cells; moved to {}",
        files.len(),
        study.sheet.runs().len(),
        thousands(cells),
        match study.reference {
            Reference::Mean => study.moved_to(),
            Reference::Run(_) => format!("{}, whose files keep their values", study.moved_to()),
        }
    ));
}

fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", thousands(n)) }
}

/// One row a run, and what to think of it.
pub(super) fn text(study: &Study, ended: &Ended) -> String {
    let mut text = String::new();
    let cells_of = |row: usize| ended.cells.iter().find(|c| c.0 == row).map_or(0, |c| c.1);
    let mut rows =
        vec![["  run", "files", "cells", "what", "unseen controls", "verdict"].map(str::to_owned).to_vec()];
    for run in study.sheet.runs() {
        let of: Vec<usize> =
            (0..study.sheet.rows.len()).filter(|&i| study.sheet.rows[i].run == run).collect();
        let cells: usize = of.iter().map(|&i| cells_of(i)).sum();
        let fate = of.first().map_or(Fate::Skipped, |&i| study.fate(&study.sheet.rows[i]));
        let judged = ended.judged.as_ref();
        let score = judged.and_then(|j| j.scores.iter().find(|s| s.run == run)?.of(study.how.method));
        let halves = score.and_then(|m| m.halves);
        let verdict = judged.and_then(|j| j.verdict.as_ref()?.of(run)).filter(|_| fate == Fate::Corrected);
        rows.push(vec![
            format!("  {run}"),
            thousands(of.len()),
            thousands(cells),
            fate.words().to_owned(),
            halves.map_or_else(|| "–".into(), |h| format!("{:.3} → {:.3}", h.before, h.after)),
            verdict.map_or("–", Level::word).to_owned(),
        ]);
    }
    text.push_str(&align(&rows));
    text.push_str(&pairs::text(&ended.pairing));
    if !ended.done.is_empty() {
        let _ = writeln!(
            text,
            "{} were finished by an earlier run and left alone",
            count(ended.done.len(), "file")
        );
    }
    if let Some(judged) = &ended.judged {
        let (controls, samples) = judged.learnt_from;
        let _ = writeln!(
            text,
            "learnt from {} cells of controls and {} of samples",
            thousands(controls),
            thousands(samples)
        );
        let million: f64 = ended.plans.iter().map(|(row, _)| cells_of(*row) as f64).sum::<f64>() / 1e6;
        let [fit, apply] = judged.seconds;
        // Of few cells a rate says nothing.
        let rate = if million < 0.1 {
            String::new()
        } else {
            format!(": {:.1} s for each million cells", apply / million)
        };
        let _ = writeln!(text, "{fit:.1} s to learn and score, {apply:.1} s to correct and write{rate}");
        let _ = writeln!(text, "{}", scores::said(study.how.method, judged.verdict.as_ref()));
    }
    if !study.how.running.dry_run {
        let _ = writeln!(text, "wrote {} to {}", count(ended.plans.len(), "file"), study.folder.display());
    }
    text
}

/// The object for programs.
pub(super) fn json(study: &Study, ended: &Ended) -> Value {
    let left = |row: usize| ended.left_out.iter().find(|l| l.0 == row).map(|l| l.1.to_string());
    let files = study.sheet.rows.iter().enumerate().map(|(i, row)| {
        let error = left(i);
        let status = match &error {
            Some(_) => "left out",
            None if ended.done.contains(&i) => "done before",
            None => study.fate(row).word(),
        };
        json!({
            "file": row.file.display().to_string(),
            "output": study.outputs[i].display().to_string(),
            "run": row.run,
            "control": row.control,
            "holdout": row.holdout,
            "cells": ended.cells.iter().find(|c| c.0 == i).map(|c| c.1),
            "status": status,
            "error": error,
        })
    });
    let confounded = study.sheet.confounded().into_iter().map(|(g, runs)| json!({"group": g, "runs": runs}));
    let judged = ended.judged.as_ref();
    json!({
        "sheet": study.sheet.path.display().to_string(),
        "method": study.how.method,
        "preset": study.how.preset,
        "transform": study.how.scale.common,
        "seed": study.how.seed,
        "markers": ended.pairing.markers.iter().map(|m| &m.name).collect::<Vec<_>>(),
        "markers_chosen_by": ended.pairing.how,
        "pairing": pairs::json(&ended.pairing),
        "reference": study.reference.name(),
        "unanchored": study.unanchored,
        "confounded": confounded.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "learnt_from": judged.map(|j| json!({"control_cells": j.learnt_from.0, "sample_cells": j.learnt_from.1})),
        "seconds": judged.map(|j| json!({"learning": j.seconds[0], "correcting": j.seconds[1]})),
        "scores": judged.map(|j| scores::scores(&j.scores)),
        "verdict": judged.map(|j| &j.verdict),
    })
}
