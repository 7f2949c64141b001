//! `scx convert`.

use std::collections::BTreeSet;

use serde_json::json;

use crate::cli::convert::ConvertArgs;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::io;
use crate::provenance::Record;

/// Runs the verb.
pub(in crate::cli) fn run(args: &ConvertArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || convert(args, &console))
}

fn convert(args: &ConvertArgs, console: &Console) -> Result<(), CliError> {
    let way = Way::new("convert", &args.writing, &args.running, console);
    let target = way.target(&args.output, &[&args.input])?;
    let (x, layers) = args.matrices()?;
    let layers = pairs(&layers)?;
    let from = match args.from {
        Some(format) => io::codec(format),
        None => io::detect(&args.input)?,
    };
    args.reading.warn_idle(&[from.format]);
    let mut dataset = (from.read)(&args.input, &reading(&args.reading, &args.running).towards(&args.output))?;
    dataset
        .arrange(x.as_deref(), &layers)
        .map_err(|e| CliError::arranged(&e).within(&args.input.display().to_string()))?;
    let settings = json!({
        "from": from.format.name(), "to": target.format.name(), "x": x, "layers": args.add_layers,
    });
    let record = Record::new("convert", settings).input("input", &args.input, dataset.shape());
    let output = way.output(dataset, Some(from.format), &target)?.with_record(way.record(&record)?);
    let plans = way.commit(vec![output])?;
    let from = json!({"path": args.input.display().to_string(), "format": from.format.name()});
    way.tell(&plans, json!({"from": from}), "")
}

/// `NAME=SOURCE` pairs.
fn pairs(asked: &[String]) -> Result<Vec<(String, String)>, CliError> {
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
