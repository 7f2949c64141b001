//! Looking into one file in a process of its own: damaged bytes can crash the HDF5 library or keep it busy for ever, and
//! neither may take the program with it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cli::kit::error::CliError;
use crate::cli::kit::files::ReadArgs;
use crate::cli::kit::signals::stop_code;
use crate::io::{self, CheckReport, Outline, ReadError};

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LookFor {
    /// Its outline.
    Info,
    /// Faults.
    Check,
    /// Faults in every byte.
    DeepCheck,
}

/// Arguments of the process that looks into one file.
#[derive(Debug, Args)]
pub struct LookInsideArgs {
    /// What for
    #[arg(value_enum)]
    pub what: LookFor,
    /// The file
    pub file: PathBuf,
    /// How to read
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// The answer of the other process.
#[derive(Debug, Serialize, Deserialize)]
enum Answer<T> {
    /// What was asked for.
    Found(T),
    /// The file could not be opened: message and exit code.
    Failed(String, u8),
}

/// How often the other process is looked after.
const PAUSE: Duration = Duration::from_millis(1);

/// The outline of a file and the name of its format.
///
/// # Errors
/// [`CliError`] when it cannot be opened, takes too long or crashes the library.
pub(in crate::cli) fn outline(
    file: &Path,
    reading: &ReadArgs,
    limit: Option<Duration>,
) -> Result<(String, Outline), CliError> {
    if io::is_hdf5(file) {
        return ask(LookFor::Info, file, reading, limit);
    }
    Ok(outlined(file, reading)?)
}

fn outlined(file: &Path, reading: &ReadArgs) -> Result<(String, Outline), ReadError> {
    io::outline(file, &reading.options(None)).map(|(name, outline)| (name.to_owned(), outline))
}

/// What a check of a file finds.
///
/// # Errors
/// [`CliError`] when it cannot be opened, takes too long or crashes the library.
pub(in crate::cli) fn check(
    file: &Path,
    reading: &ReadArgs,
    deep: bool,
    limit: Option<Duration>,
) -> Result<CheckReport, CliError> {
    if io::is_hdf5(file) {
        return ask(if deep { LookFor::DeepCheck } else { LookFor::Check }, file, reading, limit);
    }
    Ok(io::check(file, &reading.options(None), deep)?)
}

/// The other process: prints its answer as JSON.
pub(in crate::cli) fn answer(args: &LookInsideArgs) -> Result<(), CliError> {
    fn print<T: Serialize>(found: Result<T, ReadError>) -> Result<(), CliError> {
        let answer = match found.map_err(CliError::from) {
            Ok(found) => Answer::Found(found),
            Err(e) => Answer::Failed(e.to_string(), e.code()),
        };
        let text = serde_json::to_string(&answer).map_err(|e| CliError::input(e.to_string()))?;
        crate::cli::kit::process::print(&text)
    }
    let options = args.reading.options(None);
    match args.what {
        LookFor::Info => print(outlined(&args.file, &args.reading)),
        LookFor::Check => print(io::check(&args.file, &options, false)),
        LookFor::DeepCheck => print(io::check(&args.file, &options, true)),
    }
}

fn ask<T: DeserializeOwned + Send + 'static>(
    what: LookFor,
    file: &Path,
    reading: &ReadArgs,
    limit: Option<Duration>,
) -> Result<T, CliError> {
    let name = file.display();
    let lost =
        |e: std::io::Error| CliError::input(format!("{name}: cannot start a process to look into it: {e}"));
    let word = match what {
        LookFor::Info => "info",
        LookFor::Check => "check",
        LookFor::DeepCheck => "deep-check",
    };
    let mut child = Command::new(std::env::current_exe().map_err(lost)?)
        .args(["look-inside", word])
        .args(reading.words())
        .arg("--")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(lost)?;
    let out = child.stdout.take();
    // Read beside the wait: a full pipe would keep the other process from ending.
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        out.map(|mut o| o.read_to_end(&mut text));
        text
    });
    let started = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait().map_err(lost)? {
            break Ok(status);
        }
        if let Some(code) = stop_code() {
            break Err(CliError::stopped(code));
        }
        if limit.is_some_and(|l| started.elapsed() >= l) {
            let seconds = limit.unwrap_or_default().as_secs();
            break Err(CliError::input(format!(
                "{name}: the HDF5 library was not done after {seconds} seconds: the file is damaged (copy or download it \
                 again), or very large (give more time with --timeout)"
            )));
        }
        std::thread::sleep(PAUSE);
    };
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let status = ended?;
    let text = reader.join().unwrap_or_default();
    match serde_json::from_slice(&text) {
        Ok(Answer::Found(found)) => Ok(found),
        Ok(Answer::Failed(message, code)) => Err(CliError::passed_on(message, code)),
        Err(_) => Err(CliError::input(format!(
            "{name}: the HDF5 library crashed on it ({}): the file is damaged; copy or download it again",
            how(status)
        ))),
    }
}

/// How a process ended.
fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.to_string()
}
