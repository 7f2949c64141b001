//! A first look at every file of a study: what it holds, and its hash. No values are read.

use rayon::prelude::*;

use crate::cli::correct::inputs::Opened;
use crate::cli::correct::study::plan::{Fate, Study};
use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::hash;
use crate::data::Frame;
use crate::io::Format;
use crate::progress::Progress;

/// A file that can be used.
#[derive(Debug)]
pub(in crate::cli) struct Surveyed {
    /// Its row in the sheet.
    pub row: usize,
    /// Its format.
    pub format: Format,
    /// Cells and variables.
    pub shape: (usize, usize),
    /// Its variables.
    pub var: Frame,
    /// Its columns of the markers, in the markers' order; filled once panels are paired.
    pub columns: Vec<usize>,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What to say of it before it is corrected.
    remarks: Vec<String>,
}

/// All files that can be used, and what stopped the others.
pub(super) struct Survey {
    pub(super) files: Vec<Surveyed>,
    pub(super) left_out: Vec<(usize, CliError)>,
}

impl Survey {
    /// Looks at every file that is used.
    ///
    /// # Errors
    /// [`CliError`] of the first file that cannot be used, unless such files are left out, and of a run that has lost all its controls.
    pub(super) fn of(study: &Study, console: &Console) -> Result<Self, CliError> {
        let rows: Vec<usize> = (0..study.sheet.rows.len())
            .filter(|&i| study.fate(&study.sheet.rows[i]) != Fate::Skipped)
            .collect();
        console.start("looking at files", rows.len() as u64);
        let done = std::sync::atomic::AtomicU64::new(0);
        let look = |&row: &usize| -> (usize, Result<Surveyed, CliError>) {
            let seen = console.check().and_then(|()| one(study, row, console));
            let n = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            console.advance(n, "");
            (row, seen)
        };
        let seen: Vec<_> = rows.par_iter().map(look).collect();
        console.finish();
        let mut survey = Self { files: Vec::new(), left_out: Vec::new() };
        for (row, seen) in seen {
            match seen {
                Ok(file) => survey.files.push(file),
                Err(e) if study.keep_going && e.code() == 3 => survey.left_out.push((row, e)),
                Err(e) if e.code() == 3 => return Err(e.with("; --keep-going leaves such files out")),
                Err(e) => return Err(e),
            }
        }
        survey.remark(study);
        for run in study.anchored() {
            let of_run = |row: usize| study.sheet.rows[row].run == run && study.sheet.rows[row].control;
            if !survey.files.iter().any(|f| of_run(f.row)) {
                return Err(CliError::input(format!(
                    "{}: the control of run {run} cannot be used, so nothing says how the run differs; repair it, or remove the \
                     run from the sheet",
                    study.sheet.path.display()
                )));
            }
        }
        Ok(survey)
    }

    /// Says each remark once, with the number of files it holds for.
    fn remark(&self, study: &Study) {
        let mut said: Vec<(&str, &Surveyed, usize)> = Vec::new();
        for file in &self.files {
            for text in &file.remarks {
                match said.iter_mut().find(|s| s.0 == text) {
                    Some(known) => known.2 += 1,
                    None => said.push((text, file, 0)),
                }
            }
        }
        for (text, file, others) in said {
            let name = study.sheet.rows[file.row].file.display();
            let others = if others == 0 { String::new() } else { format!(" (and {others} other files)") };
            tracing::warn!("{name}: {text}{others}");
        }
    }
}

fn one(study: &Study, row: usize, console: &Console) -> Result<Surveyed, CliError> {
    let path = &study.sheet.rows[row].file;
    let opened = Opened::open(path, "sample", &study.how, console)?;
    let shape = (opened.dataset.n_obs(), opened.dataset.n_vars());
    if shape.0 == 0 {
        return Err(CliError::input(format!("{}: has no cells", path.display())));
    }
    let Opened { format, dataset, remarks, .. } = opened;
    Ok(Surveyed {
        row,
        format,
        shape,
        var: dataset.var,
        columns: Vec::new(),
        sha256: hash_of(path)?,
        remarks,
    })
}

/// Of folders too, so that what is done already can be told.
fn hash_of(path: &std::path::Path) -> Result<String, CliError> {
    if !path.is_dir() {
        return hash(path);
    }
    crate::provenance::sha256(path)
        .map_err(|e| CliError::input(format!("{}: cannot be read again: {e}", path.display())))
}
