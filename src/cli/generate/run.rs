//! `scx generate`.

use serde_json::{Value, json};

use crate::cli::generate::GenerateArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::{self, Learn, state_folder, training, within};
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::data::{Dataset, GeneNames, counts};
use crate::generate::{self, NewCells, Request, Trained};
use crate::loader::Labels;

/// Runs the verb.
pub(in crate::cli) fn run(args: &GenerateArgs) -> Result<(), CliError> {
    let console = Console::new(args.learn.running.quiet);
    on_threads(args.learn.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &GenerateArgs, console: &Console) -> Result<(), CliError> {
    let running = &args.learn.running;
    let learn = Learn::resolve(&args.learn, args.model.as_deref())?;
    if args.n == 0 {
        return Err(CliError::usage("--n 0: nothing to make; give at least 1"));
    }
    let nothing = || CliError::usage("give a file to learn from, or a trained model with --model-dir");
    if args.input.is_none() && args.model_dir.is_none() {
        return Err(nothing());
    }
    let way = Way::new("generate", &args.writing, running, console);
    let inputs: Vec<&std::path::PathBuf> = args.input.iter().collect();
    let target = way.target(&args.output, &inputs)?;
    if let Some(dir) = &args.save_model {
        learn::check_model_folder(dir, args.writing.force || args.learn.resume)?;
    }
    let options = reading(&args.reading, running).towards(&args.output);
    let learn = learn.scratch(&options);
    let opened = args.input.as_deref().map(|i| args.reading.open(i, &options)).transpose()?;
    let dataset = opened.map(|(_, dataset)| dataset);
    let folder = state_folder(args.save_model.as_deref(), &args.output);
    let stored = args.model_dir.as_deref().map(Trained::load).transpose()?;
    let outlook = |like: Option<&Dataset>, labels: &Labels, kind: &str, genes: &[String]| {
        let new = NewCells { n: args.n, key: &labels.key, kind, changes: &[] };
        way.output(generate::outlook_alone(&new, like, genes), None, &target)
    };
    let mut details = Value::Null;
    let (trained, like) = match (stored, args.input.as_deref(), &dataset) {
        (Some(stored), None, _) => (stored, None),
        (Some(stored), Some(input), Some(d)) => {
            let (stored, names) =
                onto(args, &learn, stored, d).map_err(|e| within(e, &input.display().to_string()))?;
            names.words().iter().for_each(|w| console.say(w));
            details = json!({"genes_matched": names});
            (stored, Some(d))
        }
        (None, Some(input), Some(d)) => {
            let material = learn.material(input, d, console)?;
            learn::say_left_out(&material.changes, console);
            let parts = wanted(args, &material.labels)?;
            details = json!({"counts_taken": material.taken});
            let outlook = outlook(Some(d), &material.labels, &learn.plan.kind, &material.genes)?;
            if way.dry() {
                let (object, text) = plan(args, &learn.plan.kind, &material.labels, &parts);
                return way.tell(&way.commit(vec![outlook])?, object, &text);
            }
            outlook.plan()?;
            (learn.train(input, &material, &folder, console)?, Some(d))
        }
        _ => return Err(nothing()),
    };
    let labels = trained.labels();
    let parts = wanted(args, &labels)?;
    if way.dry() {
        let kind = &trained.description.kind;
        let outlook = outlook(like, &labels, kind, &trained.description.genes)?;
        let (object, text) = plan(args, kind, &labels, &parts);
        return way.tell(&way.commit(vec![outlook])?, object, &text);
    }
    let requests: Vec<Request> = if args.proportions.is_empty() {
        trained.population(&parts)
    } else if trained.takes_labels() {
        parts.iter().map(|&(l, n)| Request { label: Some(l), confirmed: false, n }).collect()
    } else {
        return Err(CliError::usage(format!(
            "--proportions: {} makes whole populations and cannot be asked for labels; take cscgan or activa",
            trained.description.kind
        )));
    };
    let synthetic = generate::make(&trained, &requests, (learn.plan.seed, &learn.sought.scratch), console)?;
    let out = generate::alone(&trained, &synthetic, like)?;
    let result = json!({
        "cells": out.n_obs(),
        "model": trained.description.kind,
        "training": training(&trained),
        "labels": labels.names,
        "parts": sizes(&labels, &parts),
    });
    let settings =
        json!({"n": args.n, "proportions": args.proportions, "learn": learn.settings(), "input": details});
    let input = args.input.as_deref().zip(dataset.as_ref());
    let record = way.record(&learn::record("generate", settings, input, result.clone())?)?;
    let plans = way.commit(vec![way.output(out, None, &target)?.with_record(record)])?;
    learn::keep(&trained, args.save_model.as_deref(), &folder, args.writing.force)?;
    way.tell(&plans, json!({"output": args.output.display().to_string(), "result": result}), "")
}

/// A stored generator for the genes of a file. The cells are new, so that these are all that is needed of its counts.
fn onto(
    args: &GenerateArgs,
    learn: &Learn,
    stored: Trained,
    d: &Dataset,
) -> Result<(Trained, GeneNames), generate::GenerateError> {
    let found = || counts::find(d, &learn.sought.wanted).ok().map(|t| t.place);
    let place = learn.sought.wanted.place.clone().or_else(found);
    let place = place.unwrap_or_else(|| stored.description.place.clone());
    stored.onto(counts::chosen(d, &place)?.var, &place, args.gene_column.as_deref())
}

/// How many cells of each label.
fn wanted(args: &GenerateArgs, labels: &Labels) -> Result<Vec<(u32, usize)>, CliError> {
    let mut given = Vec::new();
    for text in &args.proportions {
        let wrong =
            || CliError::usage(format!("--proportions {text}: expected LABEL=WEIGHT with a weight above 0"));
        let (label, weight) = text.rsplit_once('=').ok_or_else(wrong)?;
        let weight: f64 = weight.parse().map_err(|_| wrong())?;
        if !(weight.is_finite() && weight > 0.0) {
            return Err(wrong());
        }
        let code = labels.code(label).map_err(|e| CliError::usage(e.to_string()))?;
        if given.iter().any(|(c, _)| *c == code) {
            return Err(CliError::usage(format!("--proportions: {label} is there twice")));
        }
        given.push((code, weight));
    }
    Ok(generate::proportions(&labels.sizes(), &given, args.n))
}

fn sizes(labels: &Labels, parts: &[(u32, usize)]) -> Value {
    parts.iter().map(|(l, n)| json!({"label": labels.names.get(*l as usize), "cells": n})).collect()
}

/// What a run would do, for programs and for people.
fn plan(args: &GenerateArgs, kind: &str, labels: &Labels, parts: &[(u32, usize)]) -> (Value, String) {
    let object = json!({
        "output": args.output.display().to_string(),
        "model": kind,
        "parts": sizes(labels, parts),
    });
    let list: Vec<String> = parts
        .iter()
        .map(|(l, n)| {
            format!("{} {}", thousands(*n), labels.names.get(*l as usize).map_or("?", String::as_str))
        })
        .collect();
    (object, format!("  make {} cells with {kind}: {}\n", thousands(args.n), list.join(", ")))
}
