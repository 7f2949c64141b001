//! `scx evaluate holdout`.

use serde_json::{Value, json};

use crate::cli::evaluate::{HoldoutArgs, write};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::envelope;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::{align, number};
use crate::cli::kit::targets;
use crate::eval::perturbation::Halves;
use crate::io::{self, DEFAULT_MEMORY};
use crate::predict::{Cells, Holdout, KINDS, Kind, Row, Sought, choose, hold_out, kind};
use crate::recipe::Options;
use crate::rng::Seed;

/// Runs the verb.
pub(in crate::cli) fn run(args: &HoldoutArgs) -> Result<(), CliError> {
    let console = Console::new(args.quiet);
    on_threads(args.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &HoldoutArgs, console: &Console) -> Result<(), CliError> {
    let kinds = kinds(&args.models)?;
    if let Some(path) = &args.output {
        targets::check(path, &[&args.input], args.force, false)?;
    }
    let memory = args.memory.unwrap_or(DEFAULT_MEMORY);
    let dataset = (io::detect(&args.input)?.read)(&args.input, &args.reading.options(args.memory))?;
    let name = args.input.display().to_string();
    let at = |e: crate::predict::PredictError| CliError::from(e).within(&name);
    let sought = Sought {
        condition_key: args.condition_key.clone(),
        source: args.source.clone(),
        target: args.target.clone(),
        cell_type_key: Some(args.cell_type_key.clone()),
        batch_key: args.batch_key.clone(),
        apply_to: None,
        layer: args.layer.clone(),
        memory,
    };
    let cells = Cells::read(&dataset, &sought).map_err(at)?;
    cells.notes.iter().for_each(|n| console.say(&format!("{name}: {n}")));
    let study = cells.study(None, Vec::new());
    let genes = |seen: &[usize]| {
        choose(
            cells.values.view(),
            seen,
            args.n_top_genes,
            cells.of_counts,
            &Options { memory, ..Options::default() },
        )
    };
    let plan = Holdout { kinds: &kinds, resamples: args.resamples, seed: Seed(args.seed), genes: &genes };
    let rows = hold_out(&study, &plan, console).map_err(at)?;
    let object = envelope(
        "evaluate holdout",
        json!({
            "input": name,
            "settings": {
                "condition_key": args.condition_key, "source": args.source, "target": args.target,
                "cell_type_key": args.cell_type_key, "batch_key": args.batch_key, "layer": args.layer,
                "n_top_genes": args.n_top_genes, "resamples": args.resamples, "seed": args.seed,
            },
            "mean": means(&rows, &kinds),
            "rows": rows,
        }),
    );
    if let Some(path) = &args.output {
        write(path, &(object.to_string() + "\n"), args.force)?;
        console.say(&format!("wrote {}", path.display()));
    }
    if args.json {
        return print(&(object.to_string() + "\n"));
    }
    print(&table(&rows, &kinds))
}

/// The models that are named, in the order of the table of models.
fn kinds(names: &[String]) -> Result<Vec<&'static Kind>, CliError> {
    if names.iter().any(|n| n == "all") {
        return Ok(KINDS.iter().collect());
    }
    for name in names {
        if kind(name).is_none() {
            let known: Vec<&str> = KINDS.iter().map(|k| k.name).collect();
            let hint = crate::data::did_you_mean(name, known.iter().copied());
            return Err(CliError::usage(format!(
                "--models {name}: no model that predicts is called so{hint}; models: all, {}",
                known.join(", ")
            )));
        }
    }
    Ok(KINDS.iter().filter(|k| names.iter().any(|n| n == k.name)).collect())
}

/// Figures by name, in the order of the table.
fn figures(row: &Row) -> [(&'static str, f64); 9] {
    let s = &row.score;
    [
        ("r2_mean", s.all.r2_mean),
        ("r2_mean_top", s.top.r2_mean),
        ("r2_variance", s.all.r2_variance),
        ("r2_variance_top", s.top.r2_variance),
        ("change", s.all.change),
        ("half", row.change_half),
        ("energy", s.energy),
        ("e_distance", s.e_distance),
        ("signs_right", s.signs_right as f64),
    ]
}

fn of<'r>(rows: &'r [Row], kind: &'r Kind) -> impl Iterator<Item = &'r Row> + Clone {
    rows.iter().filter(|r| r.model == kind.name)
}

fn mean(v: impl Iterator<Item = f64> + Clone) -> f64 {
    v.clone().sum::<f64>() / v.count().max(1) as f64
}

/// Mean of each figure over the types.
fn means(rows: &[Row], kinds: &[&'static Kind]) -> Value {
    let one = |kind: &Kind| -> Value {
        let figure = |i: usize| mean(of(rows, kind).map(move |r| figures(r)[i].1));
        let names = of(rows, kind).next().map(|r| figures(r).map(|f| f.0)).into_iter().flatten();
        names
            .enumerate()
            .map(|(i, n)| (n.to_owned(), json!(figure(i))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    kinds.iter().map(|k| (k.name.to_owned(), one(k))).collect::<serde_json::Map<_, _>>().into()
}

/// The tables for people: means over types, then R² of means of each type.
fn table(rows: &[Row], kinds: &[&'static Kind]) -> String {
    let head = [
        "model", "R² mean", "top 100", "R² var", "top 100", "change", "half", "energy", "E-dist", "signs/50",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for kind in kinds {
        let mut line = vec![kind.name.to_owned()];
        for i in 0..9 {
            let decimals = if i == 8 { 1 } else { 4 };
            line.push(number(Some(mean(of(rows, kind).map(move |r| figures(r)[i].1))), decimals));
        }
        lines.push(line);
    }
    let firsts: Vec<&Halves> =
        kinds.first().map(|k| of(rows, k).filter_map(|r| r.halves.as_ref()).collect()).unwrap_or_default();
    if !firsts.is_empty() {
        let of = |f: fn(&Halves) -> f64| number(Some(mean(firsts.iter().map(|h| f(h)))), 4);
        let dash = || "–".to_owned();
        let half = |name: &str, m: String, v: String, c: String, e: String| {
            vec![name.to_owned(), m, dash(), v, dash(), c, dash(), e, dash(), dash()]
        };
        lines.push(half(
            "halves of real cells",
            of(|h| h.r2_mean),
            of(|h| h.r2_variance),
            of(|h| h.change),
            of(|h| h.energy),
        ));
        lines.push(half(
            "  corrected to all cells",
            of(|h| h.r2_mean_corrected),
            of(|h| h.r2_variance_corrected),
            of(|h| h.change_corrected),
            dash(),
        ));
    }
    let mut text = format!("Mean over the types that were held out:\n{}", align(&lines));
    let types: Vec<&str> =
        kinds.first().map(|k| of(rows, k).map(|r| r.cell_type.as_str()).collect()).unwrap_or_default();
    let mut lines =
        vec![std::iter::once("model").chain(types.iter().copied()).map(str::to_owned).collect::<Vec<_>>()];
    for kind in kinds {
        let cells = of(rows, kind).map(|r| number(Some(r.score.all.r2_mean), 4));
        lines.push(std::iter::once(kind.name.to_owned()).chain(cells).collect());
    }
    text.push_str(&format!("\nR² of means, type by type:\n{}", align(&lines)));
    text
}
