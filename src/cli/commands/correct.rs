//! `scx correct`.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::json;

use crate::cli::args::CorrectArgs;
use crate::cli::config::{self, CorrectFile};
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::inputs::{self, Inputs};
use crate::cli::settings::{Cells, Job, resolve};
use crate::cli::{on_threads, page, print, show};
use crate::correct::{self, CorrectError, Fitted, Method, Plan, SampleScore, Verdict};
use crate::data::Patch;
use crate::io::{self, Additions, CODECS, WriteError};
use crate::progress::Progress;
use crate::provenance::Record;
use crate::rng::Seed;
use crate::zoo;

/// Name of the layer the result goes to.
const LAYER: &str = "scx_correct";

/// What a run of `correct` came to.
pub(in crate::cli) struct Outcome {
    /// What was read.
    pub inputs: Inputs,
    /// What was learnt.
    pub fitted: Fitted,
    /// One score a sample.
    pub scores: Vec<SampleScore>,
    /// What to think of it.
    pub verdict: Verdict,
}

/// Runs the verb.
pub(in crate::cli) fn run(args: CorrectArgs) -> Result<(), CliError> {
    let file = args.config.as_deref().map_or_else(|| Ok(CorrectFile::default()), config::read)?;
    let print_config = args.print_config;
    let quiet = args.quiet || file.quiet.unwrap_or(false);
    let settings = resolve(args, file);
    if print_config {
        return print(&settings.yaml()?);
    }
    let job = settings.check()?;
    let console = Console::new(quiet);
    let outcome = on_threads(job.threads, || execute(&job, &console))?;
    match outcome {
        None => Ok(()),
        Some(outcome) if job.json => print(&(show::json(&job, &outcome).to_string() + "\n")),
        Some(outcome) => print(&show::table(&job, &outcome)),
    }
}

/// Does the job and writes its files; nothing comes back from a dry run.
pub(in crate::cli) fn execute(job: &Job, console: &Console) -> Result<Option<Outcome>, CliError> {
    check_targets(job)?;
    let stored = job.model_dir.as_deref().map(Fitted::load).transpose()?;
    let inputs = inputs::load(job, stored.as_ref(), console)?;
    for ((_, _, file), out) in inputs.samples.iter().zip(job.outputs.iter().cycle()) {
        check_format(&inputs, *file, out)?;
    }
    if let Some(reference) = &inputs.reference {
        console.say(&format!("reference run: {reference} (its cells are copied unchanged)"));
    }
    for name in job.biaxial.iter().flatten() {
        let mut names = inputs.markers.iter().map(|m| m.name.as_str());
        if !names.any(|n| n.eq_ignore_ascii_case(name)) {
            let hint = correct::did_you_mean(name, inputs.markers.iter().map(|m| m.name.as_str()));
            return Err(CliError::usage(format!(
                "--biaxial: {name} is not one of the corrected markers{hint}"
            )));
        }
    }
    if job.dry_run {
        print(&show::plan(job, &inputs))?;
        return Ok(None);
    }
    let fitted = match stored {
        Some(fitted) => fitted,
        None => {
            let plan = Plan {
                preset: job.preset,
                hidden: job.hidden.clone(),
                train: job.train,
                seed: Seed(job.seed),
            };
            let markers = inputs.markers.clone();
            let mut fitted = correct::fit(&inputs.experiment, markers, job.transform, plan, console)?;
            fitted.reference.clone_from(&inputs.reference);
            fitted
        }
    };
    console.check()?;
    let mut scores = Vec::new();
    console.start("scoring", inputs.samples.len() as u64);
    for (run, sample, _) in &inputs.samples {
        console.advance(scores.len() as u64, &sample.name);
        let fit = run_fit(&fitted, run)?;
        let tables = &inputs.experiment.tables;
        scores.push(correct::score(&fitted, fit, inputs.run(run), sample, tables, job.method)?);
        console.check()?;
    }
    console.finish();
    let verdict = correct::verdict(job.method, &scores);
    let outcome = Outcome { inputs, fitted, scores, verdict };
    write_outputs(job, &outcome, console)?;
    Ok(Some(outcome))
}

fn run_fit<'a>(fitted: &'a Fitted, run: &str) -> Result<&'a correct::RunFit, CliError> {
    fitted.run(run).ok_or_else(|| CliError::usage(format!("nothing was learnt for run {run}")))
}

/// Refuses targets that cannot be written, before any work.
fn check_targets(job: &Job) -> Result<(), CliError> {
    let inputs: Vec<&PathBuf> = match &job.cells {
        Cells::Files { spikein, holdout, samples } => {
            spikein.iter().chain(holdout).flatten().chain(samples).collect()
        }
        Cells::Annotated { input, .. } => vec![input],
    };
    let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    for target in job.outputs.iter().chain(&job.report) {
        if let Some(input) = inputs.iter().find(|i| same(i, target)) {
            return Err(CliError::usage(format!(
                "{}: is an input ({}); the input is never changed, give another output",
                target.display(),
                input.display()
            )));
        }
        if !job.force && target.symlink_metadata().is_ok() {
            return Err(WriteError::Exists { path: target.clone() }.into());
        }
        let made = job.out_dir.as_deref().is_some_and(|d| target.parent() == Some(d));
        let folder = if made { job.out_dir.as_deref().and_then(Path::parent) } else { target.parent() };
        if let Some(folder) = folder.filter(|f| !f.as_os_str().is_empty() && !f.is_dir()) {
            return Err(WriteError::NoFolder { path: target.clone(), folder: folder.to_owned() }.into());
        }
    }
    for (i, a) in job.outputs.iter().enumerate() {
        if job.report.as_ref() == Some(a) || job.outputs[..i].contains(a) {
            return Err(CliError::usage(format!("{}: is written twice", a.display())));
        }
    }
    if let Some(dir) = &job.save_model {
        zoo::check_target(dir, job.force)?;
    }
    Ok(())
}

/// The output has the format of its input.
fn check_format(inputs: &Inputs, file: usize, out: &Path) -> Result<(), CliError> {
    let extension = out.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let format = inputs.files[file].format;
    match CODECS.iter().find(|c| c.extensions.contains(&extension.as_str())) {
        Some(c) if c.format != format => Err(CliError::usage(format!(
            "{}: the input is {}, so the output is {} too; give it such a name",
            out.display(),
            format.name(),
            format.name()
        ))),
        _ => Ok(()),
    }
}

fn write_outputs(job: &Job, outcome: &Outcome, console: &Console) -> Result<(), CliError> {
    let record = record(job, outcome)?;
    if let Some(dir) = job.out_dir.as_deref().filter(|d| !d.is_dir()) {
        std::fs::create_dir(dir).map_err(|e| WriteError::io(dir, e))?;
    }
    let inputs = &outcome.inputs;
    let by_file: Vec<usize> = match job.cells {
        Cells::Annotated { .. } => vec![0],
        Cells::Files { .. } => inputs.samples.iter().map(|s| s.2).collect(),
    };
    console.start("writing", job.outputs.len() as u64);
    for (done, (&file, out)) in by_file.iter().zip(&job.outputs).enumerate() {
        console.advance(done as u64, &out.display().to_string());
        console.check()?;
        let opened = &inputs.files[file];
        let additions = Additions {
            layer: LAYER.into(),
            base: opened.layer.clone(),
            patch: patch(job.method, outcome, file)?,
            into_x: job.into_x,
            record: record.clone(),
        };
        io::annotate(&opened.dataset, opened.format, &additions, out, job.force)?;
    }
    console.finish();
    for out in &job.outputs {
        console.say(&format!("wrote {}", out.display()));
    }
    if let Some(dir) = &job.save_model {
        outcome.fitted.save(dir, job.force)?;
        console.say(&format!("wrote {}", dir.display()));
    }
    if let Some(path) = &job.report {
        let html = crate::report::render(&page::build(job, outcome)?);
        io::replace(path, job.force, |tmp| std::fs::write(tmp, &html).map_err(|e| WriteError::io(tmp, e)))?;
        console.say(&format!("wrote {}", path.display()));
    }
    Ok(())
}

/// The new values of one file, on its stored scale. Markers nothing was learnt about keep their stored values.
fn patch(method: Method, outcome: &Outcome, file: usize) -> Result<Patch, CliError> {
    let Outcome { inputs, fitted, .. } = outcome;
    let name = inputs.files[file].name();
    let data = |source| CliError::from(CorrectError::Data { file: name.clone(), source });
    if method == Method::None {
        return Patch::new(Vec::new(), Vec::new(), Array2::zeros((0, 0))).map_err(data);
    }
    let samples: Vec<_> = inputs.samples.iter().filter(|s| s.2 == file).collect();
    let fits = samples.iter().map(|s| run_fit(fitted, &s.0)).collect::<Result<Vec<_>, _>>()?;
    // Markers in column order, without those no run learnt anything about.
    let columns = &inputs.files[file].columns;
    let mut order: Vec<usize> =
        (0..columns.len()).filter(|&j| fits.iter().any(|f| !f.untouched[j])).collect();
    order.sort_by_key(|&j| columns[j]);
    let mut rows: Vec<(usize, usize, usize)> = samples
        .iter()
        .enumerate()
        .flat_map(|(s, (_, sample, _))| {
            sample.cells.rows.iter().enumerate().map(move |(i, &row)| (row, s, i))
        })
        .collect();
    rows.sort_unstable();
    let mut at = vec![Vec::new(); samples.len()];
    for (position, &(_, s, _)) in rows.iter().enumerate() {
        at[s].push(position);
    }
    let mut values = Array2::zeros((rows.len(), order.len()));
    for ((sample, fit), at) in samples.iter().zip(&fits).zip(at) {
        let x = sample.1.cells.gather(&inputs.experiment.tables);
        let moved = fitted.apply(fit, method, x.view())?.values;
        for (row, position) in moved.rows().into_iter().zip(at) {
            for (to, &j) in values.row_mut(position).iter_mut().zip(&order) {
                *to = fitted.transform.inverse(f64::from(row[j])) as f32;
            }
        }
    }
    if let Some(((i, j), v)) = values.indexed_iter().find(|(_, v)| !v.is_finite()) {
        let marker = &inputs.markers[order[j]].name;
        return Err(CorrectError::Numerical {
            what: format!("{name}: cell {}, marker {marker}: the corrected value is {v}", rows[i].0),
        }
        .into());
    }
    let rows = rows.into_iter().map(|r| r.0).collect();
    Patch::new(rows, order.iter().map(|&j| columns[j]).collect(), values).map_err(data)
}

/// The record that goes into every file written.
fn record(job: &Job, outcome: &Outcome) -> Result<String, CliError> {
    let Outcome { inputs, fitted, scores, verdict } = outcome;
    let design = match &job.cells {
        Cells::Files { .. } => json!(null),
        Cells::Annotated { batch_key, spikein, holdout, .. } => {
            json!({"batch_key": batch_key, "spikein": spikein, "holdout": holdout, "reference": inputs.reference})
        }
    };
    let record = Record {
        scx: env!("CARGO_PKG_VERSION").into(),
        verb: "correct".into(),
        settings: json!({
            "method": job.method,
            "preset": fitted.plan.preset,
            "recipe": [fitted.transform],
            "markers": inputs.markers.iter().map(|m| &m.name).collect::<Vec<_>>(),
            "train": fitted.plan.train,
            "hidden": fitted.plan.hidden,
            "seed": fitted.plan.seed,
            "layer": job.layer,
            "into_x": job.into_x,
            "stored_edit": job.model_dir.is_some(),
            "design": design,
        }),
        inputs: inputs.files.iter().map(inputs::Opened::record).collect::<Result<_, _>>()?,
        result: json!({"scores": show::scores(scores), "verdict": verdict}),
    };
    serde_json::to_string(&record).map_err(|e| CliError::input(format!("the record cannot be written: {e}")))
}
