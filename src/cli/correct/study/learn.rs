//! Learning from a study: some cells of every file, in memory; controls of a run pooled.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::cli::correct::inputs::Opened;
use crate::cli::correct::study::plan::Study;
use crate::cli::correct::study::survey::Surveyed;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::correct::{self, CorrectError, Experiment, Marker, StudyRun, pooled};
use crate::data::synthetic;
use crate::io::DEFAULT_MEMORY;
use crate::loader;
use crate::progress::Progress;
use crate::recipe::{Scale, ScaleGuess};
use crate::rng::Seed;
use crate::sheet::SheetRow;

/// Cells of a control that are learnt from at most; more would not move its quantiles.
const CONTROL: usize = 100_000;

/// Cells of all samples of a run that are learnt from and scored at most.
const SAMPLES: usize = 20_000;

/// What the files of a study hold, as far as it is learnt from.
pub(super) struct Material {
    /// Controls and samples, run by run.
    pub(super) experiment: Experiment,
    /// Cells that are learnt from: of controls, of samples.
    pub(super) cells: (usize, usize),
}

/// What a file serves as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Control,
    Holdout,
    Sample,
}

fn used(row: &SheetRow) -> Use {
    match (row.control, row.holdout) {
        (true, _) => Use::Control,
        (_, true) => Use::Holdout,
        _ => Use::Sample,
    }
}

impl Material {
    /// Reads some cells of every file of a run with a control.
    ///
    /// # Errors
    /// [`CliError`] with the file.
    pub(super) fn read(
        study: &Study,
        files: &[&Surveyed],
        markers: &[Marker],
        scale: &Scale,
        console: &Console,
    ) -> Result<Self, CliError> {
        let sizes = sizes(study, files, markers.len());
        console.start("reading", files.len() as u64);
        let done = std::sync::atomic::AtomicU64::new(0);
        let mut guess = ScaleGuess::default();
        let read = |(file, most): (&&Surveyed, usize)| {
            console.check()?;
            let table = some(study, file, markers, scale, most, console);
            let n = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            console.advance(n, "");
            table
        };
        // The HDF5 library works on one file at a time.
        let concurrent = files.iter().all(|f| f.format.codec().concurrent);
        let tables: Vec<(Array2<f32>, ScaleGuess)> = if concurrent {
            files.par_iter().zip(sizes).map(read).collect::<Result<_, CliError>>()?
        } else {
            files.iter().zip(sizes).map(read).collect::<Result<_, CliError>>()?
        };
        console.finish();
        tables.iter().for_each(|t| guess.take(&t.1));
        if !study.how.scale_given && guess.looks_transformed() {
            return Err(CliError::input(format!(
                "{}: {}",
                study.sheet.path.display(),
                crate::cli::correct::inputs::looks_transformed(&guess)
            )));
        }
        let mut cells = (0, 0);
        let mut by_run: Vec<StudyRun> = Vec::new();
        for name in study.anchored() {
            let of = |wanted: Use| -> Vec<(String, Array2<f32>)> {
                let files = files.iter().zip(&tables).filter(|(f, _)| {
                    let row = &study.sheet.rows[f.row];
                    row.run == name && used(row) == wanted
                });
                files
                    .map(|(f, t)| (study.sheet.rows[f.row].file.display().to_string(), t.0.clone()))
                    .collect()
            };
            let (controls, held, samples) = (of(Use::Control), of(Use::Holdout), of(Use::Sample));
            cells.0 += controls.iter().map(|c| c.1.nrows()).sum::<usize>();
            cells.1 += samples.iter().map(|c| c.1.nrows()).sum::<usize>();
            let views: Vec<_> = samples.iter().map(|s| s.1.view()).collect();
            let samples = ndarray::concatenate(Axis(0), &views);
            by_run.push(StudyRun {
                name: name.to_owned(),
                controls,
                samples: samples.unwrap_or_else(|_| Array2::zeros((0, markers.len()))),
                holdout: (!held.is_empty()).then(|| pooled(&held, &format!("run {name}, held-out control"))),
            });
        }
        drop(tables);
        let names = markers.iter().map(|m| m.name.clone()).collect();
        Ok(Self { experiment: correct::from_study(names, by_run, &study.reference)?, cells })
    }
}

/// Cells to take of each file: controls up to [`CONTROL`], samples of a run up to [`SAMPLES`] together, and all within a quarter of
/// the memory, since they are held twice while they are pooled.
fn sizes(study: &Study, files: &[&Surveyed], width: usize) -> Vec<usize> {
    let row = |f: &Surveyed| &study.sheet.rows[f.row];
    let siblings = |file: &Surveyed| {
        let same = |f: &&&Surveyed| row(f).run == row(file).run && used(row(f)) == Use::Sample;
        files.iter().filter(same).count().max(1)
    };
    let wanted = |f: &&Surveyed| match used(row(f)) {
        Use::Sample => f.shape.0.min(SAMPLES.div_ceil(siblings(f))),
        _ => f.shape.0.min(CONTROL),
    };
    let wanted: Vec<usize> = files.iter().map(wanted).collect();
    let total: usize = wanted.iter().sum();
    let memory = study.how.running.memory.unwrap_or(DEFAULT_MEMORY);
    let room = usize::try_from(memory / 4 / (4 * width.max(1) as u64)).unwrap_or(usize::MAX);
    if total <= room {
        return wanted;
    }
    let share = room as f64 / total as f64;
    wanted.into_iter().map(|n| ((n as f64 * share) as usize).max(n.min(100))).collect()
}

/// Some cells of a file, always the same ones, on the model's scale; none that scx has made.
fn some(
    study: &Study,
    file: &Surveyed,
    markers: &[Marker],
    scale: &Scale,
    most: usize,
    console: &Console,
) -> Result<(Array2<f32>, ScaleGuess), CliError> {
    let row = &study.sheet.rows[file.row];
    let opened = Opened::open(&row.file, "sample", &study.how, console)?;
    let names: Vec<String> = markers.iter().map(|m| m.name.clone()).collect();
    let scale = row.cofactor.map_or_else(|| scale.clone(), |c| scale.with_cofactor(c)).each(&names);
    let real: Vec<usize> = match synthetic::mask(&opened.dataset) {
        Some(made) => (0..made.len()).filter(|&i| !made[i]).collect(),
        None => (0..file.shape.0).collect(),
    };
    let picked = Seed(0).stream(&format!("study/{}", file.sha256)).sample(real.len(), most);
    let rows: Vec<usize> = picked.into_iter().map(|i| real[i]).collect();
    let matrix = opened.matrix()?;
    let mut guess = ScaleGuess::default();
    let table = loader::some(matrix, &rows, &file.columns, &names, &scale, &mut guess)
        .map_err(|source| CorrectError::Data { file: opened.name(), source })?;
    Ok((table, guess))
}
