//! `scx train`.

use serde_json::json;

use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn;
use crate::cli::kit::learn::{Learn, training};
use crate::cli::kit::output::reading;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::cli::train::TrainArgs;

/// Runs the verb.
pub(in crate::cli) fn run(args: &TrainArgs) -> Result<(), CliError> {
    let console = Console::new(args.learn.running.quiet);
    on_threads(args.learn.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &TrainArgs, console: &Console) -> Result<(), CliError> {
    let learn = Learn::resolve(&args.learn, Some(&args.model))?;
    learn::check_model_folder(&args.output, args.force || args.learn.resume)?;
    let reading = reading(&args.reading, &args.learn.running).towards(&args.output);
    let learn = learn.scratch(&reading);
    let (_, dataset) = args.reading.open(&args.input, &reading)?;
    let material = learn.material(&args.input, &dataset, console)?;
    learn::say_left_out(&material.changes, console);
    if args.learn.running.dry_run {
        return print(&format!(
            "would train {} ({}) on {} cells × {} genes and write {}\n",
            args.model,
            learn.plan.preset.name(),
            thousands(material.cells.len()),
            thousands(material.kept.len()),
            args.output.display()
        ));
    }
    let trained = learn.train(&args.input, &material, &args.output, console)?;
    trained.save(&args.output, true)?;
    if args.learn.running.json {
        let object = json!({
            "schema_version": 1,
            "verb": "train",
            "model": trained.description.kind,
            "output": args.output.display().to_string(),
            "training": training(&trained),
            "labels": trained.description.labels,
            "cells": trained.description.sizes,
        });
        return print(&(object.to_string() + "\n"));
    }
    console.say(&format!("wrote {}", args.output.display()));
    Ok(())
}
