//! What a run of `correct` came to: shown, drawn and written by others.

use crate::cli::correct::inputs::Inputs;
use crate::cli::kit::error::CliError;
use crate::correct::{Fitted, RunFit, SampleScore, Verdict};

/// What a run of `correct` came to.
pub(in crate::cli) struct Outcome {
    /// What was read.
    pub inputs: Inputs,
    /// What was learnt.
    pub fitted: Fitted,
    /// One score a sample.
    pub scores: Vec<SampleScore>,
    /// What to think of it; none with `--only`.
    pub verdict: Option<Verdict>,
}

impl Outcome {
    /// What a sample is called before people: its file, or its run.
    pub(in crate::cli) fn title(&self, score: &SampleScore) -> String {
        match self.inputs.reference {
            Some(_) => format!("run {}", score.sample),
            None => score.sample.clone(),
        }
    }
}

/// What was learnt for a run.
pub(in crate::cli) fn run_fit<'a>(fitted: &'a Fitted, run: &str) -> Result<&'a RunFit, CliError> {
    fitted.run(run).ok_or_else(|| CliError::usage(format!("nothing was learnt for run {run}")))
}
