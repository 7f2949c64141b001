//! Errors of the command line and the exit code each kind has.

use crate::cli::kit::signals::stop_code;
use crate::cluster::ClusterError;
use crate::concat::ConcatError;
use crate::correct::CorrectError;
use crate::data::DataError;
use crate::data::counts::CountsError;
use crate::eval::generation::GenerationError;
use crate::generate::GenerateError;
use crate::io::{ReadError, WriteError};
use crate::linalg::LinalgError;
use crate::loader::LabelError;
use crate::nn::NnError;
use crate::panel::PanelError;
use crate::predict::PredictError;
use crate::recipe::RecipeError;
use crate::sheet::SheetError;
use crate::simulate::splat::SplatError;
use crate::zoo::ZooError;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    message: String,
    code: u8,
}

/// The meaning of each exit code, for people.
pub(in crate::cli) const EXIT_CODES: &str = "\
Exit codes of scx:
  0    done (a reader that closed the pipe early counts as done)
  1    finished, but with findings to fail on: `check` found a fault, something was lost and `--strict` was given,
       or `--keep-going` left inputs out
  2    wrong usage: an option that does not fit, a column, run or marker that no file has, an output that exists
       without --force, or whose folder is not there
  3    bad input: missing, damaged, of an unsupported kind, not enough cells to learn from, or a marker that is
       known but that the files do not agree on
  4    numerical failure: training diverged, or a result is no number
  5    resource: the disk is full, a file asks for more memory than allowed, or the target cannot hold the data
  130  stopped by Ctrl-C; nothing was written
  143  stopped by a termination signal; nothing was written";

impl CliError {
    /// Wrong usage: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// A matrix that was asked for cannot be X: it was left out when the file was read, or is not there.
    pub fn arranged(e: &DataError) -> Self {
        match e {
            DataError::LeftOut { .. } => Self::input(e.to_string()),
            e => Self::usage(e.to_string()),
        }
    }

    /// Bad input: exit 3.
    pub fn input(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 3 }
    }

    /// The target cannot hold the data, or a resource is too small: exit 5.
    pub fn resource(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 5 }
    }

    /// Finished, with findings the user asked to fail on: exit 1.
    pub fn findings(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// Stopped by a signal.
    pub fn stopped(code: u8) -> Self {
        Self { message: "stopped; nothing was written".into(), code }
    }

    /// Stopped because somebody asked for it.
    fn cancelled() -> Self {
        Self::stopped(stop_code().unwrap_or(130))
    }

    /// Stopped by a signal, with work that can be taken up again.
    pub fn stopped_with(message: String) -> Self {
        Self { message, code: stop_code().unwrap_or(130) }
    }

    /// Puts the name of the file it is about before the message.
    #[must_use]
    pub fn within(self, file: &str) -> Self {
        if self.code >= 128 || self.message.starts_with(file) {
            return self;
        }
        Self { message: format!("{file}: {}", self.message), ..self }
    }

    /// Adds words at the end of the message.
    #[must_use]
    pub(in crate::cli) fn with(self, more: &str) -> Self {
        Self { message: self.message + more, ..self }
    }

    /// An error another process of ours ended with.
    pub(in crate::cli) fn passed_on(message: String, code: u8) -> Self {
        Self { message, code }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

/// The message of an error and of its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let more = e.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = e.source();
    }
    text
}

impl From<ReadError> for CliError {
    fn from(e: ReadError) -> Self {
        let code = match e {
            ReadError::TooLarge { .. } => 5,
            ReadError::NotThere { .. } => 2,
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<WriteError> for CliError {
    fn from(e: WriteError) -> Self {
        let code = match e {
            WriteError::Exists { .. }
            | WriteError::NoPlace { .. }
            | WriteError::NotPlain { .. }
            | WriteError::NotFolder { .. }
            | WriteError::NoFolder { .. }
            | WriteError::NotThere { .. }
            | WriteError::Stranger { .. } => 2,
            WriteError::Full { .. } | WriteError::Scratch { .. } | WriteError::CannotHold { .. } => 5,
            WriteError::Cancelled { .. } => stop_code().unwrap_or(130),
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<SheetError> for CliError {
    fn from(e: SheetError) -> Self {
        match e {
            SheetError::Read(e) => e.into(),
            SheetError::Missing { .. } => Self::usage(chain(&e)),
            SheetError::Row { .. } => Self::input(chain(&e)),
        }
    }
}

impl From<ZooError> for CliError {
    fn from(e: ZooError) -> Self {
        let code = match e {
            ZooError::Diverged { .. } => 4,
            ZooError::Cancelled { .. } => stop_code().unwrap_or(130),
            ZooError::Config { .. } | ZooError::Exists { .. } => 2,
            ZooError::Full { .. } => 5,
            ZooError::Checkpoint { .. } => 3,
            // Sizes that no network can have, and minibatches too small for one: settings.
            ZooError::Nn(NnError::Parameter { .. }) => 2,
            ZooError::Nn(_) => 4,
        };
        Self { message: chain(&e), code }
    }
}

impl From<CorrectError> for CliError {
    fn from(e: CorrectError) -> Self {
        let code = match e {
            CorrectError::Usage { .. } => 2,
            CorrectError::Numerical { .. } => 4,
            CorrectError::Input { .. } | CorrectError::Data { .. } => 3,
            CorrectError::Read(e) => return e.into(),
            CorrectError::Write(e) => return e.into(),
            CorrectError::Zoo(e) => return e.into(),
            CorrectError::Panel(e) => return e.into(),
        };
        Self { message: chain(&e), code }
    }
}

impl From<PanelError> for CliError {
    fn from(e: PanelError) -> Self {
        let code = match e {
            PanelError::Usage { .. } => 2,
            PanelError::Input { .. } | PanelError::Data { .. } => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<CountsError> for CliError {
    fn from(e: CountsError) -> Self {
        let code = match e {
            // A place that is not there is the user's, anything else the file's fault.
            CountsError::Missing { .. } | CountsError::NoFeatures { .. } => 2,
            CountsError::Keep(DataError::Scratch { .. })
            | CountsError::Data { source: DataError::Scratch { .. }, .. } => 5,
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<GenerateError> for CliError {
    fn from(e: GenerateError) -> Self {
        let code = match e {
            GenerateError::Usage { .. }
            | GenerateError::Labels(LabelError::Missing { .. } | LabelError::Unknown { .. }) => 2,
            GenerateError::Counts(e) => return e.into(),
            GenerateError::Exhausted { .. } => 4,
            GenerateError::TooLarge { .. }
            | GenerateError::Data(DataError::Scratch { .. })
            | GenerateError::Concat(ConcatError::CannotHold { .. }) => 5,
            GenerateError::Zoo(e) => return e.into(),
            GenerateError::Cluster(e) => return e.into(),
            GenerateError::Cancelled => return Self::cancelled(),
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<ClusterError> for CliError {
    fn from(e: ClusterError) -> Self {
        let e = match e {
            ClusterError::Counts(e) => return e.into(),
            e => e,
        };
        let code = match &e {
            ClusterError::Usage { .. } => 2,
            ClusterError::Cancelled => return Self::cancelled(),
            ClusterError::Recipe(RecipeError::Usage { .. }) => 2,
            ClusterError::Data(DataError::Scratch { .. }) => 5,
            ClusterError::Recipe(RecipeError::Numerical { .. }) => 4,
            ClusterError::Linalg(LinalgError::TooManyRows { .. }) => 5,
            ClusterError::Linalg(_) => 4,
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<GenerationError> for CliError {
    fn from(e: GenerationError) -> Self {
        let code = match &e {
            GenerationError::Cancelled => return Self::cancelled(),
            GenerationError::Linalg(LinalgError::TooManyRows { .. }) => 5,
            GenerationError::Linalg(_) | GenerationError::Augment { .. } => 4,
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<PredictError> for CliError {
    fn from(e: PredictError) -> Self {
        let code = match e {
            PredictError::Usage { .. } => 2,
            PredictError::TooLarge { .. } => 5,
            PredictError::Recipe(e) => return e.into(),
            PredictError::Linalg(LinalgError::TooManyRows { .. } | LinalgError::TooWide { .. }) => 5,
            PredictError::Linalg(LinalgError::NotFinite { .. }) => 3,
            PredictError::Linalg(_) => 4,
            PredictError::Data(DataError::Scratch { .. }) => 5,
            PredictError::Cancelled => {
                return Self::stopped(crate::cli::kit::signals::stop_code().unwrap_or(130));
            }
            PredictError::Input { .. } | PredictError::Data(_) => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<RecipeError> for CliError {
    fn from(e: RecipeError) -> Self {
        let code = match &e {
            RecipeError::Usage { .. } => 2,
            RecipeError::Numerical { .. } => 4,
            RecipeError::Data(DataError::Scratch { .. }) => 5,
            RecipeError::Cancelled => return Self::cancelled(),
            _ => 3,
        };
        Self { message: chain(&e), code }
    }
}

impl From<SplatError> for CliError {
    fn from(e: SplatError) -> Self {
        let code = match &e {
            SplatError::Parameter { .. } | SplatError::Label { .. } => 2,
            SplatError::Input { .. } => 3,
            SplatError::TooLarge { .. } => 5,
            SplatError::Cancelled => return Self::cancelled(),
        };
        Self { message: chain(&e), code }
    }
}
