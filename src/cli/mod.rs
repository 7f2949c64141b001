//! The program around the library: arguments, settings, messages, exit codes.

mod apart;
pub mod args;
mod columns;
mod commands;
pub mod config;
mod console;
mod corrected;
mod error;
mod estimate;
mod inputs;
mod learn;
mod losses;
mod outcome;
mod outputs;
mod page;
mod panel;
pub mod settings;
mod show;
mod signals;
mod targets;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use error::CliError;

/// Runs scx with these arguments and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    crate::io::prepare();
    console::show_warnings();
    signals::listen();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            let help = matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // A reader that closed the pipe has seen what it wanted.
            let _ = e.print();
            return if help { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    let done = match cli.command {
        Command::Correct(args) => commands::correct::run(*args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Preprocess(args) => commands::preprocess::run(&args),
        Command::Split(args) => commands::split::run(&args),
        Command::Cluster(args) => commands::cluster::run(&args),
        Command::Evaluate(args) => commands::evaluate::run(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Concat(args) => commands::concat::run(&args),
        Command::Augment(args) => commands::augment::run(&args),
        Command::Generate(args) => commands::generate::run(&args),
        Command::Train(args) => commands::train::run(&args),
        Command::Classify(args) => commands::classify::run(&args),
        Command::Models(args) => commands::models::run(&args),
        Command::Info(args) => commands::info::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::LookInside(args) => apart::answer(&args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::Completions { shell } => commands::docs::completions(shell),
        Command::Man => commands::docs::man(),
        Command::Help { topic } => commands::docs::help(topic.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            console::line(&format!("error: {e}"));
            ExitCode::from(e.code())
        }
    }
}

/// Prints a result on stdout. A reader that closed the pipe early is no error.
///
/// # Errors
/// [`CliError`] when stdout cannot be written for another reason.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::input(format!("cannot write to stdout: {e}")))
        }
        _ => Ok(()),
    }
}

/// More threads than any machine has cores; a mistyped number must not bring it down.
const MOST_THREADS: usize = 1024;

/// Runs work on that many threads (0: all cores).
///
/// # Errors
/// [`CliError`] when the threads cannot be started, or what the work says.
fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<T, CliError> + Send,
) -> Result<T, CliError> {
    if threads > MOST_THREADS {
        return Err(CliError::usage(format!(
            "--threads {threads}: at most {MOST_THREADS}; 0 takes all cores"
        )));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| CliError::usage(format!("--threads {threads}: {e}")))?;
    pool.install(work)
}
