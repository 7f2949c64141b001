//! The options of `correct`, checked. The one place where their defaults live.

use std::path::{Path, PathBuf};

use crate::cli::correct::{CorrectArgs, TransformArg};
use crate::cli::kit::error::CliError;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::running::RunArgs;
use crate::correct::{Method, Preset};
use crate::io::{CODECS, Format};
use crate::nn::AdamConfig;
use crate::recipe::Transform;
use crate::zoo::{Length, TrainConfig};

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

/// A request that makes sense: what `correct` runs on.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where the cells come from.
    pub cells: Cells,
    /// Where the result goes, one path a sample.
    pub outputs: Vec<PathBuf>,
    /// The folder to make when there are several samples.
    pub out_dir: Option<PathBuf>,
    /// Markers asked for.
    pub markers: Option<String>,
    /// The panel file.
    pub panel: Option<PathBuf>,
    /// Layer asked for.
    pub layer: Option<String>,
    /// Result into X.
    pub into_x: bool,
    /// Correct what was corrected before.
    pub again: bool,
    /// The method.
    pub method: Method,
    /// The form of NeuronEdit.
    pub preset: Preset,
    /// The scale.
    pub transform: Transform,
    /// Whether the user said what scale the values are on.
    pub transform_given: bool,
    /// Training.
    pub train: TrainConfig,
    /// Hidden layers of the encoder.
    pub hidden: Vec<usize>,
    /// The seed.
    pub seed: u64,
    /// HTML page.
    pub report: Option<PathBuf>,
    /// Markers to draw against each other, as asked for.
    pub biaxial: Option<[String; 2]>,
    /// Folder to keep the model in.
    pub save_model: Option<PathBuf>,
    /// Folder of a stored model.
    pub model_dir: Option<PathBuf>,
    /// The configuration the options came from: read, and never replaced.
    pub config: Option<PathBuf>,
    /// How to read.
    pub reading: ReadArgs,
    /// How to write.
    pub writing: WriteArgs,
    /// How it runs.
    pub running: RunArgs,
}

const FILES_FORM: &str = "scx correct --spikein CONTROL_SOURCE CONTROL_TARGET --sample SAMPLE... -o OUT";
const ANNOTATED_FORM: &str = "scx correct RUNS.h5ad --batch-key RUN --spikein COLUMN[=VALUE] -o OUT.h5ad";

impl CorrectArgs {
    /// Checks that the options fit together.
    ///
    /// # Errors
    /// [`CliError`] of wrong usage, with the right form.
    pub fn check(self) -> Result<Job, CliError> {
        let r = self;
        let preset = r.preset.unwrap_or(Preset::Default);
        let transform_given = r.transform.is_some() || r.model_dir.is_some();
        let transform = match (r.transform.unwrap_or(TransformArg::Arcsinh), r.cofactor) {
            (TransformArg::None, Some(_)) => {
                return Err(CliError::usage(
                    "--cofactor belongs to --transform arcsinh; leave one of them out",
                ));
            }
            (TransformArg::None, None) => Transform::None,
            (TransformArg::Arcsinh, c) => Transform::Arcsinh { cofactor: c.unwrap_or(5.0) },
        };
        if let Transform::Arcsinh { cofactor } = transform
            && !(cofactor.is_finite() && cofactor > 0.0)
        {
            return Err(CliError::usage(format!("--cofactor {cofactor}: expected a number above 0")));
        }
        let length = match (r.epochs, r.steps) {
            (Some(n), _) => Length::Epochs(n),
            (None, n) => Length::Steps(n.unwrap_or(3000)),
        };
        if matches!(length, Length::Steps(0) | Length::Epochs(0)) {
            return Err(CliError::usage("--steps and --epochs take a number above 0"));
        }
        let asked_model =
            !r.model_hidden.is_empty() || r.model_minibatch.or(r.model_learning_rate.map(|_| 0)).is_some();
        let lr = r.model_learning_rate.unwrap_or(1e-3);
        let minibatch = r.model_minibatch.unwrap_or(100);
        let hidden = if r.model_hidden.is_empty() { vec![500, 250, 50] } else { r.model_hidden };
        if !(lr.is_finite() && lr > 0.0) || minibatch == 0 || hidden.is_empty() || hidden.contains(&0) {
            return Err(CliError::usage(
                "model: learning_rate, minibatch and every hidden layer must be above 0, with at least one layer",
            ));
        }
        let stored = r.model_dir.is_some();
        let learnt = [
            ("--markers", r.markers.is_some()),
            ("--transform", r.transform.is_some()),
            ("--cofactor", r.cofactor.is_some()),
            ("--preset", r.preset.is_some()),
            ("--steps", r.steps.is_some()),
            ("--epochs", r.epochs.is_some()),
            ("--seed", r.seed.is_some()),
            ("model (in the configuration)", asked_model),
        ];
        if let Some((option, _)) = learnt.iter().find(|(_, given)| stored && *given) {
            return Err(CliError::usage(format!(
                "{option} is part of the stored edit: leave it out with --model-dir"
            )));
        }
        if stored && r.save_model.is_some() {
            return Err(CliError::usage(
                "--model-dir applies a stored edit and --save-model stores a new one; leave one out",
            ));
        }
        let biaxial = match (&r.biaxial, &r.report) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(CliError::usage("--biaxial is a figure of the report: add --report FILE.html"));
            }
            (Some(names), Some(_)) => match names.split_once(',') {
                Some((x, y)) if !y.contains(',') => Some([x.trim().to_owned(), y.trim().to_owned()]),
                _ => {
                    return Err(CliError::usage(format!(
                        "--biaxial {names}: expected two markers, as in CD4,IFNg"
                    )));
                }
            },
        };
        let cells = cells(r.input, r.batch_key, r.reference, r.spikein, r.holdout, &r.sample, stored)?;
        let output = r.output.ok_or_else(|| {
            CliError::usage(format!("-o OUT is missing: {FILES_FORM}, or {ANNOTATED_FORM}"))
        })?;
        let to = r.writing.to;
        let (outputs, out_dir) = outputs(&cells, output, to)?;
        Ok(Job {
            cells,
            outputs,
            out_dir,
            markers: r.markers,
            panel: r.panel,
            layer: r.layer,
            into_x: r.into_x,
            again: r.again,
            method: r.method.unwrap_or(Method::NeuronEdit),
            preset,
            transform,
            transform_given,
            train: TrainConfig::plain(minibatch, length, AdamConfig { lr, ..AdamConfig::default() }),
            hidden,
            seed: r.seed.unwrap_or(0),
            report: r.report,
            biaxial,
            save_model: r.save_model,
            model_dir: r.model_dir,
            config: r.config.config,
            reading: r.reading,
            writing: r.writing,
            running: r.running,
        })
    }
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
