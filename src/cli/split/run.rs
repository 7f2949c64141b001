//! `scx split`.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::cli::split::SplitArgs;
use crate::data::{Dataset, Take};
use crate::provenance::Record;
use crate::recipe::{Split, balanced, groups_by};
use crate::rng::Seed;

/// Runs the verb.
pub(in crate::cli) fn run(args: &SplitArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &SplitArgs, console: &Console) -> Result<(), CliError> {
    let way = Way::new("split", &args.writing, &args.running, console);
    let parts: Vec<(&str, &PathBuf)> = [("train", &args.train), ("test", &args.test)]
        .into_iter()
        .chain(args.valid.as_ref().map(|p| ("valid", p)))
        .collect();
    let paths: Vec<&PathBuf> = parts.iter().map(|(_, path)| *path).collect();
    let targets = way.targets(&paths, &[&args.input])?;
    let (from, dataset) = args.reading.open(&args.input, &reading(&args.reading, &args.running))?;
    let (Split { train, test, valid }, missing) = divide(args, &dataset)?;
    if missing > 0 {
        console.say(&format!(
            "{} cells have no {}; they go to {}",
            thousands(missing),
            args.by,
            args.train.display()
        ));
    }
    let (mut outputs, mut sizes, mut text) = (Vec::new(), serde_json::Map::new(), String::new());
    for (((role, path), target), cells) in parts.into_iter().zip(&targets).zip([train, test, valid]) {
        let set = select(args, &dataset, &cells)?;
        let record = record(args, &dataset).result(json!({"part": role, "n_obs": cells.len()}));
        outputs.push(way.output(set, Some(from.format), target)?.with_record(way.record(&record)?));
        sizes.insert(role.into(), json!({"path": path.display().to_string(), "n_obs": cells.len()}));
        let share = 100.0 * cells.len() as f64 / dataset.n_obs().max(1) as f64;
        text += &format!("{role}: {} cells ({share:.1} %)\n", thousands(cells.len()));
    }
    let plans = way.commit(outputs)?;
    let object = json!({
        "by": args.by, "seed": args.seed, "n_obs": dataset.n_obs(), "parts": Value::Object(sizes),
    });
    way.tell(&plans, object, &text)
}

/// The cells of each part, and how many have no group.
fn divide(args: &SplitArgs, dataset: &Dataset) -> Result<(Split, usize), CliError> {
    let groups = groups_by(dataset, &args.by)
        .map_err(|e| CliError::from(e).within(&args.input.display().to_string()))?;
    let valid = args.valid_fraction.unwrap_or(0.0);
    let split = balanced(&groups.of, &groups.names, args.test_fraction, valid, Seed(args.seed))?;
    for (role, part) in [("--test-fraction", &split.test), ("--valid-fraction", &split.valid)] {
        if part.is_empty() && (role == "--test-fraction" || args.valid.is_some()) {
            return Err(CliError::usage(format!(
                "{role}: no group of {} is large enough to give a cell; take a larger share",
                args.by
            )));
        }
    }
    Ok((split, groups.missing))
}

/// The cells of one part.
fn select(args: &SplitArgs, dataset: &Dataset, cells: &[usize]) -> Result<Dataset, CliError> {
    let read = |e: crate::data::DataError| CliError::input(format!("{}: {e}", args.input.display()));
    let take = Take::entries(dataset.n_obs(), cells).map_err(read)?;
    dataset.select(&take, &Take::all(dataset.n_vars())).map_err(read)
}

fn record(args: &SplitArgs, dataset: &Dataset) -> Record {
    let settings = json!({
        "by": args.by, "test_fraction": args.test_fraction, "valid_fraction": args.valid_fraction,
        "seed": args.seed,
    });
    Record::new("split", settings).input("input", &args.input, dataset.shape())
}
