//! From paths to an experiment: opens files, picks layer and markers, matches panels.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use crate::cli::correct::how::How;
use crate::cli::correct::rescale;
use crate::cli::correct::settings::{Cells, Job};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::reading;
use crate::correct::{
    self, CorrectError, Design, Experiment, FILES_RUN, Fitted, Marker, Roles, Run, Sample, choose,
    match_panel,
};
use crate::data::{Dataset, Matrix, find_value, same_value, synthetic};
use crate::io::{self, Format, Target};
use crate::loader;
use crate::progress::Progress;
use crate::provenance;
use crate::recipe::{Scale, ScaleGuess};

/// A file that was opened.
#[derive(Debug)]
pub(in crate::cli) struct Opened {
    /// Where it is.
    pub path: PathBuf,
    /// What it serves as.
    pub roles: Vec<&'static str>,
    /// Its format.
    pub format: Format,
    /// What is in it.
    pub dataset: Dataset,
    /// The layer to correct; X when none.
    pub layer: Option<String>,
    /// Its columns of the markers, in the markers' order.
    pub columns: Vec<usize>,
    /// X as it was stored, when it was put on another scale or compensated.
    pub original: Option<Matrix>,
    /// What to say of it before it is corrected.
    pub remarks: Vec<String>,
}

/// Everything read, ready to fit or to apply.
#[derive(Debug)]
pub(in crate::cli) struct Inputs {
    /// The files.
    pub files: Vec<Opened>,
    /// The markers.
    pub markers: Vec<Marker>,
    /// How they were chosen.
    pub how: String,
    /// The cells. Has no runs with controls when a stored edit is applied.
    pub experiment: Experiment,
    /// Samples to correct: name of their run, their cells, and the file they belong to.
    pub samples: Vec<(String, Sample, usize)>,
    /// The reference run, where runs have names.
    pub reference: Option<String>,
    /// The scale of each marker.
    pub scale: Scale,
}

impl Inputs {
    /// The run of a sample, with its controls.
    pub(in crate::cli) fn run(&self, name: &str) -> Option<&Run> {
        self.experiment.runs.iter().find(|r| r.name == name)
    }
}

impl Opened {
    /// Opens a file and picks the layer to correct.
    pub(in crate::cli) fn open(
        path: &Path,
        role: &'static str,
        how: &How,
        console: &Console,
    ) -> Result<Self, CliError> {
        let asked = how.layer.as_deref();
        let codec = io::detect(path)?;
        let dataset = (codec.read)(path, &reading(&how.reading, &how.running))?;
        let remarks = rescale::remarks(&dataset, how);
        let (mut dataset, original) = match pick_layer(path, &dataset, asked)? {
            Some(_) => (dataset, None),
            None => rescale::rescaled(dataset, how).map_err(|e| e.within(&path.display().to_string()))?,
        };
        // Read twice, for training and for writing: a matrix in memory must not be held twice.
        let share = |source| CorrectError::Data { file: path.display().to_string(), source };
        dataset.x = dataset.x.take().map(Matrix::shared).transpose().map_err(share)?;
        let layer = pick_layer(path, &dataset, asked)?;
        if !how.again
            && let Some(earlier) = correct::earlier(&dataset, layer.as_deref())
        {
            return Err(CliError::usage(earlier.message(&path.display().to_string(), layer.as_deref())));
        }
        if let (Some(name), None) = (&layer, asked) {
            console.say(&format!("{}: X is absent; correcting its only layer, {name}", path.display()));
        }
        Ok(Self {
            path: path.to_owned(),
            roles: vec![role],
            format: codec.format,
            dataset,
            layer,
            columns: Vec::new(),
            original,
            remarks,
        })
    }

    /// What goes into a target beside the result: X as it was stored stays as a layer, where it was changed and there is a
    /// place for it.
    pub(in crate::cli) fn kept(&self, target: &Target) -> Dataset {
        let mut dataset = self.dataset.clone();
        if let Some(original) = self.original.clone().filter(|_| target.format.has_layers()) {
            dataset.layers.entry(rescale::ORIGINAL.into()).or_insert(original);
        }
        dataset
    }

    /// The matrix to correct.
    pub(in crate::cli) fn matrix(&self) -> Result<&Matrix, CliError> {
        let matrix = self.dataset.matrix(self.layer.as_deref());
        matrix.ok_or_else(|| CliError::input(format!("{}: there is no matrix to correct", self.name())))
    }

    /// Its name for messages.
    pub(in crate::cli) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Its name without folders.
    pub(in crate::cli) fn base(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The record of this file for provenance.
    pub(in crate::cli) fn record(&self) -> Result<provenance::Input, CliError> {
        let sha256 = provenance::sha256(&self.path)
            .map_err(|e| CliError::input(format!("{}: cannot read: {e}", self.name())))?;
        Ok(provenance::Input {
            role: self.roles.join(" and "),
            name: self.base(),
            n_obs: self.dataset.n_obs(),
            n_vars: self.dataset.n_vars(),
            sha256,
        })
    }
}

/// X unless another layer is asked for, or X is absent and there is one layer.
fn pick_layer(path: &Path, dataset: &Dataset, asked: Option<&str>) -> Result<Option<String>, CliError> {
    let names: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
    let usage = |what: String| Err(CliError::usage(format!("{}: {what}", path.display())));
    match asked {
        Some("X") if dataset.x.is_some() => Ok(None),
        Some(name) if dataset.layers.contains_key(name) => Ok(Some(name.to_owned())),
        Some(name) => {
            let hint = correct::did_you_mean(name, names.iter().copied());
            let list =
                if names.is_empty() { "it has none".into() } else { format!("layers: {}", names.join(", ")) };
            usage(format!("no layer {name}{hint} ({list})"))
        }
        None if dataset.x.is_some() => Ok(None),
        None => match names[..] {
            [one] => Ok(Some(one.to_owned())),
            [] => Err(CliError::input(format!(
                "{}: X is absent and there is no layer; there is nothing to correct",
                path.display()
            ))),
            _ => usage(format!(
                "X is absent and there are several layers: {}; choose with --layer",
                names.join(", ")
            )),
        },
    }
}

/// Opens everything a job names, each file once. A stored edit brings its own markers and scale.
///
/// # Errors
/// [`CliError`] with the file and what to do.
pub(in crate::cli) fn load(
    job: &Job,
    stored: Option<&Fitted>,
    console: &Console,
) -> Result<Inputs, CliError> {
    let named: Vec<(&'static str, &Path)> = match &job.cells {
        Cells::Files { spikein, holdout, samples } => {
            let controls = ["source control", "target control"].into_iter().zip(spikein.iter().flatten());
            let held = ["held-out source", "held-out target"].into_iter().zip(holdout.iter().flatten());
            let samples = samples.iter().map(|s| ("sample", s));
            controls.chain(held).chain(samples).map(|(r, p)| (r, p.as_path())).collect()
        }
        Cells::Annotated { input, .. } => vec![("runs", input.as_path())],
    };
    let mut files: Vec<Opened> = Vec::new();
    let mut roles: Vec<usize> = Vec::new();
    for (role, path) in named {
        let same =
            |f: &Opened| matches!((f.path.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b);
        let file = match files.iter().position(same) {
            Some(i) => {
                files[i].roles.push(role);
                i
            }
            None => {
                let opened = Opened::open(path, role, &job.how, console)?;
                opened.remarks.iter().for_each(|r| tracing::warn!("{}: {r}", opened.name()));
                files.push(opened);
                files.len() - 1
            }
        };
        roles.push(file);
    }
    let first = files.first().ok_or_else(|| CliError::usage("no input"))?;
    let (markers, how, asked) = match stored {
        Some(fitted) => (fitted.markers.clone(), "as in the stored edit".to_owned(), Some("")),
        None => {
            let choice = choose(&first.dataset.var, job.markers.as_deref()).map_err(|e| at(first, e))?;
            (choice.markers, choice.how, job.markers.as_deref())
        }
    };
    let first_name = if stored.is_some() { "the stored edit".to_owned() } else { first.name() };
    for (i, file) in files.iter_mut().enumerate() {
        if i == 0 && stored.is_none() {
            file.columns = markers.iter().map(|m| m.column).collect();
            continue;
        }
        let name = file.name();
        file.columns = match_panel(&markers, &file.dataset.var, asked, &first_name, &name)?;
    }
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    console.say(&format!("{} markers ({how}): {}", names.len(), names.join(", ")));
    let scale = match stored {
        Some(fitted) => fitted.scale.clone(),
        None => correct::own_cofactors(&job.scale, &markers)?,
    };
    let tables = read_tables(&files, &names, &scale, job.scale_given, console)?;
    for file in files.iter_mut().filter(|f| !f.roles.iter().any(|r| ["sample", "runs"].contains(r))) {
        // Only what is written again is needed any longer.
        file.dataset.x = None;
        file.dataset.layers.clear();
    }
    build(job, files, &roles, markers, how, tables, scale, stored)
}

/// Adds the file's name to a message that has none.
fn at(file: &Opened, e: CorrectError) -> CliError {
    match e {
        CorrectError::Usage { what } => CliError::usage(format!("{}: {what}", file.name())),
        other => other.into(),
    }
}

fn read_tables(
    files: &[Opened],
    names: &[String],
    scale: &Scale,
    given: bool,
    console: &Console,
) -> Result<Vec<Array2<f32>>, CliError> {
    let scale = scale.each(names);
    let mut guess = ScaleGuess::default();
    let mut tables = Vec::new();
    console.start("reading", files.len() as u64);
    for (done, file) in files.iter().enumerate() {
        console.advance(done as u64, &file.base());
        console.check()?;
        let matrix = file.matrix()?;
        let table = loader::table(matrix, &file.columns, names, &scale, &mut guess)
            .map_err(|source| CorrectError::Data { file: file.name(), source })?;
        tables.push(table);
    }
    console.finish();
    if !given && guess.looks_transformed() {
        let list: Vec<String> = files.iter().map(Opened::name).collect();
        return Err(CliError::input(format!("{}: {}", list.join(", "), looks_transformed(&guess))));
    }
    Ok(tables)
}

/// What to say of values that look as if arcsinh or a logarithm had been taken.
pub(in crate::cli) fn looks_transformed(guess: &ScaleGuess) -> String {
    format!(
        "the values look transformed already (the largest is {:.2} and many are no whole numbers); say what they are: \
         --transform arcsinh-done if they are arcsinh values, --transform none if they are on another final scale, \
         --transform arcsinh if they are raw",
        guess.max()
    )
}

fn build(
    job: &Job,
    files: Vec<Opened>,
    roles: &[usize],
    markers: Vec<Marker>,
    how: String,
    tables: Vec<Array2<f32>>,
    scale: Scale,
    stored: Option<&Fitted>,
) -> Result<Inputs, CliError> {
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    let (mut experiment, reference) = match (&job.cells, stored) {
        (Cells::Files { holdout, .. }, None) => {
            let bases: Vec<String> = files.iter().map(Opened::name).collect();
            let (controls, rest) = roles.split_at(2.min(roles.len()));
            let (held, samples) = rest.split_at(if holdout.is_some() { 2 } else { 0 });
            let [source, target] = controls else {
                return Err(CliError::usage("two controls are needed"));
            };
            let holdout = if let [s, t] = held { Some((*s, *t)) } else { None };
            let roles = Roles { source: *source, target: *target, holdout, samples: samples.to_vec() };
            (correct::from_files(names, tables, &bases, &roles)?, None)
        }
        (Cells::Annotated { batch_key, spikein, reference, holdout, .. }, None) => {
            let design = Design {
                batch_key,
                spikein: spikein.as_deref().unwrap_or_default(),
                reference: reference.as_deref(),
                holdout: holdout.as_deref(),
            };
            let file = &files[0];
            let table = tables.into_iter().next().unwrap_or_default();
            let (e, r) = correct::from_annotated(&file.name(), &file.dataset.obs, design, names, table)?;
            (e, Some(r))
        }
        (_, Some(fitted)) => {
            let experiment = Experiment { markers: names, tables, runs: Vec::new(), training: Vec::new() };
            let samples = stored_samples(job, &files, &experiment.tables, fitted)?;
            return Ok(Inputs {
                files,
                markers,
                how,
                experiment,
                samples,
                reference: fitted.reference.clone(),
                scale,
            });
        }
    };
    let bases: Vec<String> = files.iter().map(Opened::name).collect();
    let made: Vec<_> = files.iter().map(|f| synthetic::mask(&f.dataset)).collect();
    experiment.leave_out_made(&made, &bases)?;
    let samples = experiment
        .runs
        .iter()
        .flat_map(|run| run.samples.iter().map(|s| (run.name.clone(), s.clone(), s.cells.table)))
        .collect();
    Ok(Inputs { files, markers, how, experiment, samples, reference, scale })
}

/// The samples a stored edit is applied to.
fn stored_samples(
    job: &Job,
    files: &[Opened],
    tables: &[Array2<f32>],
    fitted: &Fitted,
) -> Result<Vec<(String, Sample, usize)>, CliError> {
    let whole = |name: String, table: usize, rows: Vec<usize>| {
        let cells = loader::Group { table, rows };
        Sample { name, scored: cells.clone(), learnt: cells.clone(), cells }
    };
    let runs: Vec<&str> = fitted.runs.iter().map(|r| r.name.as_str()).collect();
    let named = fitted.reference.is_some();
    match &job.cells {
        Cells::Files { .. } if named => Err(CliError::usage(format!(
            "the stored edit was learnt from an annotated file with the runs {}; apply it to one with --batch-key",
            runs.join(", ")
        ))),
        Cells::Annotated { .. } if !named => Err(CliError::usage(
            "the stored edit was learnt from two control files; apply it to files with --sample",
        )),
        Cells::Files { .. } => Ok(files
            .iter()
            .enumerate()
            .map(|(i, f)| (FILES_RUN.to_owned(), whole(f.name(), i, (0..tables[i].nrows()).collect()), i))
            .collect()),
        Cells::Annotated { batch_key, .. } => {
            let mut out = Vec::new();
            for (name, rows) in correct::runs_of(&files[0].name(), &files[0].dataset.obs, batch_key)? {
                if fitted.reference.as_deref().is_some_and(|r| same_value(r, &name)) {
                    continue;
                }
                let Some(run) = find_value(runs.iter().copied(), &name) else {
                    let hint = correct::did_you_mean(&name, runs.iter().copied());
                    return Err(CliError::usage(format!(
                        "{}: run {name} is not part of the stored edit{hint} (runs: {})",
                        files[0].name(),
                        runs.join(", ")
                    )));
                };
                out.push((runs[run].to_owned(), whole(name, 0, rows), 0));
            }
            Ok(out)
        }
    }
}
