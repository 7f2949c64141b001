//! `scx correct`.

use crate::cli::correct::config::CorrectFile;
use crate::cli::correct::outcome::{Outcome, run_fit};
use crate::cli::correct::settings::{Job, resolve};
use crate::cli::correct::{CorrectArgs, config, corrected, inputs, outputs, show};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::{on_threads, print};
use crate::correct::{self, Fitted, Plan};
use crate::progress::Progress;
use crate::rng::Seed;

/// Runs the verb.
pub(in crate::cli) fn run(args: CorrectArgs) -> Result<(), CliError> {
    let file = args.config.as_deref().map_or_else(|| Ok(CorrectFile::default()), config::read)?;
    let print_config = args.print_config;
    let quiet = args.quiet || file.quiet.unwrap_or(false);
    let settings = resolve(args, file);
    if print_config {
        return print(&settings.yaml()?);
    }
    let job = settings.check()?;
    let console = Console::new(quiet);
    let outcome = on_threads(job.threads, || execute(&job, &console))?;
    match outcome {
        None => Ok(()),
        Some(outcome) if job.json => print(&(show::json(&job, &outcome).to_string() + "\n")),
        Some(outcome) => print(&show::table(&job, &outcome)),
    }
}

/// Does the job and writes its files; nothing comes back from a dry run.
pub(in crate::cli) fn execute(job: &Job, console: &Console) -> Result<Option<Outcome>, CliError> {
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
    if job.dry_run {
        print(&(show::plan(job, &inputs) + &corrected::plan(job, &inputs, console)?))?;
        return Ok(None);
    }
    let fitted = match stored {
        Some(fitted) => fitted,
        None => {
            let plan = Plan {
                preset: job.preset,
                hidden: job.hidden.clone(),
                train: job.train,
                seed: Seed(job.seed),
            };
            let markers = inputs.markers.clone();
            let mut fitted = correct::fit(&inputs.experiment, markers, job.transform, plan, console)?;
            fitted.reference.clone_from(&inputs.reference);
            fitted
        }
    };
    console.check()?;
    let mut scores = Vec::new();
    console.start("scoring", inputs.samples.len() as u64);
    for (run, sample, _) in &inputs.samples {
        console.advance(scores.len() as u64, &sample.name);
        let fit = run_fit(&fitted, run)?;
        let tables = &inputs.experiment.tables;
        scores.push(correct::score(&fitted, fit, inputs.run(run), sample, tables, job.method)?);
        console.check()?;
    }
    console.finish();
    let verdict = correct::verdict(job.method, &scores);
    let outcome = Outcome { inputs, fitted, scores, verdict };
    outputs::write_outputs(job, &outcome, console)?;
    Ok(Some(outcome))
}
