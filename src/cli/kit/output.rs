//! How every verb ends: targets checked before any work, outputs planned or written, and what is said of them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::cli::kit::error::CliError;
use crate::cli::kit::files::{ReadArgs, WriteArgs};
use crate::cli::kit::process::print;
use crate::cli::kit::running::RunArgs;
use crate::cli::kit::{losses, targets};
use crate::data::Dataset;
use crate::io::{
    self, Additions, Format, Mark, Output, OutputPlan, ReadOptions, Table, Target, WriteOptions,
};
use crate::provenance::Record;

/// Version of the JSON object that every verb prints with `--json`.
const SCHEMA: u32 = 1;

/// The way out of one run of a verb.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Way<'a> {
    verb: &'static str,
    writing: &'a WriteArgs,
    running: &'a RunArgs,
    console: &'a Console,
    table: Option<Table>,
    merged: bool,
}

impl<'a> Way<'a> {
    pub(in crate::cli) fn new(
        verb: &'static str,
        writing: &'a WriteArgs,
        running: &'a RunArgs,
        console: &'a Console,
    ) -> Self {
        Self { verb, writing, running, console, table: None, merged: false }
    }

    /// With this table in a single CSV or Parquet file, unless another one is asked for.
    pub(in crate::cli) fn with_table(self, table: Table) -> Self {
        Self { table: Some(table), ..self }
    }

    /// Says once what became of an element in many outputs, and not of each output that it is written.
    pub(in crate::cli) fn merged(self) -> Self {
        Self { merged: true, ..self }
    }

    /// A target that can be written, its format told by `--to`, else by its name.
    ///
    /// # Errors
    /// [`CliError`] that says what to do.
    pub(in crate::cli) fn target(&self, path: &Path, inputs: &[&PathBuf]) -> Result<Target, CliError> {
        let format = targets::format(path, self.writing.to)?;
        self.target_of(path, format, inputs)
    }

    /// A target of this format.
    ///
    /// # Errors
    /// [`CliError`] that says what to do.
    pub(in crate::cli) fn target_of(
        &self,
        path: &Path,
        format: Format,
        inputs: &[&PathBuf],
    ) -> Result<Target, CliError> {
        if let Some(folder) = self.running.temp_dir.as_deref().filter(|d| !d.is_dir()) {
            return Err(CliError::usage(format!("--temp-dir {}: there is no such folder", folder.display())));
        }
        let force = self.writing.force;
        targets::check(path, inputs, force, io::folder_of(format, path).is_some())?;
        self.writing.refuse_idle(format)?;
        self.writing.warn_idle(format);
        Ok(Target { path: path.to_owned(), format, force })
    }

    /// A target with a place for columns of cells; `what` says what they are.
    ///
    /// # Errors
    /// [`CliError`] that names the formats that have one.
    pub(in crate::cli) fn target_for_columns(
        &self,
        path: &Path,
        inputs: &[&PathBuf],
        what: &str,
    ) -> Result<Target, CliError> {
        let format = targets::format(path, self.writing.to)?;
        // What is asked for as channels has a place.
        let channels = !self.writing.append.is_empty() && format.codec().uses(&io::fcs::APPEND);
        if format.has_columns() || channels {
            return self.target_of(path, format, inputs);
        }
        let all = io::CODECS.iter().map(|c| c.format).filter(|f| f.has_columns());
        let names: Vec<&str> = all.map(Format::name).collect();
        Err(CliError::usage(format!(
            "{}: {} has no place for {what}; write one of {}",
            path.display(),
            format.name(),
            names.join(", ")
        )))
    }

    /// Several targets, no two alike.
    ///
    /// # Errors
    /// [`CliError`] that says what to do.
    pub(in crate::cli) fn targets(
        &self,
        paths: &[&PathBuf],
        inputs: &[&PathBuf],
    ) -> Result<Vec<Target>, CliError> {
        targets::check_twins(paths)?;
        paths.iter().map(|path| self.target(path, inputs)).collect()
    }

    /// A data set on its way to a target.
    ///
    /// # Errors
    /// [`CliError`] when the target cannot hold the mark of made cells.
    pub(in crate::cli) fn output(
        &self,
        dataset: Dataset,
        from: Option<Format>,
        target: &Target,
    ) -> Result<Output<'a>, CliError> {
        Ok(Output::new(dataset, from, target.clone(), self.options(target), self.mark())?)
    }

    /// A data set as it was read, with additions, on its way to a target.
    ///
    /// # Errors
    /// [`CliError`] when the target cannot hold the mark of made cells.
    pub(in crate::cli) fn adding(
        &self,
        dataset: Dataset,
        from: Format,
        additions: Additions,
        target: &Target,
    ) -> Result<Output<'a>, CliError> {
        Ok(Output::adding(dataset, from, additions, target.clone(), self.options(target), self.mark())?)
    }

    fn options(&self, target: &Target) -> WriteOptions<'a> {
        let options = self.writing.options(self.running, self.console);
        match self.table {
            Some(table) => io::or_table(options, target, table),
            None => options,
        }
    }

    fn mark(&self) -> Mark {
        self.writing.mark.unwrap_or_default()
    }

    /// The record of the run as text; `None` with `--no-provenance`.
    ///
    /// # Errors
    /// [`CliError`] when it has no form in JSON.
    pub(in crate::cli) fn record(&self, record: &Record) -> Result<Option<String>, CliError> {
        if self.writing.no_provenance {
            return Ok(None);
        }
        let text = serde_json::to_string(record);
        text.map(Some).map_err(|e| CliError::input(format!("the record cannot be written: {e}")))
    }

    /// Whether nothing may be written.
    pub(in crate::cli) fn dry(&self) -> bool {
        self.running.dry_run
    }

    /// Writes all outputs, or none; only plans them in a dry run.
    ///
    /// # Errors
    /// [`CliError`] when one cannot be written.
    pub(in crate::cli) fn commit(&self, outputs: Vec<Output>) -> Result<Vec<OutputPlan>, CliError> {
        if self.dry() {
            return Ok(outputs.iter().map(Output::plan).collect::<Result<_, _>>()?);
        }
        self.console.check()?;
        let plans = outputs.iter().map(Output::outlook).collect();
        io::commit_all(outputs)?;
        Ok(plans)
    }

    /// Says what became of each element, or would: one JSON object with `object` in it, or text for people that ends with
    /// `text`.
    ///
    /// # Errors
    /// [`CliError::findings`] when something was lost and `--strict` asks to fail then.
    pub(in crate::cli) fn tell(
        &self,
        plans: &[OutputPlan],
        object: Value,
        text: &str,
    ) -> Result<(), CliError> {
        let lost: usize = plans.iter().map(|p| p.losses.lost().count()).sum();
        if self.running.json {
            print(&(self.envelope(plans, object, lost).to_string() + "\n"))?;
        } else if self.dry() {
            print("dry run, nothing is written:\n")?;
            if self.merged {
                print(&losses::plan_merged(plans))?;
            } else {
                for plan in plans {
                    print(&losses::plan(plan))?;
                }
            }
            print(text)?;
        } else {
            if self.merged {
                losses::say_merged(plans, self.console);
            } else {
                plans.iter().for_each(|plan| losses::say(&plan.losses, self.console));
            }
            print(text)?;
        }
        if !self.dry() && !self.merged {
            for plan in plans {
                self.console.say(&losses::wrote(plan));
            }
        }
        if self.writing.strict && lost > 0 {
            let named = plans.iter().filter(|p| p.losses.lost().next().is_some());
            let names: Vec<String> = named.map(|p| p.target.path.display().to_string()).collect();
            let names = if names.len() > 3 { vec![format!("{} files", names.len())] } else { names };
            let would = if self.dry() { "would be" } else { "were" };
            let what = format!("{}: {lost} elements {would} lost or changed (--strict)", names.join(", "));
            return Err(CliError::findings(what));
        }
        Ok(())
    }

    fn envelope(&self, plans: &[OutputPlan], object: Value, lost: usize) -> Value {
        let mut all = envelope(self.verb, object);
        let Value::Object(map) = &mut all else { return all };
        map.insert("dry_run".into(), self.dry().into());
        map.insert("lost".into(), lost.into());
        let mut described = plans.iter().map(|p| self.describe(p));
        match (plans.len(), described.next()) {
            (1, Some(Value::Object(one))) => map.extend(one),
            (_, first) => {
                map.insert("outputs".into(), first.into_iter().chain(described).collect());
            }
        }
        all
    }

    fn describe(&self, plan: &OutputPlan) -> Value {
        json!({
            "to": {
                "path": plan.target.path.display().to_string(), "format": plan.target.format.name(),
                "n_obs": plan.shape.0, "n_vars": plan.shape.1,
            },
            "elements": plan.losses.rows,
            "estimate": self.dry().then_some(plan.estimate),
        })
    }
}

/// The object that a verb prints with `--json`: its version and the verb before what the verb has to say.
pub(in crate::cli) fn envelope(verb: &str, object: Value) -> Value {
    let mut all = json!({"schema_version": SCHEMA, "verb": verb});
    if let (Value::Object(all), Value::Object(own)) = (&mut all, object) {
        all.extend(own);
    }
    all
}

/// Options of reading that follow from how a verb runs.
pub(in crate::cli) fn reading(reading: &ReadArgs, running: &RunArgs) -> ReadOptions {
    ReadOptions { scratch: running.temp_dir.clone(), ..reading.options(running.memory) }
}

/// SHA-256 of an input, for the record; empty for a folder, which has no bytes of its own.
///
/// # Errors
/// [`CliError`] when it cannot be read again.
pub(in crate::cli) fn hash(path: &Path) -> Result<String, CliError> {
    if path.is_dir() {
        return Ok(String::new());
    }
    crate::provenance::sha256(path)
        .map_err(|e| CliError::input(format!("{}: cannot be read again: {e}", path.display())))
}
