//! `scx classify`.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::cli::classify::ClassifyArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::{self, within};
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::data::counts::{self, Taken};
use crate::data::{Categorical, Categories, Column, Dataset, Values};
use crate::generate::{self, Classified, Matching, Trained};
use crate::io::{Additions, Table};

/// Runs the verb.
pub(in crate::cli) fn run(args: &ClassifyArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &ClassifyArgs, console: &Console) -> Result<(), CliError> {
    let way = Way::new("classify", &args.writing, &args.running, console).with_table(Table::Obs);
    let target = way.target_for_columns(&args.output, &[&args.input], "the labels of cells")?;
    if !(0.0..=1.0).contains(&args.max_missing) {
        return Err(CliError::usage(format!(
            "--max-missing {}: expected a share between 0 and 1",
            args.max_missing
        )));
    }
    let trained = Trained::load(&args.model_dir)?;
    let reading = reading(&args.reading, &args.running).towards(&args.output);
    let (codec, dataset) = args.reading.open(&args.input, &reading)?;
    let names = names(args, &trained, &dataset)?;
    let file = args.input.display().to_string();
    let mut taken = counts::find(&dataset, &args.counts.wanted()).map_err(|e| within(e.into(), &file))?;
    if way.dry() {
        let n = dataset.n_obs();
        let text = format!(
            "  label {} cells with {} ({} labels) by {}, and add obs[\"{}\"] and obs[\"{}\"]\n",
            thousands(n),
            trained.description.kind,
            trained.description.labels.len(),
            taken.words(),
            names[0],
            names[1]
        );
        let [label, score] = names;
        let columns = vec![
            (
                label,
                Column::Categorical(Categorical {
                    codes: vec![0; n],
                    categories: Categories::Strings(trained.description.labels.clone()),
                    ordered: false,
                }),
            ),
            (score, Column::Numbers(Values::F32(vec![0.0; n]))),
        ];
        let additions = Additions { obs: columns, ..Additions::default() };
        let output = way.adding(dataset, codec.format, additions, &target)?;
        return way.tell(&way.commit(vec![output])?, object(args, Value::Null), &text);
    }
    let matching = Matching {
        most_missing: args.max_missing,
        gene_column: args.gene_column.as_deref(),
        memory: reading.memory,
        scratch: &reading.scratch_folder(),
    };
    let found = generate::classify(&trained, &dataset, &mut taken, matching, console)
        .map_err(|e| within(e, &file))?;
    counts_args::say(&taken, console);
    found.names.words().iter().for_each(|w| console.say(w));
    if !found.missing.is_empty() {
        tracing::warn!(
            "{file}: {} of the {} genes the model was trained on are missing and count as zero ({})",
            found.missing.len(),
            found.genes,
            generate::first(&found.missing)
        );
    }
    console.check()?;
    let result = outcome(&trained, &found, &taken, &names);
    let settings = json!({
        "layer": args.counts.layer, "max_missing": args.max_missing, "key_added": args.key_added,
    });
    let record = learn::record("classify", settings, Some((&args.input, &dataset)), result.clone())?;
    let columns = [found.column(), found.score_column()];
    let additions = Additions { obs: names.into_iter().zip(columns).collect(), ..Additions::default() };
    let output = way.adding(dataset, codec.format, additions, &target)?.with_record(way.record(&record)?);
    let plans = way.commit(vec![output])?;
    way.tell(&plans, object(args, result), &table(&file, &trained, &found))
}

fn object(args: &ClassifyArgs, result: Value) -> Value {
    json!({
        "input": args.input.display().to_string(),
        "output": args.output.display().to_string(),
        "result": result,
    })
}

/// Names of the two columns. Nothing of the user's is replaced unasked.
fn names(args: &ClassifyArgs, trained: &Trained, dataset: &Dataset) -> Result<[String; 2], CliError> {
    let key = args.key_added.clone().unwrap_or_else(|| trained.description.kind.clone());
    if key.is_empty() || key.contains('/') || key == "scx" {
        return Err(CliError::usage(format!("--key-added {key}: not a name for a column")));
    }
    let names = [key.clone(), format!("{key}_score")];
    match names.iter().find(|n| dataset.obs.column(n).is_some() && !args.writing.force) {
        Some(taken) => Err(CliError::usage(format!(
            "{}: there is obs[\"{taken}\"] already; give --key-added another name, or --force to replace it",
            args.input.display()
        ))),
        None => Ok(names),
    }
}

fn outcome(trained: &Trained, found: &Classified, taken: &Taken, names: &[String; 2]) -> Value {
    let sizes: serde_json::Map<String, Value> =
        found.labels.iter().cloned().zip(found.sizes().into_iter().map(Value::from)).collect();
    let mean = found.scores.iter().map(|&p| f64::from(p)).sum::<f64>() / found.scores.len().max(1) as f64;
    json!({
        "model": trained.description.kind,
        "counts": taken.place.to_string(),
        "counts_taken": taken,
        "genes_matched": found.names,
        "cells": found.codes.len(),
        "labels": sizes,
        "mean_score": mean,
        "genes": found.genes,
        "missing_genes": found.missing.len(),
        "added": names.iter().map(|n| format!("obs[\"{n}\"]")).collect::<Vec<_>>(),
    })
}

fn table(file: &str, trained: &Trained, found: &Classified) -> String {
    let cells = found.codes.len();
    let mut out = format!(
        "{file}: {} cells labelled by {}, {} of its {} genes found\n       cells          label\n",
        thousands(cells),
        trained.description.kind,
        thousands(found.genes - found.missing.len()),
        thousands(found.genes)
    );
    for (name, size) in found.labels.iter().zip(found.sizes()) {
        let share = 100.0 * size as f64 / cells.max(1) as f64;
        let _ = writeln!(out, "  {:>10}  {share:>5.1} %  {name}", thousands(size));
    }
    out
}
