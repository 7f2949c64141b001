//! Correcting and writing every file of a study, several at a time.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Array2;
use rayon::prelude::*;
use serde_json::Value;

use crate::cli::correct::inputs::Opened;
use crate::cli::correct::outputs;
use crate::cli::correct::study::plan::{Fate, Study};
use crate::cli::correct::study::records::Records;
use crate::cli::correct::study::survey::Surveyed;
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::Way;
use crate::correct::{CorrectError, Fitted, Marker, RESULT_LAYER};
use crate::data::{Column, DataError, Patch};
use crate::io::{
    Additions, DEFAULT_MEMORY, Format, NewValues, Output, OutputPlan, Table, Target, WriteError,
};
use crate::loader;
use crate::progress::Progress;
use crate::recipe::{Scale, ScaleGuess};

/// What all files have in common.
pub(super) struct Work<'a> {
    pub(super) study: &'a Study,
    pub(super) markers: &'a [Marker],
    pub(super) scale: &'a Scale,
    pub(super) records: &'a Records<'a>,
    /// What was learnt; `None` in a dry run.
    pub(super) fitted: Option<&'a Fitted>,
    /// What came of a run, for the records of its files.
    pub(super) results: &'a (dyn Fn(&str) -> Value + Sync),
    /// Says nothing while files are written side by side.
    pub(super) quiet: &'a Console,
}

/// What became of one file.
pub(super) type Done = (usize, Result<OutputPlan, CliError>);

impl Work<'_> {
    /// Corrects and writes these files. Those that take little memory are done side by side, the others one by one.
    pub(super) fn all(&self, files: &[&Surveyed], console: &Console) -> Vec<Done> {
        console.start("correcting", files.len() as u64);
        let count = AtomicU64::new(0);
        let one = |file: &&Surveyed| {
            let plan = console.check().and_then(|()| self.one(file));
            let n = count.fetch_add(1, Ordering::Relaxed) + 1;
            let name = self.study.sheet.rows[file.row].file.file_name().unwrap_or_default();
            console.advance(n, &name.to_string_lossy());
            (file.row, plan)
        };
        let (small, large): (Vec<&Surveyed>, Vec<&Surveyed>) =
            files.iter().partition(|f| self.side_by_side(f));
        let mut done: Vec<Done> = small.par_iter().map(one).collect();
        done.extend(large.iter().map(one));
        console.finish();
        done.sort_by_key(|d| d.0);
        done
    }

    /// Whether a file is small enough, and of formats that several threads may use at a time.
    fn side_by_side(&self, file: &Surveyed) -> bool {
        let memory = self.study.how.running.memory.unwrap_or(DEFAULT_MEMORY);
        let threads = rayon::current_num_threads().max(1) as u64;
        // On the model's scale, moved, and as new values.
        let takes = 12 * file.shape.0 as u64 * self.markers.len() as u64;
        let to = self.format(file).unwrap_or(file.format);
        takes.saturating_mul(2 * threads) <= memory && file.format.codec().concurrent && to.codec().concurrent
    }

    fn format(&self, file: &Surveyed) -> Result<Format, CliError> {
        let row = file.row;
        let (input, out) = (&self.study.sheet.rows[row].file, &self.study.outputs[row]);
        let format = outputs::format(&self.study.how, input, out, || Some(file.format))?;
        Ok(format.unwrap_or(file.format))
    }

    fn one(&self, file: &Surveyed) -> Result<OutputPlan, CliError> {
        let how = &self.study.how;
        let way = Way::new("correct", &how.writing, &how.running, self.quiet).with_table(Table::X);
        let mut record = self.records.of(file);
        let row = &self.study.sheet.rows[file.row];
        if self.study.fate(row) == Fate::Corrected {
            record = record.result((self.results)(&row.run));
        }
        let output = self.output(&way, file)?.with_record(way.record(&record)?);
        if !way.dry() {
            make_folder(&self.study.outputs[file.row])?;
        }
        way.commit(vec![output])?
            .pop()
            .ok_or_else(|| CliError::input(format!("{}: nothing was written", row.file.display())))
    }

    /// One file on its way to its target.
    fn output<'w>(&self, way: &Way<'w>, file: &Surveyed) -> Result<Output<'w>, CliError> {
        let (study, row) = (self.study, &self.study.sheet.rows[file.row]);
        let opened = Opened::open(&row.file, "sample", &study.how, self.quiet)?;
        let patch = match (self.fitted, study.fate(row)) {
            (Some(fitted), Fate::Corrected) => self.patch(fitted, file, &opened)?,
            _ => Patch::new(Vec::new(), Vec::new(), Array2::zeros((0, 0))).map_err(|e| at(&opened, e))?,
        };
        let force = study.how.writing.force || study.resume;
        let target = Target { path: study.outputs[file.row].clone(), format: self.format(file)?, force };
        let result = NewValues {
            layer: RESULT_LAYER.into(),
            base: opened.layer.clone(),
            patch,
            into_x: study.how.into_x,
        };
        let obs = if target.format.has_columns() { self.columns(file, &opened) } else { Vec::new() };
        let anew = opened.original.is_some();
        let additions = Additions { result: Some(result), obs, anew, ..Additions::default() };
        way.adding(opened.kept(&target), opened.format, additions, &target)
    }

    /// What the sheet says of the file, as columns of obs; a column that the file has already stays.
    fn columns(&self, file: &Surveyed, opened: &Opened) -> Vec<(String, Column)> {
        let mut all = self.study.sheet.columns(&self.study.sheet.rows[file.row], file.shape.0);
        all.retain(|(name, _)| {
            let there = opened.dataset.obs.column(name).is_some();
            if there {
                tracing::warn!("{}: has a column {name} of its own, which stays", opened.name());
            }
            !there
        });
        all
    }

    /// The new values of one file, on its stored scale. Markers nothing was learnt about keep their stored values.
    fn patch(&self, fitted: &Fitted, file: &Surveyed, opened: &Opened) -> Result<Patch, CliError> {
        let row = &self.study.sheet.rows[file.row];
        let fit = fitted
            .run(&row.run)
            .ok_or_else(|| CliError::input(format!("nothing was learnt for run {}", row.run)))?;
        let names: Vec<String> = self.markers.iter().map(|m| m.name.clone()).collect();
        let own = row.cofactor.map_or_else(|| self.scale.clone(), |c| self.scale.with_cofactor(c));
        let scale = own.each(&names);
        let mut guess = ScaleGuess::default();
        let x = loader::table(opened.matrix()?, &file.columns, &names, &scale, &mut guess)
            .map_err(|e| at(opened, e))?;
        let mut moved = fitted.apply(fit, self.study.how.method, x.view())?.values;
        drop(x);
        loader::undo(&mut moved, &scale);
        // Markers in column order, without those nothing was learnt about.
        let mut order: Vec<usize> = (0..file.columns.len()).filter(|&j| !fit.untouched[j]).collect();
        order.sort_by_key(|&j| file.columns[j]);
        let values = moved.select(ndarray::Axis(1), &order);
        if let Some(((i, j), v)) = values.indexed_iter().find(|(_, v)| !v.is_finite()) {
            let what = format!(
                "{}: cell {i}, marker {}: the corrected value is {v}",
                opened.name(),
                names[order[j]]
            );
            return Err(CorrectError::Numerical { what }.into());
        }
        let columns = order.iter().map(|&j| file.columns[j]).collect();
        Patch::new((0..file.shape.0).collect(), columns, values).map_err(|e| at(opened, e))
    }
}

fn at(opened: &Opened, source: DataError) -> CliError {
    CorrectError::Data { file: opened.name(), source }.into()
}

/// Makes the folder of a target, with those above it.
fn make_folder(target: &Path) -> Result<(), CliError> {
    let Some(folder) = target.parent() else { return Ok(()) };
    Ok(std::fs::create_dir_all(folder).map_err(|e| WriteError::io(folder, e))?)
}
