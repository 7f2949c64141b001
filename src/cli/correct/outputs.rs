//! Where the result of `correct` goes: targets checked before any work, files written at its end.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::json;

use crate::cli::correct::how::How;
use crate::cli::correct::inputs::{Inputs, Opened};
use crate::cli::correct::outcome::{self, Outcome};
use crate::cli::correct::settings::{Cells, Job};
use crate::cli::correct::{page, show};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, hash};
use crate::cli::kit::targets::{self, check_folder, plain, same};
use crate::correct::{CorrectError, Method};
use crate::data::{DataError, Patch};
use crate::io::{self, Additions, Format, NewValues, Output, OutputPlan, Table, Target, WriteError};
use crate::loader;
use crate::progress::Progress;
use crate::provenance::Record;
use crate::recipe::Transform;
use crate::zoo;

/// Refuses targets that cannot be written, before any work.
pub(in crate::cli) fn check_targets(job: &Job) -> Result<(), CliError> {
    let mut inputs: Vec<&PathBuf> = match &job.cells {
        Cells::Files { spikein, holdout, samples } => {
            spikein.iter().chain(holdout).flatten().chain(samples).collect()
        }
        Cells::Annotated { input, .. } => vec![input],
    };
    inputs.extend(job.config.iter().chain(&job.panel));
    let written: Vec<&PathBuf> = match &job.cells {
        Cells::Files { samples, .. } => samples.iter().collect(),
        Cells::Annotated { input, .. } => vec![input],
    };
    let folders = written.iter().zip(&job.outputs).map(|(input, out)| {
        // What cannot be opened is refused later, with its own words.
        let own = || io::detect(input).ok().map(|c| c.format);
        let format = format(&job.how, input, out, own)?;
        Ok(format.is_some_and(|f| io::folder_of(f, out).is_some()))
    });
    let folders: Vec<Result<bool, CliError>> = folders.collect();
    let targets: Vec<&PathBuf> = job.outputs.iter().chain(&job.report).collect();
    for (i, target) in targets.iter().enumerate() {
        let folder = matches!(folders.get(i), Some(Ok(true)));
        if let Some(input) = inputs.iter().find(|i| same(i, target)) {
            return Err(CliError::usage(format!(
                "{}: is an input ({}); the input is never changed, give another output",
                target.display(),
                input.display()
            )));
        }
        if targets[..i].iter().chain(&job.save_model.iter().collect::<Vec<_>>()).any(|t| same(t, target)) {
            return Err(CliError::usage(format!(
                "{}: would be written twice; give another name",
                target.display()
            )));
        }
        if target.is_dir() && !folder {
            return Err(CliError::usage(format!(
                "{}: is a folder, expected the name of a file",
                target.display()
            )));
        }
        // Through links: what a link points to would be replaced.
        if target.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) || (folder && target.is_file()) {
            return Err(WriteError::NotPlain { path: (*target).clone() }.into());
        }
        for (dir, option) in [(&job.save_model, "--save-model"), (&job.model_dir, "--model-dir")] {
            let parent = plain(target).parent().map(Path::to_owned);
            if let (Some(dir), Some(parent)) = (dir, parent)
                && same(dir, &parent)
            {
                return Err(CliError::usage(format!(
                    "{}: lies in the model's folder ({option} {}); give another name",
                    target.display(),
                    dir.display()
                )));
            }
        }
        if !job.writing.force && target.symlink_metadata().is_ok() {
            return Err(WriteError::Exists { path: (*target).clone() }.into());
        }
        let made = job.out_dir.as_deref().filter(|d| target.parent() == Some(d));
        check_folder(target, made.unwrap_or(target))?;
    }
    // A name that is wrong in another way was refused for that.
    folders.into_iter().collect::<Result<Vec<bool>, CliError>>()?;
    if let Some(dir) = &job.save_model {
        if job.out_dir.as_deref().is_some_and(|out| same(out, dir)) {
            return Err(CliError::usage(format!(
                "{}: is where the samples go; give another folder for --save-model",
                dir.display()
            )));
        }
        zoo::check_target(dir, job.writing.force)?;
        check_folder(dir, dir)?;
    }
    Ok(())
}

/// The format of a target: the one asked for, else by its name, else that of its input.
///
/// # Errors
/// [`CliError`] when the name says a format scx does not write.
pub(in crate::cli) fn format(
    how: &How,
    input: &Path,
    out: &Path,
    own: impl Fn() -> Option<Format>,
) -> Result<Option<Format>, CliError> {
    if let Some(format) = how.writing.to.or_else(|| Format::for_target(out)) {
        return Ok(Some(format));
    }
    let ending = |p: &Path| p.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let foreign = !ending(out).is_empty() && ending(out) != ending(input);
    // Says which endings there are.
    if foreign { targets::format(out, None).map(Some) } else { Ok(own()) }
}

/// Name of the layer the result goes to.
const LAYER: &str = crate::correct::RESULT_LAYER;

/// How the samples are written: a single table is that of the values, for there the result is.
pub(in crate::cli) fn way<'a>(job: &'a Job, console: &'a Console) -> Way<'a> {
    Way::new("correct", &job.writing, &job.running, console).with_table(Table::X)
}

/// What writing would do.
pub(in crate::cli) fn plan(
    job: &Job,
    inputs: &Inputs,
    console: &Console,
) -> Result<Vec<OutputPlan>, CliError> {
    let way = way(job, console);
    let outputs = files(job, inputs).into_iter().zip(&job.outputs).map(|(file, out)| {
        let nothing = Patch::new(Vec::new(), Vec::new(), Array2::zeros((0, 0)));
        let opened = &inputs.files[file];
        output(job, &way, opened, out, nothing.map_err(|e| at(opened, e))?)
    });
    way.commit(outputs.collect::<Result<_, _>>()?)
}

/// One corrected file on its way to its target.
fn output<'a>(
    job: &'a Job,
    way: &Way<'a>,
    opened: &Opened,
    out: &Path,
    patch: Patch,
) -> Result<Output<'a>, CliError> {
    let format = format(&job.how, &opened.path, out, || Some(opened.format))?.unwrap_or(opened.format);
    let target = Target { path: out.to_owned(), format, force: job.writing.force };
    job.writing.refuse_idle(format)?;
    job.writing.warn_idle(format);
    let base = opened.layer.clone();
    let result = NewValues { layer: LAYER.into(), base, patch, into_x: job.into_x };
    let anew = opened.original.is_some();
    let additions = Additions { result: Some(result), anew, ..Additions::default() };
    way.adding(opened.kept(&target), opened.format, additions, &target)
}

pub(in crate::cli) fn write_outputs(
    job: &Job,
    outcome: &Outcome,
    console: &Console,
) -> Result<Vec<OutputPlan>, CliError> {
    let made = job.out_dir.as_deref().filter(|d| !d.is_dir());
    if let Some(dir) = made {
        std::fs::create_dir(dir).map_err(|e| WriteError::io(dir, e))?;
    }
    let written = write_samples(job, outcome, console);
    if let (Err(_), Some(dir)) = (&written, made) {
        // A folder made for nothing goes again; one that holds a finished sample stays.
        let _ = std::fs::remove_dir(dir);
    }
    let plans = written?;
    if let Some(dir) = &job.save_model {
        outcome.fitted.save(dir, job.writing.force)?;
        console.say(&format!("wrote {}", dir.display()));
    }
    if let Some(path) = &job.report {
        let html = crate::report::render(&page::build(job, outcome)?);
        let force = job.writing.force;
        io::replace(path, force, |tmp| std::fs::write(tmp, &html).map_err(|e| WriteError::io(tmp, e)))?;
        console.say(&format!("wrote {}", path.display()));
    }
    Ok(plans)
}

fn write_samples(job: &Job, outcome: &Outcome, console: &Console) -> Result<Vec<OutputPlan>, CliError> {
    let way = way(job, console);
    let record = way.record(&record(job, outcome)?)?;
    let mut plans = Vec::new();
    console.start("writing", job.outputs.len() as u64);
    for (&file, out) in files(job, &outcome.inputs).iter().zip(&job.outputs) {
        console.advance(plans.len() as u64, &out.display().to_string());
        let patch = patch(job.method, outcome, file)?;
        let output = output(job, &way, &outcome.inputs.files[file], out, patch)?;
        plans.extend(way.commit(vec![output.with_record(record.clone())])?);
    }
    console.finish();
    Ok(plans)
}

/// The file each output belongs to.
pub(in crate::cli) fn files(job: &Job, inputs: &Inputs) -> Vec<usize> {
    match job.cells {
        Cells::Annotated { .. } => vec![0],
        Cells::Files { .. } => inputs.samples.iter().map(|s| s.2).collect(),
    }
}

fn at(opened: &Opened, source: DataError) -> CliError {
    CorrectError::Data { file: opened.name(), source }.into()
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
    let fits = samples.iter().map(|s| outcome::run_fit(fitted, &s.0)).collect::<Result<Vec<_>, _>>()?;
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
    let scale: Vec<Transform> = inputs.markers.iter().map(|m| fitted.scale.of(&m.name)).collect();
    let mut values = Array2::zeros((rows.len(), order.len()));
    for ((sample, fit), at) in samples.iter().zip(&fits).zip(at) {
        let x = sample.1.cells.gather(&inputs.experiment.tables);
        let mut moved = fitted.apply(fit, method, x.view())?.values;
        drop(x);
        loader::undo(&mut moved, &scale);
        for (row, position) in moved.rows().into_iter().zip(at) {
            for (to, &j) in values.row_mut(position).iter_mut().zip(&order) {
                *to = row[j];
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
fn record(job: &Job, outcome: &Outcome) -> Result<Record, CliError> {
    let Outcome { inputs, fitted, scores, verdict } = outcome;
    let design = match &job.cells {
        Cells::Files { .. } => json!(null),
        Cells::Annotated { batch_key, spikein, holdout, .. } => {
            json!({"batch_key": batch_key, "spikein": spikein, "holdout": holdout, "reference": inputs.reference})
        }
    };
    let panel = job.panel.as_deref().map(|p| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok::<_, CliError>(json!({"name": name, "sha256": hash(p)?}))
    });
    let panel = panel.transpose()?;
    let settings = json!({
        "method": job.method,
        "preset": fitted.plan.preset,
        "recipe": [fitted.scale.common],
        "cofactors": show::cofactors(&fitted.scale),
        "markers": inputs.markers.iter().map(|m| &m.name).collect::<Vec<_>>(),
        "panel": panel,
        "train": fitted.plan.train,
        "hidden": fitted.plan.hidden,
        "seed": fitted.plan.seed,
        "layer": job.layer,
        "into_x": job.into_x,
        "compensate": job.compensate,
        "only": job.only,
        "zeros": fitted.plan.zeros,
        "stored_edit": job.model_dir.is_some(),
        "design": design,
    });
    let mut record =
        Record::new("correct", settings).result(json!({"scores": show::scores(scores), "verdict": verdict}));
    record.inputs = inputs.files.iter().map(Opened::record).collect::<Result<_, _>>()?;
    Ok(record)
}
