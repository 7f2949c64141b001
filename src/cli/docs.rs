//! `scx completions`, `scx man`, `scx help`.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::kit::error::{CliError, EXIT_CODES};
use crate::cli::kit::losses;
use crate::cli::kit::process::print;

/// Prints a completion script.
pub(in crate::cli) fn completions(shell: clap_complete::Shell) -> Result<(), CliError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "scx", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Prints the manual: one page for scx, then one for each verb.
pub(in crate::cli) fn man() -> Result<(), CliError> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let render = |c: clap::Command, text: &mut Vec<u8>| {
        clap_mangen::Man::new(c)
            .render(text)
            .map_err(|e| CliError::input(format!("cannot make the page: {e}")))
    };
    render(command.clone(), &mut text)?;
    for verb in command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        render(verb.clone(), &mut text)?;
    }
    print(&String::from_utf8_lossy(&text))
}

/// Prints help on a verb or a topic.
pub(in crate::cli) fn help(topic: Option<&str>) -> Result<(), CliError> {
    let mut command = Cli::command();
    let text = match topic {
        None => command.render_long_help().to_string(),
        Some("exit-codes") => EXIT_CODES.to_owned() + "\n",
        Some("losses") => losses::rules(),
        Some(verb) => match command.find_subcommand_mut(verb) {
            Some(c) if !c.is_hide_set() => {
                c.clone().bin_name(format!("scx {verb}")).render_long_help().to_string()
            }
            _ => {
                let verbs: Vec<_> = Cli::command()
                    .get_subcommands()
                    .filter(|c| !c.is_hide_set())
                    .map(|c| c.get_name().to_owned())
                    .collect();
                return Err(CliError::usage(format!(
                    "no help on {verb}; there is help on {}, exit-codes and losses",
                    verbs.join(", ")
                )));
            }
        },
    };
    print(&text)
}
