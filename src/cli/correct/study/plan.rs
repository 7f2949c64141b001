//! From the options and the sheet to what is done with each file.

use std::path::{Path, PathBuf};

use crate::cli::correct::how::How;
use crate::cli::correct::settings::STUDY_FORM;
use crate::cli::correct::study::outputs;
use crate::cli::correct::{CorrectArgs, Unanchored};
use crate::cli::kit::error::CliError;
use crate::correct::Reference;
use crate::data::{did_you_mean, find_value};
use crate::sheet::{Sheet, SheetRow};

/// A study that can be corrected.
#[derive(Debug)]
pub(in crate::cli) struct Study {
    /// How cells are corrected and written.
    pub how: How,
    /// The files.
    pub sheet: Sheet,
    /// Where runs are moved to.
    pub reference: Reference,
    /// Runs without a control, and what becomes of them.
    pub unanchored: Vec<String>,
    /// What becomes of them.
    pub unanchored_way: Option<Unanchored>,
    /// Whether files that cannot be read are left out.
    pub keep_going: bool,
    /// Whether finished outputs are left alone.
    pub resume: bool,
    /// The folder of all outputs.
    pub folder: PathBuf,
    /// Where each file of the sheet goes.
    pub outputs: Vec<PathBuf>,
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is moved with its run.
    Corrected,
    /// It belongs to the reference run and is written with its values as they are.
    Reference,
    /// Its run has no control; it is written with its values as they are.
    Passed,
    /// Its run has no control; it is not written.
    Skipped,
}

impl Fate {
    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Fate::Corrected => "corrected",
            Fate::Reference => "reference run, values unchanged",
            Fate::Passed => "run without control, values unchanged",
            Fate::Skipped => "run without control, not written",
        }
    }

    /// In one word, for programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Fate::Corrected => "corrected",
            Fate::Reference => "reference",
            Fate::Passed => "passed",
            Fate::Skipped => "skipped",
        }
    }
}

impl Study {
    /// Checks the options and reads the sheet.
    ///
    /// # Errors
    /// [`CliError`] of wrong usage, or of a sheet that cannot be used.
    pub(super) fn of(mut args: CorrectArgs, sheet: &Path) -> Result<Self, CliError> {
        let how = How::of(&mut args)?;
        refuse_other_inputs(&args)?;
        let out = args.output.take();
        let folder = out.ok_or_else(|| CliError::usage(format!("-o FOLDER is missing: {STUDY_FORM}")))?;
        if args.resume && how.writing.no_provenance {
            return Err(CliError::usage(
                "--resume knows finished files by the record in them; leave out --no-provenance",
            ));
        }
        let sheet = Sheet::read(sheet, true)?;
        sheet.need_controls()?;
        let anchored = |run: &str| sheet.rows.iter().any(|r| r.run == run && r.control);
        let reference = reference(args.reference.as_deref(), &sheet, &anchored)?;
        let unanchored: Vec<String> =
            sheet.runs().into_iter().filter(|r| !anchored(r)).map(str::to_owned).collect();
        if !unanchored.is_empty() && args.unanchored.is_none() {
            return Err(CliError::usage(format!(
                "{}: no file of run {} is a control, so nothing says how the run differs. Mark its control in the sheet, or \
                 add --unanchored pass to write its files as they are, or --unanchored skip to leave them out",
                sheet.path.display(),
                unanchored.join(", run ")
            )));
        }
        let outputs = outputs::paths(&sheet, &folder, &how)?;
        Ok(Self {
            how,
            reference,
            unanchored,
            unanchored_way: args.unanchored,
            keep_going: args.keep_going,
            resume: args.resume,
            folder,
            outputs,
            sheet,
        })
    }

    /// Where runs are moved to, in words.
    pub(super) fn moved_to(&self) -> String {
        match &self.reference {
            Reference::Run(name) => format!("run {name}"),
            Reference::Mean => "the mean of all runs".into(),
        }
    }

    /// What is done with a file.
    pub(super) fn fate(&self, row: &SheetRow) -> Fate {
        if self.unanchored.contains(&row.run) {
            return match self.unanchored_way {
                Some(Unanchored::Pass) => Fate::Passed,
                _ => Fate::Skipped,
            };
        }
        match &self.reference {
            Reference::Run(name) if *name == row.run => Fate::Reference,
            _ => Fate::Corrected,
        }
    }

    /// Runs with a control, in the order of the sheet.
    pub(super) fn anchored(&self) -> Vec<&str> {
        self.sheet.runs().into_iter().filter(|r| !self.unanchored.iter().any(|u| u == r)).collect()
    }
}

fn refuse_other_inputs(args: &CorrectArgs) -> Result<(), CliError> {
    let others = [
        ("INPUT", args.input.is_some()),
        ("--spikein", !args.spikein.is_empty()),
        ("--sample", !args.sample.is_empty()),
        ("--holdout", !args.holdout.is_empty()),
        ("--batch-key", args.batch_key.is_some()),
        ("--model-dir", args.model_dir.is_some()),
    ];
    match others.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(CliError::usage(format!(
            "{option} does not go with --sheet, which says what each file is: {STUDY_FORM}"
        ))),
        None => Ok(()),
    }
}

fn reference(
    asked: Option<&str>,
    sheet: &Sheet,
    anchored: &dyn Fn(&str) -> bool,
) -> Result<Reference, CliError> {
    let runs = sheet.runs();
    let name = match asked {
        Some(name) => match find_value(runs.iter().copied(), name) {
            Some(i) => runs[i],
            None if name.eq_ignore_ascii_case("mean") => return Ok(Reference::Mean),
            None => {
                let hint = did_you_mean(name, runs.iter().copied());
                return Err(CliError::usage(format!(
                    "--reference: no run {name} in {}{hint} (runs: {}; `mean` is the mean of all)",
                    sheet.path.display(),
                    runs.join(", ")
                )));
            }
        },
        None => runs.iter().copied().find(|r| anchored(r)).unwrap_or_default(),
    };
    if !anchored(name) {
        return Err(CliError::usage(format!(
            "--reference: run {name} has no control, so nothing can be moved to it; take one of {}",
            runs.iter().copied().filter(|r| anchored(r)).collect::<Vec<_>>().join(", ")
        )));
    }
    if runs.iter().filter(|r| anchored(r)).count() < 2 {
        return Err(CliError::usage(format!(
            "{}: only run {name} has a control; a correction needs the same control in two runs",
            sheet.path.display()
        )));
    }
    Ok(Reference::Run(name.to_owned()))
}
