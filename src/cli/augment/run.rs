//! `scx augment`.

use serde_json::{Value, json};

use crate::cli::augment::{AugmentArgs, evidence};
use crate::cli::evaluate::write;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::learn::{self, Learn, state_folder, training, within};
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::cli::kit::targets;
use crate::data::GeneNames;
use crate::data::counts::chosen;
use crate::generate::{self, Material, NewCells, Request, Synthetic, Trained};
use crate::loader::Labels;
use crate::report::render_generation;

/// Runs the verb.
pub(in crate::cli) fn run(args: &AugmentArgs) -> Result<(), CliError> {
    let console = Console::new(args.learn.running.quiet);
    on_threads(args.learn.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &AugmentArgs, console: &Console) -> Result<(), CliError> {
    let running = &args.learn.running;
    let learn = Learn::resolve(&args.learn, args.model.as_deref())?;
    let way = Way::new("augment", &args.writing, running, console);
    let target = way.target(&args.output, &[&args.input])?;
    check(args)?;
    let reading = reading(&args.reading, running).towards(&args.output);
    let learn = learn.scratch(&reading);
    let (from, dataset) = args.reading.open(&args.input, &reading)?;
    let name = args.input.display().to_string();

    let stored = args.model_dir.as_deref().map(Trained::load).transpose()?;
    let learn = match &stored {
        Some(stored) if learn.sought.cluster_key.is_none() => learn.with_key(&stored.description.cluster_key),
        _ => learn,
    };
    let mut material = learn.material(&args.input, &dataset, console)?;
    let var = chosen(&dataset, &material.taken.place)?.var;
    let onto = |s: Trained| s.onto(var, &material.taken.place, args.gene_column.as_deref());
    let (stored, genes) = stored.map(onto).transpose().map_err(|e| within(e, &name))?.unzip();
    genes.iter().filter_map(GeneNames::words).for_each(|w| console.say(&w));
    if let (Some(by), None) = (&args.by, &stored) {
        material.divide(&dataset.obs, by, &args.cluster).map_err(|e| within(e, &name))?;
    }
    let kind = stored.as_ref().map_or(learn.plan.kind.as_str(), |s| s.description.kind.as_str());
    let labels = stored.as_ref().map_or_else(|| material.labels.clone(), |s| s.labels());
    let requests =
        generate::wanted(&labels, &args.cluster, args.by.as_deref(), args.n).map_err(|e| within(e, &name))?;
    // Before hours of training, not after: whether new cells can stand below these, and whether the target holds them.
    let below = !args.only_synthetic;
    if below {
        generate::check_below(&dataset, &material.taken).map_err(|e| within(e, &name))?;
    }
    let n = requests.iter().fold(0usize, |sum, r| sum.saturating_add(r.n));
    let new = NewCells { n, key: &labels.key, kind, changes: &material.changes };
    let outlook = match below {
        true => generate::outlook_below(&new, &dataset, &material.taken),
        false => generate::outlook_alone(&new, Some(&dataset), &[]),
    };
    let outlook = way.output(outlook, Some(from.format), &target)?;
    if way.dry() {
        let (object, text) = plan(args, &learn, &material, stored.as_ref(), &names(&labels, &requests));
        return way.tell(&way.commit(vec![outlook])?, object, &text);
    }
    outlook.plan()?;
    let folder = state_folder(args.save_model.as_deref(), &args.output);
    let held_out = match &stored {
        Some(_) => Vec::new(),
        None => material.hold_out(args.test_fraction, learn.plan.seed),
    };
    let trained = match stored {
        Some(stored) => stored,
        None => learn.train(&args.input, &material, &folder, console)?,
    };
    let synthetic = generate::make(&trained, &requests, (learn.plan.seed, &learn.sought.scratch), console)
        .map_err(|e| learn::keep_failed(&trained, &folder, args.model_dir.is_none(), within(e, &name)))?;
    let evidence =
        evidence::gather(args, &learn, &trained, (&material, &held_out), (&requests, &synthetic), console)?;
    let out = if below {
        let memory = learn.sought.memory;
        generate::below(&trained, &synthetic, &material, dataset.clone(), memory)
            .map_err(|e| within(e, &name))?
    } else {
        generate::alone(&trained, &synthetic, Some(&dataset))?
    };
    let result = json!({
        "made": acceptance(&trained, &synthetic),
        "training": training(&trained),
        "model": trained.description.kind,
        "cells": out.n_obs(),
        "evidence": evidence.json,
    });
    let settings = json!({
        "cluster": args.cluster, "n": args.n, "by": args.by, "only_synthetic": args.only_synthetic, "learn": learn.settings(),
        "counts_taken": material.taken, "genes_matched": genes,
    });
    let record = learn::record("augment", settings, Some((&args.input, &dataset)), result.clone())?;
    let object = json!({
        "input": name,
        "output": args.output.display().to_string(),
        "result": result,
        "changes": out.changes,
    });
    let text = words((&trained, &synthetic), &evidence.text);
    let output = way.output(out, Some(from.format), &target)?.with_record(way.record(&record)?);
    let plans = way.commit(vec![output])?;
    learn::keep(&trained, args.save_model.as_deref(), &folder, args.writing.force)?;
    if let (Some(path), Some(page)) = (&args.report, evidence.page) {
        write(path, &render_generation(&page), args.writing.force)?;
        console.say(&format!("wrote {}", path.display()));
    }
    way.tell(&plans, object, &text)
}

/// Options that do not fit together.
fn check(args: &AugmentArgs) -> Result<(), CliError> {
    let replace = args.writing.force;
    if args.n == 0 {
        return Err(CliError::usage("--n 0: nothing to make; give at least 1"));
    }
    if !(0.0..1.0).contains(&args.test_fraction) {
        return Err(CliError::usage(format!(
            "--test-fraction {}: expected a share of 0 or more, below 1",
            args.test_fraction
        )));
    }
    if let Some(path) = &args.report {
        targets::check_twins(&[&args.output, path])?;
        targets::check(path, &[&args.input], replace, false)?;
        if args.model_dir.is_some() || args.test_fraction == 0.0 {
            return Err(CliError::usage(
                "--report needs cells the model has not seen: train here with --test-fraction above 0, or use \
                 scx evaluate generation",
            ));
        }
    }
    match &args.save_model {
        Some(dir) => learn::check_model_folder(dir, replace || args.learn.resume),
        None => Ok(()),
    }
}

/// What is asked for, by name.
fn names(labels: &Labels, requests: &[Request]) -> Vec<String> {
    requests.iter().filter_map(|r| labels.names.get(r.label? as usize).cloned()).collect()
}

fn acceptance(trained: &Trained, synthetic: &Synthetic) -> Value {
    let of = |label: &Option<u32>| label.and_then(|l| trained.description.labels.get(l as usize).cloned());
    let rows = synthetic.acceptance.iter().map(|(label, made, tried)| {
        json!({"label": of(label), "made": made, "tried": tried, "acceptance": *made as f64 / (*tried).max(1) as f64})
    });
    rows.collect()
}

/// What was made, and what speaks for it.
fn words((trained, synthetic): (&Trained, &Synthetic), evidence: &str) -> String {
    let mut text = String::new();
    for (label, made, tried) in &synthetic.acceptance {
        let label = label.and_then(|l| trained.description.labels.get(l as usize));
        text.push_str(&format!(
            "{}: {} new cells ({:.1} % of those made were taken)\n",
            label.map_or("all", String::as_str),
            thousands(*made),
            100.0 * *made as f64 / (*tried).max(1) as f64
        ));
    }
    text + evidence
}

/// What a run would do, for programs and for people.
fn plan(
    args: &AugmentArgs,
    learn: &Learn,
    material: &Material,
    stored: Option<&Trained>,
    wanted: &[String],
) -> (Value, String) {
    let kind = stored.map_or(learn.plan.kind.as_str(), |s| s.description.kind.as_str());
    let object = json!({
        "input": args.input.display().to_string(),
        "output": args.output.display().to_string(),
        "model": kind,
        "counts": material.taken.place,
        "cluster_key": material.labels.key,
        "clusters": args.cluster,
        "by": args.by,
        "wanted": wanted,
        "n": args.n,
        "genes": material.kept.len(),
        "cells": material.cells.len(),
    });
    let how = match stored {
        Some(_) => format!("take the stored {kind}"),
        None => format!(
            "train {kind} ({}) on {} cells × {} genes of {}",
            learn.plan.preset.name(),
            thousands(material.cells.len()),
            thousands(material.kept.len()),
            material.taken.place
        ),
    };
    let each = wanted.join(", ");
    (object, format!("  {how} and make {} new cells of each of: {each}\n", thousands(args.n)))
}
