//! `--config` and `--print-config` of every verb: a YAML file with the words of its options, turned into arguments before
//! these are parsed. What the command line says wins, also over options it does not go with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, CommandFactory};
use serde_yaml::{Mapping, Value};

use crate::cli::Cli;
use crate::cli::kit::error::CliError;
use crate::correct::did_you_mean;

/// Options from a file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Running")]
pub struct ConfigArgs {
    /// Read options from a YAML file; flags win over it
    #[arg(long, value_name = "FILE.yaml")]
    pub config: Option<PathBuf>,
    /// Print all options as YAML that --config can read, and stop
    #[arg(long)]
    pub print_config: bool,
}

/// Options that say what to do with a configuration, and are none of it.
const OWN: [&str; 5] = ["config", "print_config", "help", "version", "resume"];

/// Whether a verb reads its configuration here.
fn configured(command: &Command) -> bool {
    command.get_arguments().any(|a| a.get_id() == "config")
}

/// The verb that is called, with its own verb where it has one.
fn called(mut matches: &ArgMatches) -> Option<(Command, &ArgMatches)> {
    let mut command = Cli::command();
    command.build();
    while let Some((name, inner)) = matches.subcommand() {
        command = command.find_subcommand(name)?.clone();
        matches = inner;
    }
    configured(&command).then_some((command, matches))
}

/// The arguments with those of a configuration file behind them.
///
/// # Errors
/// [`CliError`] when the file cannot be read or says something the verb does not know.
pub(in crate::cli) fn expand(mut args: Vec<OsString>) -> Result<Vec<OsString>, CliError> {
    // Errors are for the parser that sees all arguments.
    let Ok(matches) = Cli::command().ignore_errors(true).try_get_matches_from(&args) else { return Ok(args) };
    let Some((command, given)) = called(&matches) else { return Ok(args) };
    let Ok(Some(path)) = given.try_get_one::<PathBuf>("config") else { return Ok(args) };
    let mut positional = Vec::new();
    for (key, value) in read(path, &command)? {
        let arg = find(&command, &key, path)?;
        let against =
            |a: &Arg, b: &Arg| command.get_arg_conflicts_with(a).iter().any(|c| c.get_id() == b.get_id());
        let replaced = |a: &Arg| a.get_id() == arg.get_id() || against(a, arg) || against(arg, a);
        if command.get_arguments().any(|a| on_the_command_line(given, a) && replaced(a)) {
            continue;
        }
        for word in words(arg, &value, path)? {
            match arg.get_long() {
                _ if matches!(arg.get_action(), ArgAction::SetTrue) => args.push(format!("--{word}").into()),
                Some(long) => args.push(format!("--{long}={word}").into()),
                None => positional.push(OsString::from(word)),
            }
        }
    }
    if !positional.is_empty() {
        args.push("--".into());
        args.extend(positional);
    }
    Ok(args)
}

/// The options in use as YAML, when that is what the call asks for.
///
/// # Errors
/// [`CliError`] when a path is no valid text.
pub(in crate::cli) fn printed(matches: &ArgMatches) -> Result<Option<String>, CliError> {
    let Some((command, given)) = called(matches) else { return Ok(None) };
    if !matches!(given.try_get_one::<bool>("print_config"), Ok(Some(true))) {
        return Ok(None);
    }
    let mut map = Mapping::new();
    for arg in command.get_arguments().filter(|a| !OWN.contains(&a.get_id().as_str())) {
        let id = arg.get_id().as_str();
        let Ok(Some(raw)) = given.try_get_raw(id) else { continue };
        let texts = raw.map(|r| r.to_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        let Some(texts) = texts else {
            let what =
                format!("{id}: is no valid text, and YAML holds text only; the options cannot be written");
            return Err(CliError::usage(what));
        };
        let mut values: Vec<Value> = texts.iter().map(|t| typed(t)).collect();
        let many = matches!(arg.get_action(), ArgAction::Append);
        let value = match values.pop() {
            Some(one) if values.is_empty() && !many => one,
            Some(last) => Value::Sequence(values.into_iter().chain([last]).collect()),
            None => continue,
        };
        if value != Value::Bool(false) {
            map.insert(id.into(), value);
        }
    }
    let text = serde_yaml::to_string(&map);
    text.map(Some).map_err(|e| CliError::usage(format!("the options cannot be written as YAML: {e}")))
}

fn on_the_command_line(given: &ArgMatches, arg: &Arg) -> bool {
    let id = arg.get_id().as_str();
    given.try_contains_id(id).is_ok() && given.value_source(id) == Some(ValueSource::CommandLine)
}

fn read(path: &Path, command: &Command) -> Result<Vec<(String, Value)>, CliError> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::input(format!("{name}: cannot read the configuration: {e}")))?;
    let wrong = |e: String| {
        CliError::usage(format!("{name}: not a configuration of scx {}: {e}", command.get_name()))
    };
    let value: Value = serde_yaml::from_str(&text).map_err(|e| {
        let e = e.to_string();
        let line = repeated(&text, &e).map_or_else(String::new, |n| format!(" (line {n})"));
        wrong(e + &line)
    })?;
    let map = match value {
        Value::Mapping(map) => map,
        Value::Null => Mapping::new(),
        _ => return Err(wrong("expected names and values, as in `seed: 1`".into())),
    };
    let mut pairs = Vec::new();
    for (key, value) in map {
        match (key, value) {
            // `model: {minibatch: 100}` is --model-minibatch 100.
            (Value::String(group), Value::Mapping(inner)) if !takes_map(command, &group) => {
                pairs.extend(
                    inner.into_iter().map(|(key, value)| (format!("{group}_{}", name_of(&key)), value)),
                );
            }
            (Value::String(key), value) => pairs.push((key, value)),
            (other, _) => return Err(wrong(format!("{} is no name of an option", name_of(&other)))),
        }
    }
    Ok(pairs)
}

/// The line on which a name stands for the second time, where that is what the parser refuses without a place.
fn repeated(text: &str, refusal: &str) -> Option<usize> {
    let key = refusal.split("duplicate entry with key \"").nth(1)?.split('"').next()?;
    let named = |line: &str| line.trim_start().trim_matches(['"', '\'']).starts_with(&format!("{key}:"));
    text.lines().enumerate().filter(|(_, line)| named(line)).nth(1).map(|(i, _)| i + 1)
}

/// Whether an option takes names and values as JSON.
fn takes_map(command: &Command, group: &str) -> bool {
    command.get_arguments().any(|a| a.get_id() == group && a.get_value_names() == Some(&["JSON".into()]))
}

fn name_of(key: &Value) -> String {
    key.as_str()
        .map_or_else(|| serde_yaml::to_string(key).unwrap_or_default().trim().to_owned(), str::to_owned)
}

fn find<'a>(command: &'a Command, key: &str, path: &Path) -> Result<&'a Arg, CliError> {
    let id = key.replace('-', "_");
    let known = || command.get_arguments().filter(|a| !OWN.contains(&a.get_id().as_str()));
    known().find(|a| a.get_id().as_str() == id).ok_or_else(|| {
        let all: Vec<&str> = known().map(|a| a.get_id().as_str()).collect();
        let names: Vec<&str> = known().filter(|a| !a.is_hide_set()).map(|a| a.get_id().as_str()).collect();
        CliError::usage(format!(
            "{}: not a configuration of scx {}: unknown field {}{}; there are {}",
            place(path, &id),
            command.get_name(),
            key.replacen("model_", "model: ", 1),
            did_you_mean(&id, all),
            names.join(", ")
        ))
    })
}

/// The words that a value would be on the command line, checked as these would be.
fn words(arg: &Arg, value: &Value, path: &Path) -> Result<Vec<String>, CliError> {
    let wrong = |expected: &str| {
        let found = serde_yaml::to_string(value).unwrap_or_default();
        let id = arg.get_id();
        let at = place(path, id.as_str());
        Err(CliError::usage(format!("{at}: {id}: found {}, expected {expected}", found.trim())))
    };
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return match value {
            Value::Bool(true) => Ok(arg.get_long().map(str::to_owned).into_iter().collect()),
            Value::Bool(false) | Value::Null => Ok(Vec::new()),
            _ => wrong("true or false"),
        };
    }
    let one = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Bool(b) => Some(b.to_string()),
        // YAML writes `.nan` where Rust writes `NaN`.
        Value::Number(n) if n.as_f64().is_some_and(|x| !x.is_finite()) => n.as_f64().map(|x| x.to_string()),
        Value::Number(n) => Some(n.to_string()),
        Value::Mapping(_) => serde_json::to_string(v).ok(),
        _ => None,
    };
    let words = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Sequence(list) if list.is_empty() => return wrong("at least one value"),
        Value::Sequence(list) if matches!(arg.get_action(), ArgAction::Append) => {
            match list.iter().map(one).collect::<Option<Vec<_>>>() {
                Some(words) => words,
                None => return wrong("a list of texts or numbers"),
            }
        }
        v => match one(v) {
            Some(word) => vec![word],
            None => return wrong("one text or number"),
        },
    };
    match words.iter().find_map(|word| refusal(arg, word)) {
        Some(expected) => wrong(&expected),
        None => Ok(words),
    }
}

/// Why an option does not take this word; `None` when it does.
fn refusal(arg: &Arg, word: &str) -> Option<String> {
    let alone = Arg::new("value")
        .long("value")
        .value_parser(arg.get_value_parser().clone())
        .allow_hyphen_values(true)
        .value_delimiter(arg.get_value_delimiter())
        .num_args(1..);
    let e = Command::new("value")
        .no_binary_name(true)
        .arg(alone)
        .try_get_matches_from(["--value", word])
        .err()?;
    let known = arg.get_possible_values();
    let names: Vec<&str> = known.iter().filter(|v| !v.is_hide_set()).map(|v| v.get_name()).collect();
    if !names.is_empty() {
        return Some(format!("one of {}", names.join(", ")));
    }
    let text = e.to_string();
    let why = text.lines().next().and_then(|l| l.rsplit_once(": ")).map_or("another value", |(_, why)| why);
    let why = why.strip_prefix("expected ").unwrap_or(why);
    Some(if why.contains("invalid") { "a number".to_owned() } else { why.to_owned() })
}

/// The file with the line the name of an option stands on, dashes in it written as `_`.
fn place(path: &Path, key: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(|l| l.split('#').next().unwrap_or_default()).collect();
    let starts = |line: &str, key: &str| line.trim_start().replace('-', "_").starts_with(&format!("{key}:"));
    let inside = |line: &str, key: &str| line.split([' ', '{', ',']).any(|word| word == format!("{key}:"));
    // The option by its own name, else `model: {minibatch: …}`, on one line or on several.
    let nested = || {
        let (group, last) = key.split_once('_')?;
        let from = lines.iter().position(|l| starts(l, group))?;
        (from..lines.len()).find(|&i| inside(lines[i], last))
    };
    let line = lines.iter().position(|l| starts(l, key)).or_else(nested);
    line.map_or_else(|| path.display().to_string(), |n| format!("{}: line {}", path.display(), n + 1))
}

/// A number where the text is one that comes back the same, otherwise text.
fn typed(text: &str) -> Value {
    match text {
        "true" => return Value::Bool(true),
        "false" => return Value::Bool(false),
        // The settings of a model.
        map if map.starts_with('{') => return serde_yaml::from_str(map).unwrap_or_else(|_| map.into()),
        _ => {}
    }
    match text.parse::<i64>() {
        Ok(n) if n.to_string() == text => return n.into(),
        _ => {}
    }
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && x.to_string() == text => x.into(),
        _ => text.into(),
    }
}
