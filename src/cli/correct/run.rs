//! `scx correct`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::correct::inputs::Inputs;
use crate::cli::correct::outcome::{Outcome, run_fit};
use crate::cli::correct::settings::Job;
use crate::cli::correct::{CorrectArgs, inputs, outputs, show, study};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::on_threads;
use crate::correct::{self, Against, Fitted, SampleScore};
use crate::io;
use crate::progress::Progress;

/// Runs the verb.
pub(in crate::cli) fn run(args: CorrectArgs) -> Result<(), CliError> {
    if let Some(sheet) = args.sheet.clone() {
        return study::run(args, &sheet);
    }
    let job = args.check()?;
    let console = Console::new(job.running.quiet);
    let way = outputs::way(&job, &console);
    let (plans, outcome) = on_threads(job.running.threads.unwrap_or(0), || execute(&job, &console))?;
    match outcome {
        Ended::Planned(inputs) => way.tell(&plans, json!({}), &show::plan(&job, &inputs)),
        Ended::Done(outcome) => way.tell(&plans, show::json(&job, &outcome), &show::table(&job, &outcome)),
    }
}

/// What came of a run.
pub(in crate::cli) enum Ended {
    /// A dry run: what was read.
    Planned(Box<Inputs>),
    /// Everything is written.
    Done(Box<Outcome>),
}

/// Does the job and writes its files; a dry run only plans them.
pub(in crate::cli) fn execute(
    job: &Job,
    console: &Console,
) -> Result<(Vec<io::OutputPlan>, Ended), CliError> {
    outputs::check_targets(job)?;
    let stored = job.model_dir.as_deref().map(Fitted::load).transpose()?;
    let inputs = inputs::load(job, stored.as_ref(), console)?;
    if let Some(reference) = &inputs.reference {
        console.say(&format!("reference run: {reference} (its cells are copied unchanged)"));
    }
    for name in job.biaxial.iter().flatten() {
        let mut names = inputs.markers.iter().map(|m| m.name.as_str());
        if !names.any(|n| n.eq_ignore_ascii_case(name)) {
            let hint = correct::did_you_mean(name, inputs.markers.iter().map(|m| m.name.as_str()));
            return Err(CliError::usage(format!(
                "--biaxial: {name} is not one of the corrected markers{hint}"
            )));
        }
    }
    if job.running.dry_run {
        let plans = outputs::plan(job, &inputs, console)?;
        return Ok((plans, Ended::Planned(Box::new(inputs))));
    }
    let fitted = match stored {
        Some(fitted) => fitted,
        None => {
            let markers = inputs.markers.clone();
            let mut fitted =
                correct::fit(&inputs.experiment, markers, inputs.scale.clone(), job.plan(), console)?;
            fitted.reference.clone_from(&inputs.reference);
            fitted
        }
    };
    console.check()?;
    let scores = if job.only { Vec::new() } else { score(job, &inputs, &fitted, console)? };
    let verdict = (!job.only).then(|| correct::verdict(job.method, &scores));
    let outcome = Outcome { inputs, fitted, scores, verdict };
    let plans = outputs::write_outputs(job, &outcome, console)?;
    Ok((plans, Ended::Done(Box::new(outcome))))
}

/// Scores every sample, and every method on the halves of the controls of its run.
fn score(
    job: &Job,
    inputs: &Inputs,
    fitted: &Fitted,
    console: &Console,
) -> Result<Vec<SampleScore>, CliError> {
    let tables = &inputs.experiment.tables;
    let mut scores: Vec<SampleScore> = Vec::new();
    let mut halves = BTreeMap::new();
    let mut judged = None;
    console.start("scoring", inputs.samples.len() as u64);
    for (name, sample, _) in &inputs.samples {
        console.advance(scores.len() as u64, &sample.name);
        let run = inputs.run(name);
        if let Some(run) = run.filter(|_| judged != Some(name)) {
            halves = fitted.halves(run, tables, &fitted.methods())?;
            judged = Some(name);
        }
        let against = Against { fitted, fit: run_fit(fitted, name)?, run, halves: &halves, tables };
        scores.push(against.score(sample, job.method)?);
        console.check()?;
    }
    console.finish();
    Ok(scores)
}
