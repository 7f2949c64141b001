//! `scx predict`.

use serde_json::{Value, json};

use super::job::{self, Asked};
use super::{PredictArgs, page, show};
use crate::cli::evaluate::write;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::record;
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::cli::kit::targets;
use crate::data::Dataset;
use crate::io;
use crate::predict::{Cells, Predicted, Sought};
use crate::report::render_perturbation;
use crate::rng::Seed;

/// Runs the verb.
pub(in crate::cli) fn run(args: &PredictArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &PredictArgs, console: &Console) -> Result<(), CliError> {
    let way = Way::new("predict", &args.writing, &args.running, console);
    let target = way.target(&args.output, &[&args.input])?;
    let asked = Asked::of(args.model.as_deref())?;
    if let Some(path) = &args.report {
        targets::check_twins(&[&args.output, path])?;
        targets::check(path, &[&args.input], args.writing.force, false)?;
    }
    let from = io::detect(&args.input)?;
    let reading = reading(&args.reading, &args.running).towards(&args.output);
    let dataset = (from.read)(&args.input, &reading)?;
    let name = args.input.display().to_string();
    let at = |e: CliError| e.within(&name);
    let cells = Cells::read(&dataset, &sought(args, reading.memory)).map_err(|e| at(e.into()))?;
    cells.notes.iter().for_each(|n| console.say(&format!("{name}: {n}")));
    let types =
        job::asked_types(&cells, args.cell_type.as_deref(), args.apply_to.is_some(), console).map_err(at)?;
    say_real(&cells, &types, args, console);
    if way.dry() {
        return plan(args, &way, &dataset, (&cells, &types), asked, (from.format, &target));
    }
    outlook(args, &way, &dataset, (&cells, &types), asked, (from.format, &target))?.plan()?;
    let seed = Seed(args.seed);
    let settings = (asked, args.n_top_genes, seed);
    let done = job::run((&dataset, &cells), &types, settings, reading.memory, console).map_err(at)?;
    let report = match &args.report {
        Some(path) => Some((path, page::page(args, (&dataset, &cells), &done).map_err(at)?)),
        None => None,
    };
    let result = show::result(&done, &cells);
    let text = show::words(&done, &cells, (source(args), &args.target));
    let record = record("predict", used(args, asked), Some((&args.input, &dataset)), result.clone())?;
    let model = done.model;
    let predicted = predicted(args, &done.rows, done.values, model);
    let out = finished(args, predicted, dataset, reading.memory).map_err(at)?;
    let object = json!({
        "input": name,
        "output": args.output.display().to_string(),
        "result": result,
        "changes": out.changes,
    });
    let output = way.output(out, Some(from.format), &target)?.with_record(way.record(&record)?);
    let plans = way.commit(vec![output])?;
    if let Some((path, page)) = report {
        write(path, &render_perturbation(&page), args.writing.force)?;
        console.say(&format!("wrote {}", path.display()));
    }
    way.tell(&plans, object, &text)
}

/// The condition that cells are predicted from.
fn source(args: &PredictArgs) -> &str {
    args.apply_to.as_deref().unwrap_or(&args.source)
}

fn sought(args: &PredictArgs, memory: u64) -> Sought {
    Sought {
        condition_key: args.condition_key.clone(),
        source: args.source.clone(),
        target: args.target.clone(),
        cell_type_key: args.cell_type_key.clone(),
        batch_key: args.batch_key.clone(),
        apply_to: args.apply_to.clone(),
        layer: args.layer.clone(),
        memory,
    }
}

/// Settings that can change the numbers.
fn used(args: &PredictArgs, asked: Asked) -> Value {
    json!({
        "condition_key": args.condition_key, "source": args.source, "target": args.target,
        "cell_type_key": args.cell_type_key, "cell_type": args.cell_type, "apply_to": args.apply_to,
        "only_predicted": args.only_predicted, "model": asked.name(), "batch_key": args.batch_key,
        "layer": args.layer, "n_top_genes": args.n_top_genes, "seed": args.seed,
    })
}

fn predicted<'a>(
    args: &'a PredictArgs,
    rows: &'a [usize],
    values: ndarray::Array2<f32>,
    model: &'a str,
) -> Predicted<'a> {
    Predicted {
        rows,
        values,
        condition_key: &args.condition_key,
        from_to: (source(args), &args.target),
        model,
        layer: args.layer.as_deref(),
    }
}

fn finished(
    args: &PredictArgs,
    predicted: Predicted,
    dataset: Dataset,
    memory: u64,
) -> Result<Dataset, CliError> {
    Ok(if args.only_predicted { predicted.alone(&dataset)? } else { predicted.below(dataset, memory)? })
}

/// Target cells of the type that is asked for: they are there, and are not looked at.
fn say_real(cells: &Cells, types: &[usize], args: &PredictArgs, console: &Console) {
    for &t in types.iter().filter(|&&t| !cells.target[t].is_empty()) {
        let compared = if args.report.is_some() { "; the report compares with them" } else { "" };
        console.say(&format!(
            "{}: {} real cells of {} are there; nothing is learnt from them{compared}",
            cells.types[t],
            thousands(cells.target[t].len()),
            args.target
        ));
    }
}

/// What a run would do: the output is planned with the source cells in place of the predicted ones.
fn plan(
    args: &PredictArgs,
    way: &Way,
    dataset: &Dataset,
    (cells, types): (&Cells, &[usize]),
    asked: Asked,
    (from, target): (io::Format, &io::Target),
) -> Result<(), CliError> {
    let at = |e: CliError| e.within(&args.input.display().to_string());
    let held = types.first().copied().filter(|t| *t < cells.real_types);
    let study = cells.study(held, Vec::new());
    types.iter().try_for_each(|&t| study.check(t)).map_err(|e| at(e.into()))?;
    let n: usize = types.iter().map(|&t| cells.source[t].len()).sum();
    let output = outlook(args, way, dataset, (cells, types), asked, (from, target))?;
    let learnt: Vec<&str> =
        study.complete().into_iter().filter(|t| Some(*t) != held).map(|t| cells.types[t].as_str()).collect();
    let object = json!({
        "input": args.input.display().to_string(),
        "output": args.output.display().to_string(),
        "model": asked.name(),
        "cells": n,
        "learnt_from": learnt,
    });
    let text = format!(
        "  predict {} cells from {} to {} by {}, learnt from {}\n",
        thousands(n),
        source(args),
        args.target,
        asked.name(),
        learnt.join(", ")
    );
    way.tell(&way.commit(vec![output])?, object, &text)
}

/// The output with the source cells in place of the predicted ones: what a target cannot hold is told before any work.
fn outlook<'a>(
    args: &PredictArgs,
    way: &Way<'a>,
    dataset: &Dataset,
    (cells, types): (&Cells, &[usize]),
    asked: Asked,
    (from, target): (io::Format, &io::Target),
) -> Result<io::Output<'a>, CliError> {
    let own: Vec<usize> = types.iter().flat_map(|&t| cells.source[t].iter().copied()).collect();
    let rows: Vec<usize> = own.iter().map(|&i| cells.rows[i]).collect();
    let stand_in = cells.values.select(ndarray::Axis(0), &own);
    let memory = args.running.memory.unwrap_or(io::DEFAULT_MEMORY);
    let out = finished(args, predicted(args, &rows, stand_in, asked.name()), dataset.clone(), memory)
        .map_err(|e| e.within(&args.input.display().to_string()))?;
    way.output(out, Some(from), target)
}
