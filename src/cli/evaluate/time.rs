//! `scx evaluate time`.

use std::time::Instant;

use serde::Serialize;
use serde_json::json;

use crate::cli::evaluate::TimeArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::{Learn, say_left_out};
use crate::cli::kit::output::reading;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::generate::{self, Material, Stops, TrainPlan, Trained, proportions};
use crate::progress::Quietly;
use crate::rng::Seed;

/// Runs the verb.
pub(in crate::cli) fn run(args: &TimeArgs) -> Result<(), CliError> {
    let console = Console::new(args.learn.running.quiet);
    on_threads(args.learn.running.threads.unwrap_or(0), || execute(args, &console))
}

/// How long one model takes, in seconds of wall time. Reading the file is not counted.
#[derive(Debug, Serialize)]
struct Timing {
    model: String,
    /// Minibatches of each training; `None` for what is not trained by minibatches.
    steps: Vec<Option<u64>>,
    /// Of each training.
    training: Vec<f64>,
    training_mean: f64,
    /// Standard deviation of a sample; `None` of one training.
    training_sd: Option<f64>,
    /// Of making the cells with the model trained last.
    making: Option<f64>,
}

fn execute(args: &TimeArgs, console: &Console) -> Result<(), CliError> {
    if args.repeats == 0 || args.model.is_empty() {
        return Err(CliError::usage("--repeats takes a number above 0, --model at least one model"));
    }
    if args.learn.resume {
        return Err(CliError::usage("--resume: what is timed starts from nothing"));
    }
    let reading = reading(&args.reading, &args.learn.running);
    let learn = |model: &String| Learn::resolve(&args.learn, Some(model)).map(|l| l.scratch(&reading));
    let learns = args.model.iter().map(learn).collect::<Result<Vec<_>, _>>()?;
    let [first, ..] = learns.as_slice() else { return Ok(()) };
    let (_, dataset) = args.reading.open(&args.input, &reading)?;
    let material = first.material(&args.input, &dataset, console)?;
    say_left_out(&material.changes, console);
    if args.learn.running.dry_run {
        return print(&format!(
            "would train {} {} times each on {} cells × {} genes, and make {} cells with each\n",
            args.model.join(", "),
            args.repeats,
            thousands(material.cells.len()),
            thousands(material.kept.len()),
            thousands(args.n)
        ));
    }
    let threads = rayon::current_num_threads();
    let mut found = Vec::new();
    for learn in &learns {
        found.push(timed(args, learn, &material, console)?);
    }
    if args.learn.running.json {
        let object = json!({
            "schema_version": 1, "verb": "evaluate time", "input": args.input.display().to_string(),
            "cells": material.cells.len(), "genes": material.kept.len(), "threads": threads,
            "repeats": args.repeats, "made": args.n, "settings": first.settings(), "models": found,
        });
        return print(&(object.to_string() + "\n"));
    }
    let head = format!(
        "{} cells × {} genes, {threads} threads; wall time in seconds, mean ± standard deviation of {} trainings\n",
        thousands(material.cells.len()),
        thousands(material.kept.len()),
        args.repeats
    );
    print(&(head + &table(&found, args.n)))
}

fn timed(args: &TimeArgs, learn: &Learn, material: &Material, console: &Console) -> Result<Timing, CliError> {
    let quietly = Quietly(console);
    let (mut steps, mut training, mut last) = (Vec::new(), Vec::new(), None::<Trained>);
    for repeat in 0..args.repeats {
        console.say(&format!("{}: training {} of {}", learn.plan.kind, repeat + 1, args.repeats));
        let plan =
            TrainPlan { seed: Seed(learn.plan.seed.0.wrapping_add(repeat as u64)), ..learn.plan.clone() };
        let stops = Stops { until: learn.until(), ..Stops::default() };
        let start = Instant::now();
        let trained = generate::train(material, &plan, &stops, &quietly)?;
        training.push(start.elapsed().as_secs_f64());
        steps.push(trained.state.as_ref().map(|s| s.step));
        last = Some(trained);
    }
    let making = match last.filter(|_| args.n > 0) {
        Some(trained) => {
            console.say(&format!("{}: making {} cells", learn.plan.kind, thousands(args.n)));
            let requests = trained.population(&proportions(&material.sizes(), &[], args.n));
            let start = Instant::now();
            generate::make(&trained, &requests, (learn.plan.seed, &learn.sought.scratch), &quietly)?;
            Some(start.elapsed().as_secs_f64())
        }
        None => None,
    };
    let (training_mean, training_sd) = mean_sd(&training);
    Ok(Timing { model: learn.plan.kind.clone(), steps, training, training_mean, training_sd, making })
}

/// Mean and standard deviation of a sample.
fn mean_sd(x: &[f64]) -> (f64, Option<f64>) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let sum: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (x.len() > 1).then(|| (sum / (n - 1.0)).sqrt()))
}

fn table(found: &[Timing], made: usize) -> String {
    let cells = format!("{} cells", thousands(made));
    let mut text = format!("  {:<14} {:>10} {:>20} {:>16}\n", "model", "steps", "training", cells);
    for t in found {
        let steps = match t.steps.as_slice() {
            [Some(first), rest @ ..] if rest.iter().all(|s| *s == Some(*first)) => first.to_string(),
            [Some(_), ..] => {
                let all = || t.steps.iter().flatten();
                format!("{}–{}", all().min().unwrap_or(&0), all().max().unwrap_or(&0))
            }
            _ => "–".into(),
        };
        let sd = t.training_sd.map_or_else(String::new, |sd| format!(" ± {sd:.2}"));
        let making = t.making.map_or_else(|| "–".to_owned(), |s| format!("{s:.2}"));
        let training = format!("{:.2}{sd}", t.training_mean);
        text.push_str(&format!("  {:<14} {steps:>10} {training:>20} {making:>16}\n", t.model));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_deviation_is_that_of_a_sample() {
        // statistics.mean and statistics.stdev of Python.
        let (mean, sd) = mean_sd(&[2.0, 4.0, 4.0, 5.0, 8.0]);
        assert!((mean - 4.6).abs() < 1e-12 && (sd.unwrap() - 2.190_890_230_020_664_4).abs() < 1e-12);
        assert_eq!(mean_sd(&[3.0]), (3.0, None));
    }

    #[test]
    fn steps_that_differ_are_shown_as_a_range() {
        let timing = |steps: Vec<Option<u64>>| Timing {
            model: "m".into(),
            steps,
            training: vec![],
            training_mean: 1.0,
            training_sd: Some(0.25),
            making: None,
        };
        let text =
            table(&[timing(vec![Some(7), Some(9)]), timing(vec![Some(7), Some(7)]), timing(vec![None])], 10);
        let lines: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["m", "7–9", "1.00", "±", "0.25", "–"]);
        assert_eq!((lines[1][1], lines[2][1]), ("7", "–"));
    }
}
