//! From arguments to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use super::command::{Cli, Command};
use super::kit::error::CliError;
use super::kit::{apart, config, console, process, signals};
use super::{
    augment, check, classify, cluster, concat, convert, correct, demo, docs, evaluate, generate, info,
    models, panel, predict, preprocess, simulate, split, train,
};

/// Runs scx with these arguments and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    crate::io::prepare();
    console::show_warnings();
    signals::listen();
    let parsed = config::expand(args.into_iter().collect()).map(|args| {
        Cli::command().try_get_matches_from(args).and_then(|m| Ok((Cli::from_arg_matches(&m)?, m)))
    });
    let (cli, matches) = match parsed {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(e)) => {
            let help = matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // A reader that closed the pipe has seen what it wanted.
            let _ = e.print();
            return if help { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
        Err(e) => return failed(&e),
    };
    match config::printed(&matches).map(|text| text.map(|t| process::print(&t))) {
        Ok(None) => {}
        Ok(Some(Ok(()))) => return ExitCode::SUCCESS,
        Ok(Some(Err(e))) | Err(e) => return failed(&e),
    }
    let done = match cli.command {
        Command::Correct(args) => correct::run(*args),
        Command::Convert(args) => convert::run(&args),
        Command::Preprocess(args) => preprocess::run(&args),
        Command::Split(args) => split::run(&args),
        Command::Cluster(args) => cluster::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Concat(args) => concat::run(&args),
        Command::Augment(args) => augment::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Classify(args) => classify::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Models(args) => models::run(&args),
        Command::Info(args) => info::run(&args),
        Command::Panel(args) => panel::run(&args),
        Command::Check(args) => check::run(&args),
        Command::LookInside(args) => apart::answer(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man => docs::man(),
        Command::Help { topic } => docs::help(topic.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => failed(&e),
    }
}

fn failed(e: &CliError) -> ExitCode {
    console::line(&format!("error: {e}"));
    ExitCode::from(e.code())
}
