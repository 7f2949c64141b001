//! `scx convert`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::cli::convert::ConvertArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::{estimate, losses, targets};
use crate::data::Dataset;
use crate::io::loss::LossReport;
use crate::io::{self, Codec, Format, WriteOptions};
use crate::provenance::{self, Record};

/// Runs the verb.
pub(in crate::cli) fn run(args: &ConvertArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || convert(args, &console))
}

fn convert(args: &ConvertArgs, console: &Console) -> Result<(), CliError> {
    let to = targets::format(&args.output, args.to.map(Format::from))?;
    let folder = io::folder_of(to, &args.output).is_some();
    targets::check(&args.output, &[&args.input], args.writing.force, folder)?;
    args.writing.warn_idle(to);
    let from = match args.from {
        Some(format) => io::codec(format.into()),
        None => io::detect(&args.input)?,
    };
    let options = WriteOptions { table_folder: folder, ..args.writing.options(console) };
    let mut dataset = (from.read)(&args.input, &args.reading.options(args.writing.memory))?;
    dataset
        .arrange(args.x.as_deref(), &layers(&args.layers)?)
        .map_err(|e| CliError::usage(format!("{}: {e}", args.input.display())))?;
    let report = LossReport::new(&dataset, to, &options);
    if args.running.dry_run {
        (io::codec(to).holds)(&dataset, &args.output, &options)?;
        let plan = estimate::of(&args.input, &dataset, from.format, to, &options);
        return tell(args, from, to, &report, Some(&plan), console);
    }
    io::keep_keywords(&mut dataset, to);
    if !args.no_provenance {
        let record = record(args, &dataset, from.format, to)?;
        provenance::append(&mut dataset.uns, &record);
    }
    io::save(&dataset, to, &args.output, args.writing.force, &options)?;
    tell(args, from, to, &report, None, console)
}

/// `NAME=SOURCE` pairs.
fn layers(asked: &[String]) -> Result<Vec<(String, String)>, CliError> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, source)) if !name.is_empty() && !source.is_empty() => {
            Ok((name.to_owned(), source.to_owned()))
        }
        _ => Err(CliError::usage(format!("--add-layer {text}: expected NAME=SOURCE, as counts=raw"))),
    };
    let pairs = asked.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    match pairs.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(CliError::usage(format!("--add-layer {name}=…: given more than once"))),
        None => Ok(pairs),
    }
}

/// Says what became of each element, or would.
fn tell(
    args: &ConvertArgs,
    from: &Codec,
    to: Format,
    report: &LossReport,
    plan: Option<&estimate::Plan>,
    console: &Console,
) -> Result<(), CliError> {
    let lost = report.lost().count();
    if args.running.json {
        let object = json!({
            "schema_version": 1,
            "verb": "convert",
            "from": {"path": args.input.display().to_string(), "format": from.format.name()},
            "to": {"path": args.output.display().to_string(), "format": to.name()},
            "dry_run": args.running.dry_run,
            "elements": report.rows,
            "lost": lost,
            "estimate": plan,
        });
        print(&(object.to_string() + "\n"))?;
    } else if let Some(plan) = plan {
        print(&losses::table(report, &[]))?;
        print(&plan.words())?;
    } else {
        losses::say(report, &[], console);
        console.say(&format!("wrote {}", args.output.display()));
    }
    if args.strict && lost > 0 {
        let verb = if args.running.dry_run { "would be" } else { "were" };
        let what = format!("{}: {lost} elements {verb} lost or changed (--strict)", args.output.display());
        return Err(CliError::findings(what));
    }
    Ok(())
}

/// The record of a conversion. Its input is not hashed: reading every byte once more can take longer than converting.
fn record(args: &ConvertArgs, dataset: &Dataset, from: Format, to: Format) -> Result<String, CliError> {
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let record = Record {
        scx: env!("CARGO_PKG_VERSION").into(),
        verb: "convert".into(),
        settings: json!({"from": from.name(), "to": to.name(), "x": args.x, "layers": args.layers}),
        inputs: vec![provenance::Input {
            role: "input".into(),
            name: name(&args.input),
            n_obs: dataset.n_obs(),
            n_vars: dataset.n_vars(),
            sha256: String::new(),
        }],
        result: json!(null),
    };
    serde_json::to_string(&record).map_err(|e| CliError::input(format!("the record cannot be written: {e}")))
}
