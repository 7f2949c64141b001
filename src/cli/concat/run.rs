//! `scx concat`.

use std::collections::HashSet;
use std::path::Path;

use serde_json::json;

use crate::cli::concat::{ConcatArgs, panel};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::process::{on_threads, print};
use crate::cli::kit::show::thousands;
use crate::cli::kit::{losses, targets};
use crate::concat::{self, ConcatError, Options, Piece};
use crate::data::Dataset;
use crate::io::loss::LossReport;
use crate::io::{self, Format, WriteOptions};
use crate::progress::Progress;
use crate::provenance::{self, Input, Record};

/// Runs the verb.
pub(in crate::cli) fn run(args: &ConcatArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || concat(args, &console))
}

fn concat(args: &ConcatArgs, console: &Console) -> Result<(), CliError> {
    if args.inputs.len() < 2 {
        return Err(CliError::usage("give at least two files to put one below the other"));
    }
    let to = targets::format(&args.output, None)?;
    let inputs: Vec<_> = args.inputs.iter().collect();
    let folder = io::folder_of(to, &args.output).is_some();
    if !args.running.dry_run {
        targets::check(&args.output, &inputs, args.writing.force, folder)?;
    }
    let writing = WriteOptions { table_folder: folder, ..args.writing.options(console) };
    let options = Options {
        join: args.join.map(Into::into).unwrap_or_default(),
        on_duplicate: args.on_duplicate.map(Into::into).unwrap_or_default(),
        batch_key: args.batch_key.clone().unwrap_or_else(|| "batch".into()),
        layers: (!args.layers.is_empty()).then(|| args.layers.clone()),
        memory: writing.memory,
    };
    let pieces = open(args, console)?;
    let sources = pieces.iter().map(|(_, p)| (p.dataset.n_obs(), p.dataset.n_vars())).collect::<Vec<_>>();
    let batches: Vec<String> = pieces.iter().map(|(_, p)| p.batch.clone()).collect();
    if args.join.is_none() {
        panel::check(&pieces)?;
    }
    let mut joined = concat::concat(pieces.into_iter().map(|(_, p)| p).collect(), &options).map_err(error)?;
    let report = LossReport::new(&joined, to, &writing);
    if !args.running.dry_run {
        let record = record(args, &options, &batches, &sources, &joined)?;
        provenance::append(&mut joined.uns, &record);
        console.check()?;
        io::save(&joined, to, &args.output, args.writing.force, &writing)?;
    }
    tell(args, to, &batches, &joined, &report, console)
}

/// Opens all files; matrices stay on disk where a format can.
fn open(args: &ConcatArgs, console: &Console) -> Result<Vec<(Format, Piece)>, CliError> {
    let batches = batches(args)?;
    let reading = args.reading.options(args.writing.memory);
    console.start("opening", args.inputs.len() as u64);
    let mut pieces = Vec::new();
    for (path, batch) in args.inputs.iter().zip(batches) {
        console.check()?;
        let codec = io::detect(path)?;
        let dataset = (codec.read)(path, &reading)?;
        pieces.push((codec.format, Piece { batch, file: path.display().to_string(), dataset }));
        console.advance(pieces.len() as u64, "");
    }
    console.finish();
    Ok(pieces)
}

/// What the batch column calls each file: the names given, or those of the files, made unique.
fn batches(args: &ConcatArgs) -> Result<Vec<String>, CliError> {
    let n = args.inputs.len();
    if !args.batch_names.is_empty() {
        if args.batch_names.len() != n {
            let what = format!("--batch-names: {} names for {n} files", args.batch_names.len());
            return Err(CliError::usage(what));
        }
        let mut seen = HashSet::new();
        if let Some(name) = args.batch_names.iter().find(|b| !seen.insert(*b)) {
            return Err(CliError::usage(format!("--batch-names: {name} comes twice")));
        }
        return Ok(args.batch_names.clone());
    }
    let mut names = Vec::<String>::new();
    for path in &args.inputs {
        let stem = stem(path);
        let made = (1u64..).map(|k| if k == 1 { stem.clone() } else { format!("{stem}_{k}") });
        names.extend(made.into_iter().find(|name| !names.contains(name)));
    }
    Ok(names)
}

/// The name of a file without folders and endings; of `run1/outs/filtered_feature_bc_matrix.h5` it is the same for all
/// runs, and [`batches`] numbers them.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn error(e: ConcatError) -> CliError {
    match e {
        ConcatError::Usage { what } => CliError::usage(what),
        ConcatError::CannotHold { what } => CliError::resource(what),
        ConcatError::Data { file, source } => {
            let mut text = format!("{file}: {source}");
            let mut cause = std::error::Error::source(&source);
            while let Some(e) = cause {
                text = format!("{text}: {e}");
                cause = e.source();
            }
            CliError::input(text)
        }
    }
}

fn record(
    args: &ConcatArgs,
    options: &Options,
    batches: &[String],
    sources: &[(usize, usize)],
    joined: &Dataset,
) -> Result<String, CliError> {
    let mut inputs = Vec::new();
    for (path, &(n_obs, n_vars)) in args.inputs.iter().zip(sources) {
        // A folder has no bytes of its own.
        let sha256 = if path.is_file() {
            provenance::sha256(path)
                .map_err(|e| CliError::input(format!("{}: cannot read: {e}", path.display())))?
        } else {
            String::new()
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        inputs.push(Input { role: "input".into(), name, n_obs, n_vars, sha256 });
    }
    let record = Record {
        scx: env!("CARGO_PKG_VERSION").into(),
        verb: "concat".into(),
        settings: json!({
            "join": options.join,
            "on_duplicate": options.on_duplicate,
            "batch_key": options.batch_key,
            "batch_names": batches,
            "layers": options.layers,
        }),
        inputs,
        result: json!({
            "n_obs": joined.n_obs(),
            "n_vars": joined.n_vars(),
            "changes": joined.changes,
        }),
    };
    serde_json::to_string(&record).map_err(|e| CliError::input(format!("the record cannot be written: {e}")))
}

/// Says what became of each element, or would.
fn tell(
    args: &ConcatArgs,
    to: Format,
    batches: &[String],
    joined: &Dataset,
    report: &LossReport,
    console: &Console,
) -> Result<(), CliError> {
    let dataset = joined;
    if args.running.json {
        let object = json!({
            "schema_version": 1,
            "verb": "concat",
            "inputs": args.inputs.iter().zip(batches)
                .map(|(p, b)| json!({"path": p.display().to_string(), "batch": b})).collect::<Vec<_>>(),
            "to": {"path": args.output.display().to_string(), "format": to.name()},
            "dry_run": args.running.dry_run,
            "n_obs": dataset.n_obs(),
            "n_vars": dataset.n_vars(),
            "changes": dataset.changes,
            "elements": report.rows,
        });
        return print(&(object.to_string() + "\n"));
    }
    let size = format!("{} cells × {} variables", thousands(dataset.n_obs()), thousands(dataset.n_vars()));
    if args.running.dry_run {
        print(&losses::table(report, &[]))?;
        return print(&format!("{} files would become {size}\n", args.inputs.len()));
    }
    losses::say(report, &[], console);
    console.say(&format!("wrote {}: {} files, {size}", args.output.display(), args.inputs.len()));
    Ok(())
}
