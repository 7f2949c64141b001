//! `scx split`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::cli::kit::targets;
use crate::cli::split::SplitArgs;
use crate::data::{Dataset, Take};
use crate::io::{self, Format, WriteError, WriteOptions};
use crate::provenance::{self, Record};
use crate::recipe::{Split, balanced};
use crate::rng::Seed;

/// One file to write.
struct Part<'a> {
    role: &'static str,
    path: &'a PathBuf,
    format: Format,
    cells: Vec<usize>,
}

/// Runs the verb.
pub(in crate::cli) fn run(args: &SplitArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &SplitArgs, console: &Console) -> Result<(), CliError> {
    let paths: Vec<(&str, &PathBuf)> = [("train", &args.train), ("test", &args.test)]
        .into_iter()
        .chain(args.valid.as_ref().map(|p| ("valid", p)))
        .collect();
    let mut formats = Vec::new();
    for (i, (_, path)) in paths.iter().enumerate() {
        let format = targets::format(path, None)?;
        if io::folder_of(format, path).is_some() {
            return Err(CliError::usage(format!(
                "{}: a folder of files cannot be one of several parts; write h5ad and convert it",
                path.display()
            )));
        }
        targets::check(path, &[&args.input], args.writing.force, false)?;
        if let Some((_, twin)) = paths[..i].iter().find(|(_, p)| targets::same(p, path)) {
            return Err(CliError::usage(format!(
                "{}: would be written twice; give another name",
                twin.display()
            )));
        }
        formats.push(format);
    }
    let from = io::detect(&args.input)?;
    let dataset = (from.read)(&args.input, &args.reading.options(args.writing.memory))?;
    let (split, missing) = divide(args, &dataset)?;
    let Split { train, test, valid } = split;
    let parts: Vec<Part> = paths
        .into_iter()
        .zip(formats)
        .zip([train, test, valid])
        .map(|(((role, path), format), cells)| Part { role, path, format, cells })
        .collect();
    if missing > 0 {
        console.say(&format!(
            "{} cells have no {}; they go to {}",
            thousands(missing),
            args.by,
            args.train.display()
        ));
    }
    if !args.running.dry_run {
        let sets = parts.iter().map(|p| select(args, &dataset, p)).collect::<Result<Vec<_>, _>>()?;
        let options = args.writing.options(console);
        let all: Vec<(&Part, &Dataset)> = parts.iter().zip(&sets).collect();
        save_all(&all, args.writing.force, &options)?;
    }
    tell(args, &dataset, &parts, console)
}

/// The cells of each part, and how many have no group.
fn divide(args: &SplitArgs, dataset: &Dataset) -> Result<(Split, usize), CliError> {
    let Some(column) = dataset.obs.column(&args.by) else {
        let names: Vec<&str> = dataset.obs.columns.iter().map(|(n, _)| n.as_str()).collect();
        let hint = crate::correct::did_you_mean(&args.by, names.iter().copied());
        let there = if names.is_empty() {
            "obs has no columns".into()
        } else {
            format!("obs has {}", names.join(", "))
        };
        return Err(CliError::usage(format!(
            "{}: no column {}{hint} in obs ({there})",
            args.input.display(),
            args.by
        )));
    };
    let (groups, labels) = column
        .groups()
        .map_err(|e| CliError::input(format!("{}: obs[{:?}]: {e}", args.input.display(), args.by)))?;
    let valid = args.valid_fraction.unwrap_or(0.0);
    let split = balanced(&groups, &labels, args.test_fraction, valid, Seed(args.seed))?;
    for (role, part) in [("--test-fraction", &split.test), ("--valid-fraction", &split.valid)] {
        if part.is_empty() && (role == "--test-fraction" || args.valid.is_some()) {
            return Err(CliError::usage(format!(
                "{role}: no group of {} is large enough to give a cell; take a larger share",
                args.by
            )));
        }
    }
    Ok((split, groups.iter().filter(|g| g.is_none()).count()))
}

/// The cells of one part, with a record of the split.
fn select(args: &SplitArgs, dataset: &Dataset, part: &Part) -> Result<Dataset, CliError> {
    let read = |e: crate::data::DataError| CliError::input(format!("{}: {e}", args.input.display()));
    let take = Take::entries(dataset.n_obs(), &part.cells).map_err(read)?;
    let mut set = dataset.select(&take, &Take::all(dataset.n_vars())).map_err(read)?;
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let record = Record {
        scx: env!("CARGO_PKG_VERSION").into(),
        verb: "split".into(),
        settings: json!({
            "by": args.by, "test_fraction": args.test_fraction, "valid_fraction": args.valid_fraction,
            "seed": args.seed,
        }),
        inputs: vec![provenance::Input {
            role: "input".into(),
            name: name(&args.input),
            n_obs: dataset.n_obs(),
            n_vars: dataset.n_vars(),
            sha256: String::new(),
        }],
        result: json!({"part": part.role, "n_obs": part.cells.len()}),
    };
    let record = serde_json::to_string(&record)
        .map_err(|e| CliError::input(format!("the record cannot be written: {e}")))?;
    provenance::append(&mut set.uns, &record);
    Ok(set)
}

/// Writes all parts, or none: each takes its place only when those after it are finished.
fn save_all(parts: &[(&Part, &Dataset)], force: bool, options: &WriteOptions) -> Result<(), WriteError> {
    let Some(((part, set), rest)) = parts.split_first() else { return Ok(()) };
    io::replace(part.path, force, |tmp| {
        (io::codec(part.format).write)(set, tmp, options)?;
        save_all(rest, force, options)
    })
}

/// Says how large the parts are.
fn tell(args: &SplitArgs, dataset: &Dataset, parts: &[Part], console: &Console) -> Result<(), CliError> {
    if args.running.json {
        let sizes: serde_json::Map<_, _> = parts
            .iter()
            .map(|p| {
                (p.role.to_owned(), json!({"path": p.path.display().to_string(), "n_obs": p.cells.len()}))
            })
            .collect();
        let object = json!({
            "schema_version": 1, "verb": "split", "dry_run": args.running.dry_run, "by": args.by, "seed": args.seed,
            "n_obs": dataset.n_obs(), "parts": sizes,
        });
        return print(&(object.to_string() + "\n"));
    }
    let mut text = if args.running.dry_run { "dry run, nothing is written:\n" } else { "" }.to_owned();
    for part in parts {
        let share = 100.0 * part.cells.len() as f64 / dataset.n_obs().max(1) as f64;
        let verb = if args.running.dry_run { "write" } else { "wrote" };
        let line =
            format!("{verb} {}: {} cells ({share:.1} %)", part.path.display(), thousands(part.cells.len()));
        if args.running.dry_run {
            text.push_str(&format!("  {line}\n"));
        } else {
            console.say(&line);
        }
    }
    print(&text)
}
