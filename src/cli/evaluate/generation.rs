//! `scx evaluate generation`.

use std::path::Path;

use serde_json::json;

use crate::cli::evaluate::cells::Set;
use crate::cli::evaluate::cells::{Common, File};
use crate::cli::evaluate::{GenerationArgs, baselines, page, show};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::cli::kit::targets;
use crate::eval::generation::{Cells, GenerationScore, Judge, JudgeSettings, SetKind};
use crate::io::{self, WriteError};
use crate::report::{GenerationReport, render_generation};
use crate::rng::Seed;

/// Version of the JSON object.
const SCHEMA: u32 = 1;

/// Runs the verb.
pub(in crate::cli) fn run(args: &GenerationArgs) -> Result<(), CliError> {
    let console = Console::new(args.quiet);
    on_threads(args.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &GenerationArgs, console: &Console) -> Result<(), CliError> {
    crate::cli::evaluate::check_trees(args.trees)?;
    if args.max_cells < 10 {
        return Err(CliError::usage("--max-cells takes a number of 10 or more"));
    }
    if let Some(path) = &args.report {
        let mut inputs = vec![&args.real, &args.synthetic];
        inputs.extend(&args.train);
        targets::check(path, &inputs, args.force, false)?;
    }
    let paths = [&args.real, &args.synthetic].into_iter().chain(&args.train);
    let formats = paths.map(|p| io::detect(p).map(|codec| codec.format)).collect::<Result<Vec<_>, _>>()?;
    args.reading.warn_idle(&formats);
    let real = File::read("real", &args.real, args, None, console)?;
    let key = real.key().map(str::to_owned);
    let mut files = vec![real];
    files.push(File::read("synthetic", &args.synthetic, args, key.as_deref(), console)?);
    if let Some(path) = &args.train {
        files.push(File::read("training", path, args, key.as_deref(), console)?);
    }
    match (&key, &args.cluster) {
        (Some(key), _) => console.say(&format!("types of cells: obs[\"{key}\"]")),
        (None, None) => console.say("no types of cells (--cluster-key): correlations and types are left out"),
        (None, Some(_)) => {}
    }
    if let Some(cluster) = &args.cluster {
        for file in &files {
            file.code(cluster)?;
        }
    }
    for file in files.iter().skip(1).filter(|f| key.is_some() && f.key().is_none()) {
        console.say(&format!("{}: no types of cells; what needs them is left out", file.path));
    }
    let common = Common::new(&files, args.gene_column.as_deref(), console)?;
    let lost: Vec<String> =
        files.iter().map(|f| format!("{} {}", thousands(f.counts.n_genes()), f.role)).collect();
    console.say(&format!("{} genes in common (of {})", thousands(common.genes.len()), lost.join(", ")));
    console.check()?;
    let places: Vec<(&'static str, String, String)> =
        files.iter().map(|f| (f.role, f.path.clone(), f.taken.place.to_string())).collect();
    let (score, page) = judged(args, &common, &places, console)?;
    if let (Some(path), Some(page)) = (&args.report, &page) {
        write(path, &render_generation(page), args.force)?;
        console.say(&format!("wrote {}", path.display()));
    }
    if args.json {
        return print(&(object(args, &files, &common, &score)?.to_string() + "\n"));
    }
    print(&show::table(&score))
}

/// Scores the second set against the first (the third is what was learnt from), and lays out the page when there is to
/// be one.
///
/// # Errors
/// [`CliError`] when the cells do not allow it.
pub(in crate::cli) fn judged(
    args: &GenerationArgs,
    common: &Common,
    places: &[(&'static str, String, String)],
    console: &Console,
) -> Result<(GenerationScore, Option<GenerationReport>), CliError> {
    let settings = settings(args, common);
    let (test, made) = (&common.sets[0], &common.sets[1]);
    let train = common.sets.get(2);
    let judge =
        Judge::new(cells(test), train.map(cells), &common.types, &common.genes, settings.clone(), console)?;
    let made_cells = cells(made);
    let drawn = baselines::draw(args, common, made.0.n_cells(), &settings, console)?;
    let beside: Vec<(&str, SetKind, Cells<'_>)> =
        drawn.iter().map(|b| (b.name, b.kind, cells(&b.set))).collect();
    let score = judge.report(("generated cells", made_cells), &beside, console)?;
    console.check()?;
    let page = match args.report {
        Some(_) => Some(page::build(args, common, &judge, &score, places)?),
        None => None,
    };
    Ok((score, page))
}

pub(in crate::cli) fn cells(set: &Set) -> Cells<'_> {
    Cells { counts: &set.0, labels: set.1.as_deref() }
}

fn settings(args: &GenerationArgs, common: &Common) -> JudgeSettings {
    let cluster = args.cluster.as_ref().and_then(|c| common.types.iter().position(|t| t == c));
    JudgeSettings {
        trees: args.trees,
        most_cells: args.max_cells,
        gene_forests: !args.no_gene_forests,
        cluster,
        seed: Seed(args.seed),
        ..JudgeSettings::default()
    }
}

fn object(
    args: &GenerationArgs,
    files: &[File],
    common: &Common,
    score: &GenerationScore,
) -> Result<serde_json::Value, CliError> {
    let score = serde_json::to_value(score)
        .map_err(|e| CliError::input(format!("the result cannot be written as JSON: {e}")))?;
    let inputs: Vec<_> = files
        .iter()
        .zip(&common.by)
        .map(|(f, genes)| {
            json!({
                "role": f.role, "path": f.path, "counts_from": f.taken.place.to_string(), "counts_taken": f.taken,
                "gene_column": genes,
            })
        })
        .collect();
    Ok(json!({
        "schema_version": SCHEMA,
        "verb": "evaluate generation",
        "inputs": inputs,
        "settings": {
            "trees": args.trees,
            "max_cells": args.max_cells,
            "gene_forests": !args.no_gene_forests,
            "baselines": if args.no_baselines { &[] } else { &args.baselines[..] },
            "cluster": args.cluster,
            "seed": args.seed,
        },
        "result": score,
    }))
}

pub(in crate::cli) fn write(path: &Path, page: &str, force: bool) -> Result<(), CliError> {
    let write = |tmp: &Path| std::fs::write(tmp, page).map_err(|e| WriteError::io(tmp, e));
    Ok(io::replace(path, force, write)?)
}
