//! Where the cells of `correct` come from and where they go: the options, checked.

use std::path::{Path, PathBuf};

use crate::cli::correct::CorrectArgs;
use crate::cli::correct::how::How;
use crate::cli::kit::error::CliError;
use crate::io::{CODECS, Format};

/// Where the cells come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Separate files, each a control or a sample.
    Files {
        /// The control in the source and in the target run; none when a stored edit is applied.
        spikein: Option<[PathBuf; 2]>,
        /// The held-out control in the source and in the target run.
        holdout: Option<[PathBuf; 2]>,
        /// Files to correct.
        samples: Vec<PathBuf>,
    },
    /// One annotated file with all runs.
    Annotated {
        /// The file.
        input: PathBuf,
        /// Column that holds the run.
        batch_key: String,
        /// Column that marks controls; none when a stored edit is applied.
        spikein: Option<String>,
        /// The run others are moved to.
        reference: Option<String>,
        /// Column that marks held-out controls.
        holdout: Option<String>,
    },
}

/// A request that makes sense: what `correct` runs on, one pair of runs at a time or one annotated file.
#[derive(Debug, Clone)]
pub struct Job {
    /// How cells are corrected and written.
    pub how: How,
    /// Where the cells come from.
    pub cells: Cells,
    /// Where the result goes, one path a sample.
    pub outputs: Vec<PathBuf>,
    /// The folder to make when there are several samples.
    pub out_dir: Option<PathBuf>,
    /// Folder of a stored model.
    pub model_dir: Option<PathBuf>,
}

impl std::ops::Deref for Job {
    type Target = How;

    fn deref(&self) -> &How {
        &self.how
    }
}

const FILES_FORM: &str = "scx correct --spikein CONTROL_SOURCE CONTROL_TARGET --sample SAMPLE... -o OUT";
pub(super) const STUDY_FORM: &str = "scx correct --sheet STUDY.csv -o FOLDER";
const ANNOTATED_FORM: &str = "scx correct RUNS.h5ad --batch-key RUN --spikein COLUMN[=VALUE] -o OUT.h5ad";

impl CorrectArgs {
    /// Checks that the options fit together.
    ///
    /// # Errors
    /// [`CliError`] of wrong usage, with the right form.
    pub fn check(mut self) -> Result<Job, CliError> {
        let how = How::of(&mut self)?;
        let r = self;
        if let Some((option, _)) = study_only(&r).iter().find(|(_, given)| *given) {
            return Err(CliError::usage(format!("{option} goes with --sheet")));
        }
        let stored = r.model_dir.is_some();
        let cells = cells(r.input, r.batch_key, r.reference, r.spikein, r.holdout, &r.sample, stored)?;
        let output = r.output.ok_or_else(|| {
            CliError::usage(format!("-o OUT is missing: {FILES_FORM}, or {ANNOTATED_FORM}, or {STUDY_FORM}"))
        })?;
        let (outputs, out_dir) = outputs(&cells, output, how.writing.to)?;
        Ok(Job { how, cells, outputs, out_dir, model_dir: r.model_dir })
    }
}

/// Options that have a meaning for studies only, and whether they are given.
fn study_only(r: &CorrectArgs) -> [(&'static str, bool); 3] {
    [("--unanchored", r.unanchored.is_some()), ("--keep-going", r.keep_going), ("--resume", r.resume)]
}

fn cells(
    input: Option<PathBuf>,
    batch_key: Option<String>,
    reference: Option<String>,
    spikein: Vec<String>,
    holdout: Vec<String>,
    samples: &[PathBuf],
    stored: bool,
) -> Result<Cells, CliError> {
    let usage = |what: String| Err(CliError::usage(what));
    if stored && (!spikein.is_empty() || !holdout.is_empty()) {
        return usage("--model-dir brings what it learnt: leave out --spikein and --holdout".into());
    }
    if let Some(batch_key) = batch_key {
        let Some(input) = input else {
            return usage(format!("--batch-key needs one annotated file: {ANNOTATED_FORM}"));
        };
        if !samples.is_empty() {
            return usage(format!(
                "--sample does not go with --batch-key, the file holds the samples: {ANNOTATED_FORM}"
            ));
        }
        if !stored && spikein.is_empty() {
            return usage(format!(
                "--spikein is missing; with --batch-key it takes exactly one column, which marks control cells: {ANNOTATED_FORM}"
            ));
        }
        if !stored && spikein.len() != 1 {
            return usage(format!(
                "--spikein got {}; with --batch-key it takes exactly one column: {ANNOTATED_FORM}",
                values(spikein.len())
            ));
        }
        if holdout.len() > 1 {
            return usage(
                "--holdout takes exactly one column with --batch-key: --holdout COLUMN[=VALUE]".into(),
            );
        }
        if stored && reference.is_some() {
            return usage("--reference is part of the stored edit: leave it out with --model-dir".into());
        }
        let (spikein, holdout) = (spikein.into_iter().next(), holdout.into_iter().next());
        return Ok(Cells::Annotated { input, batch_key, spikein, reference, holdout });
    }
    if let Some(input) = input {
        return usage(format!(
            "{}: an annotated file needs --batch-key ({ANNOTATED_FORM}); a file to correct goes to --sample ({FILES_FORM})",
            input.display()
        ));
    }
    if reference.is_some() {
        return usage("--reference goes with --batch-key".into());
    }
    let pair = |flag: &str, v: Vec<String>| -> Result<Option<[PathBuf; 2]>, CliError> {
        let n = v.len();
        match <[String; 2]>::try_from(v) {
            Ok(two) => Ok(Some(two.map(PathBuf::from))),
            Err(_) if n == 0 => Ok(None),
            Err(_) => Err(CliError::usage(format!(
                "{flag} got {}; it takes exactly two files, the control in the source run and in the target \
                 run: {FILES_FORM}",
                values(n)
            ))),
        }
    };
    let spikein = pair("--spikein", spikein)?;
    let holdout = pair("--holdout", holdout)?;
    if spikein.is_none() && !stored {
        return usage(format!("--spikein is missing: {FILES_FORM}, or {ANNOTATED_FORM}"));
    }
    if samples.is_empty() {
        return usage(format!("--sample is missing: {FILES_FORM}"));
    }
    Ok(Cells::Files { spikein, holdout, samples: samples.to_vec() })
}

/// Endings of single-cell and cytometry files that scx does not write.
const FOREIGN_ENDINGS: [&str; 5] = ["txt", "gz", "rds", "h5seurat", "zarr"];

/// Whether this is how single-cell and cytometry files end.
pub(in crate::cli) fn is_file_ending(ending: &str) -> bool {
    FOREIGN_ENDINGS.contains(&ending) || CODECS.iter().any(|c| c.extensions.contains(&ending))
}

fn values(n: usize) -> String {
    if n == 1 { "1 value".into() } else { format!("{n} values") }
}

/// One output path a sample, and the folder to make when there are several.
fn outputs(
    cells: &Cells,
    output: PathBuf,
    to: Option<Format>,
) -> Result<(Vec<PathBuf>, Option<PathBuf>), CliError> {
    let Cells::Files { samples, .. } = cells else { return Ok((vec![output], None)) };
    // A slash at the end says folder, also where there is none yet.
    let folder = output.is_dir() || output.to_string_lossy().ends_with(std::path::MAIN_SEPARATOR);
    if samples.len() == 1 && !folder {
        return Ok((vec![output], None));
    }
    let extension = output.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let named_as_file = samples.len() > 1 && !folder && is_file_ending(&extension);
    if output.is_file() || named_as_file {
        return Err(CliError::usage(format!(
            "-o {}: is a file, or is called like one; with several samples it must be a folder",
            output.display()
        )));
    }
    let names: Vec<PathBuf> = samples
        .iter()
        .map(|s| {
            let name = Path::new(s.file_name().unwrap_or_default());
            match to {
                // A folder of files has no ending.
                Some(to) if to.codec().folder => name.with_extension(""),
                Some(to) => name.with_extension(to.codec().extensions.first().unwrap_or(&"")),
                None => name.to_owned(),
            }
        })
        .collect();
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return Err(CliError::usage(format!(
                "two samples are called {}; give them different names or correct them one by one",
                name.display()
            )));
        }
    }
    Ok((names.into_iter().map(|n| output.join(n)).collect(), Some(output)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> CorrectArgs {
        use clap::Parser;
        let all = ["scx", "correct"].into_iter().chain(text.split_whitespace());
        match crate::cli::Cli::try_parse_from(all).unwrap().command {
            crate::cli::Command::Correct(args) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn check(text: &str) -> Result<Job, CliError> {
        args(text).check()
    }

    #[test]
    fn a_wrong_number_of_controls_is_answered_with_the_right_form() {
        let text = |a: &str| check(a).unwrap_err().to_string();
        assert!(text("--spikein a --sample s -o o").contains("exactly two files"));
        assert!(text("--spikein a b c --sample s -o o").contains("got 3 values"));
        assert!(text("r.h5ad --batch-key run --spikein a b -o o").contains("exactly one column"));
        assert!(text("--sample s -o o").contains("--spikein is missing"));
        assert!(text("r.h5ad --spikein a b -o o").contains("needs --batch-key"));
        assert!(check("--spikein a b --sample s -o o").is_ok());
        assert!(check("r.h5ad --batch-key run --spikein a=b -o o").is_ok());
        assert!(check("--model-dir m --sample s -o o").is_ok());
        for learnt in ["--seed 0", "--steps 3000", "--epochs 2", "--preset paper"] {
            let line = format!("--model-dir m --sample s -o o {learnt}");
            let text = text(&line);
            assert!(text.contains("part of the stored edit") && text.contains(&learnt[..6]), "{text}");
        }
    }

    #[test]
    fn several_samples_go_into_a_folder_under_their_own_names() {
        let job = check("--spikein a b --sample x/s.fcs y/t.fcs -o out").unwrap();
        assert_eq!(job.outputs, [PathBuf::from("out/s.fcs"), PathBuf::from("out/t.fcs")]);
        assert!(check("--spikein a b --sample x/s.fcs y/s.fcs -o out").is_err());
        let job = check("--spikein a b --sample x/s.fcs y/t.fcs -o out --to 10x-h5").unwrap();
        assert_eq!(job.outputs, [PathBuf::from("out/s.h5"), PathBuf::from("out/t.h5")]);
        assert!(check("--spikein a b --sample x/s.fcs y/s.lmd -o out --to loom").is_err());
    }
}
