//! `scx concat`.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::concat::{ConcatArgs, panel};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, hash, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::concat::{self, ConcatError, Options, Piece};
use crate::data::Dataset;
use crate::io::{self, DEFAULT_MEMORY, Format};
use crate::progress::Progress;
use crate::provenance::Record;
use crate::sheet::Sheet;

/// Runs the verb.
pub(in crate::cli) fn run(args: &ConcatArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || concat(args, &console))
}

/// The files to put together, and what a sheet says of them.
struct Inputs {
    files: Vec<PathBuf>,
    sheet: Option<Sheet>,
}

impl Inputs {
    /// Those of the command line, or of the sheet.
    fn new(args: &ConcatArgs) -> Result<Self, CliError> {
        let sheet = args.sheet.as_deref().map(|path| Sheet::read(path, false)).transpose()?;
        let files = match &sheet {
            Some(sheet) => sheet.rows.iter().map(|r| r.file.clone()).collect(),
            None => args.inputs.clone(),
        };
        if files.len() < 2 {
            return Err(CliError::usage("give at least two files to put one below the other"));
        }
        Ok(Self { files, sheet })
    }

    /// Everything that is read: no output may be one of them.
    fn all<'a>(&'a self, args: &'a ConcatArgs) -> Vec<&'a PathBuf> {
        self.files.iter().chain(&args.sheet).collect()
    }

    /// Adds what the sheet says of file `i` to its cells.
    fn describe(&self, i: usize, dataset: &mut Dataset) -> Result<(), CliError> {
        let Some((sheet, row)) = self.sheet.as_ref().and_then(|s| Some((s, s.rows.get(i)?))) else {
            return Ok(());
        };
        for (name, column) in sheet.columns(row, dataset.n_obs()) {
            if dataset.obs.column(&name).is_some() {
                return Err(CliError::usage(format!(
                    "{}: obs has a column {name} already; give that column of {} another name",
                    row.file.display(),
                    sheet.path.display()
                )));
            }
            dataset.obs.set(&name, column);
        }
        Ok(())
    }
}

fn concat(args: &ConcatArgs, console: &Console) -> Result<(), CliError> {
    let inputs = Inputs::new(args)?;
    let way = Way::new("concat", &args.writing, &args.running, console);
    let target = way.target(&args.output, &inputs.all(args))?;
    let keep = args.kept_layers();
    let options = Options {
        join: args.join.map(Into::into).unwrap_or_default(),
        on_duplicate: args.on_duplicate.map(Into::into).unwrap_or_default(),
        // A sheet has a word of its own for batches: run.
        batch_key: args
            .batch_key
            .clone()
            .unwrap_or_else(|| if inputs.sheet.is_some() { "file" } else { "batch" }.into()),
        layers: (!keep.is_empty()).then_some(keep),
        continuous_time: args.continuous_time,
        memory: args.running.memory.unwrap_or(DEFAULT_MEMORY),
    };
    let pieces = open(args, &inputs, console)?;
    let shapes: Vec<_> = pieces.iter().map(|(_, p)| p.dataset.shape()).collect();
    let batches: Vec<String> = pieces.iter().map(|(_, p)| p.batch.clone()).collect();
    if args.join.is_none() {
        panel::check(&pieces)?;
    }
    let first = pieces.first().map(|(format, _)| *format);
    let joined = concat::concat(pieces.into_iter().map(|(_, p)| p).collect(), &options).map_err(error)?;
    let text = format!(
        "{} files: {} cells × {} variables\n",
        inputs.files.len(),
        thousands(joined.n_obs()),
        thousands(joined.n_vars())
    );
    let named = inputs.files.iter().zip(&batches);
    let object = json!({
        "inputs": named.map(|(p, b)| json!({"path": p.display().to_string(), "batch": b})).collect::<Vec<_>>(),
        "n_obs": joined.n_obs(),
        "n_vars": joined.n_vars(),
        "changes": joined.changes,
    });
    let record = if way.dry() {
        None
    } else {
        way.record(&record(&inputs.files, &options, &batches, &shapes, &joined)?)?
    };
    let output = way.output(joined, first, &target)?.with_record(record);
    let plans = way.commit(vec![output])?;
    way.tell(&plans, object, if way.dry() { &text } else { "" })
}

/// Opens all files; matrices stay on disk where a format can.
fn open(args: &ConcatArgs, inputs: &Inputs, console: &Console) -> Result<Vec<(Format, Piece)>, CliError> {
    let batches = batches(args, &inputs.files)?;
    let reading = reading(&args.reading, &args.running).towards(&args.output);
    console.start("opening", inputs.files.len() as u64);
    let mut pieces = Vec::new();
    for (i, (path, batch)) in inputs.files.iter().zip(batches).enumerate() {
        console.check()?;
        let codec = io::detect(path)?;
        let mut dataset = (codec.read)(path, &reading)?;
        inputs.describe(i, &mut dataset)?;
        pieces.push((codec.format, Piece { batch, file: path.display().to_string(), dataset }));
        console.advance(pieces.len() as u64, "");
    }
    console.finish();
    let formats: Vec<Format> = pieces.iter().map(|(format, _)| *format).collect();
    args.reading.warn_idle(&formats);
    Ok(pieces)
}

/// What the batch column calls each file: the names given, or those of the files, made unique.
fn batches(args: &ConcatArgs, files: &[PathBuf]) -> Result<Vec<String>, CliError> {
    let n = files.len();
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
    Ok(concat::batch_names(files))
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
    files: &[PathBuf],
    options: &Options,
    batches: &[String],
    shapes: &[(usize, usize)],
    joined: &Dataset,
) -> Result<Record, CliError> {
    let settings = json!({
        "join": options.join,
        "on_duplicate": options.on_duplicate,
        "batch_key": options.batch_key,
        "batch_names": batches,
        "layers": options.layers,
        "continuous_time": options.continuous_time,
    });
    let mut record = Record::new("concat", settings);
    for (path, &shape) in files.iter().zip(shapes) {
        record = record.hashed_input("input", path, shape, hash(path)?);
    }
    let (n_obs, n_vars) = joined.shape();
    Ok(record.result(json!({"n_obs": n_obs, "n_vars": n_vars, "changes": joined.changes})))
}
