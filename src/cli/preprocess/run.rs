//! `scx preprocess`.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::kit::console::Console;
use crate::cli::kit::counts_args::{self, CountsArgs};
use crate::cli::kit::error::CliError;
use crate::cli::kit::output::{Way, reading};
use crate::cli::kit::process::on_threads;
use crate::cli::kit::show::thousands;
use crate::cli::preprocess::PreprocessArgs;
use crate::cli::preprocess::plan::{self, RecipePlan, plan};
use crate::data::counts::{self, CountsError, Features, Place, Taken, Wanted};
use crate::data::{Column, Dataset, GeneNames, Uns, Values, synthetic};
use crate::io::{self, DEFAULT_MEMORY};
use crate::provenance::Record;
use crate::recipe::{FittedRecipe, FittedStep, Options, Recipe, ReplayNotes, Step, on_features};

/// Runs the verb.
pub(in crate::cli) fn run(args: &PreprocessArgs) -> Result<(), CliError> {
    let console = Console::new(args.running.quiet);
    on_threads(args.running.threads.unwrap_or(0), || execute(args, &console))
}

fn execute(args: &PreprocessArgs, console: &Console) -> Result<(), CliError> {
    let mut plan = plan(args)?;
    let way = Way::new("preprocess", &args.writing, &args.running, console);
    let mut inputs = vec![&args.input];
    inputs.extend(&args.replay);
    let target = way.target(&args.output, &inputs)?;
    let from = io::detect(&args.input)?;
    let mut dataset = (from.read)(&args.input, &reading(&args.reading, &args.running).towards(&args.output))?;
    let before = dataset.shape();
    if let Some(made) = synthetic::mask(&dataset) {
        let n = made.iter().filter(|m| **m).count();
        tracing::warn!(
            "{}: {n} cells were made by scx; filters, variable genes and means look at them as at the real ones",
            args.input.display()
        );
    }
    let at_file = |e: CliError| e.within(&args.input.display().to_string());
    let (mut counts, features) = choose_matrix(args, &plan, &mut dataset).map_err(at_file)?;
    if let RecipePlan::Fit(recipe) = &mut plan {
        fill_channels(recipe, args.markers.as_deref(), &dataset)?;
        fill_spillover(recipe, args, &dataset).map_err(at_file)?;
    }
    if way.dry() {
        add_columns(&mut dataset, &plan);
        let plans = way.commit(vec![way.output(dataset, Some(from.format), &target)?])?;
        let (object, text) = outlook(args, &plan, counts.as_ref(), before);
        return way.tell(&plans, object, &text);
    }
    let options = Options {
        memory: args.running.memory.unwrap_or(DEFAULT_MEMORY),
        progress: console,
        force_space: args.force_space,
        max_missing: args.max_missing.unwrap_or(Options::default().max_missing),
        gene_column: args.gene_column.as_deref(),
    };
    let done = on_features(&mut dataset, features.as_ref(), |part| {
        if let Some(taken) = &mut counts {
            counts::round_main(part, taken, options.memory)?;
        }
        Ok(match &plan {
            RecipePlan::Fit(recipe) => (recipe.fit_apply(part, &options)?, None),
            RecipePlan::Replay(fitted) => ((**fitted).clone(), Some(fitted.replay(part, &options)?)),
        })
    });
    let (fitted, notes) = done.map_err(at_file)?;
    // Where the values before have no place, nobody may take the matrix for one that is still to be applied.
    let compensates = |s: &FittedStep| matches!(s, FittedStep::Compensate { .. });
    if !target.format.has_layers() && fitted.steps.iter().any(compensates) {
        io::fcs::mark_compensated(&mut dataset);
    }
    let done = Done { before, counts, features, fitted, notes };
    done.say(&dataset, console);
    let record = way.record(&record(args, &plan, &done, &dataset))?;
    let object = done.json(args, &dataset);
    let output = way.output(dataset, Some(from.format), &target)?.with_record(record);
    way.tell(&way.commit(vec![output])?, object, "")
}

/// X as the recipe needs it, what was asked for or raw counts from where they are, and the features it works on.
fn choose_matrix(
    args: &PreprocessArgs,
    plan: &RecipePlan,
    dataset: &mut Dataset,
) -> Result<(Option<Taken>, Option<Features>), CliError> {
    let (round, feature_type) = (args.round, args.feature_type.clone());
    let wanted = CountsArgs { layer: None, round, feature_type }.wanted_linear();
    if let Some(name) = &args.layer {
        dataset.arrange(Some(name), &[]).map_err(|e| CliError::usage(e.to_string()))?;
        if !round {
            return Ok((None, Features::of(&dataset.var, &wanted.features, &Place::X)?));
        }
    }
    let needed = match plan {
        RecipePlan::Fit(recipe) => recipe.needs_counts(),
        RecipePlan::Replay(fitted) => fitted.needs_counts(),
    };
    if !needed && !round {
        return Ok((None, Features::of(&dataset.var, &wanted.features, &Place::X)?));
    }
    let wanted = if args.layer.is_some() { Wanted { place: Some(Place::X), ..wanted } } else { wanted };
    let taken = match counts::find(dataset, &wanted) {
        Err(CountsError::NotCounts { found, .. }) if args.force_space && dataset.x.is_some() => {
            let features = Features::of(&dataset.var, &wanted.features, &Place::X)?;
            Taken { fractions: Some(found), features, ..Taken::plain(Place::X) }
        }
        Err(CountsError::NotCounts { found, advice }) if !round => {
            let advice = format!("{advice}; --force-space goes on with X all the same");
            return Err(CountsError::NotCounts { found, advice }.into());
        }
        found => found?,
    };
    counts::make_main(dataset, &taken)?;
    let features = taken.features.clone();
    Ok((Some(taken), features))
}

/// Scales of cytometry are for the markers asked for, else for markers and not for time and scatter, where a file tells
/// them apart.
fn fill_channels(recipe: &mut Recipe, asked: Option<&str>, dataset: &Dataset) -> Result<(), CliError> {
    if asked.is_none() && dataset.var.column("marker").is_none() {
        return Ok(());
    }
    let curved = |s: &Step| matches!(s, Step::Arcsinh { .. } | Step::Logicle { .. });
    if asked.is_some() && !recipe.steps.iter().any(curved) {
        return Err(CliError::usage(
            "--markers: no step works on markers; give --arcsinh, --logicle or --recipe cytof",
        ));
    }
    for step in &mut recipe.steps {
        let (Step::Arcsinh { channels, .. } | Step::Logicle { channels, .. }) = step else { continue };
        if channels.is_none() {
            let markers = crate::correct::choose(&dataset.var, asked)?.markers;
            let names = markers.iter().filter_map(|m| dataset.var.index.get(m.column));
            *channels = Some(names.map(|n| n.into_owned()).collect());
        }
    }
    Ok(())
}

/// Spillover is what the keywords of the file say, unless the recipe states one.
fn fill_spillover(recipe: &mut Recipe, args: &PreprocessArgs, dataset: &Dataset) -> Result<(), CliError> {
    for step in &mut recipe.steps {
        let Step::Compensate { spillover: spillover @ None } = step else { continue };
        if args.layer.is_none() && plan::compensated(dataset) {
            return Err(CliError::usage(
                "scx has compensated this file already, and its keywords still state the matrix; start from the \
                 values before (--layer original), or give a matrix in the recipe",
            ));
        }
        let kept = dataset.uns.get("fcs").and_then(io::fcs::keywords_from_uns);
        let keywords = if dataset.source.keywords.is_empty() {
            kept.unwrap_or_default()
        } else {
            dataset.source.keywords.clone()
        };
        let found = io::fcs::spillover(&keywords).map_err(|e| CliError::input(e.to_string()))?;
        *spillover = Some(found.ok_or_else(|| {
            CliError::input(
                "the file states no spillover matrix ($SPILLOVER, SPILL, $COMP); give one in a recipe: \
                 {step: compensate, spillover: {channels: [...], values: [[...]]}}",
            )
        })?);
    }
    Ok(())
}

/// What came of a run.
struct Done {
    before: (usize, usize),
    counts: Option<Taken>,
    features: Option<Features>,
    fitted: FittedRecipe,
    notes: Option<ReplayNotes>,
}

impl Done {
    /// A few lines for people.
    fn say(&self, dataset: &Dataset, console: &Console) {
        if let Some(counts) = &self.counts {
            console.say(&format!("counts taken from {}", counts.words()));
            counts_args::say(counts, console);
        } else if let Some(features) = &self.features {
            console.say(&features.words());
        }
        if let Some(words) = self.notes.as_ref().and_then(|n| GeneNames::words(&n.names)) {
            console.say(&words);
        }
        if let Some(notes) = &self.notes
            && !notes.missing.is_empty()
        {
            let some: Vec<&str> = notes.missing.iter().take(5).map(String::as_str).collect();
            let more = if notes.missing.len() > 5 { ", …" } else { "" };
            console.say(&format!(
                "{} of {} genes of the recipe are missing and filled with zeros: {}{more}",
                thousands(notes.missing.len()),
                thousands(notes.genes),
                some.join(", ")
            ));
        }
        let of = |now: usize, before: usize, what: &str| {
            format!("kept {} of {} {what}", thousands(now), thousands(before))
        };
        console.say(&of(dataset.n_obs(), self.before.0, "cells"));
        console.say(&of(dataset.n_vars(), self.before.1, "genes"));
        for step in &self.fitted.steps {
            if let Some(text) = words(step) {
                console.say(&text);
            }
        }
    }

    fn json(&self, args: &PreprocessArgs, dataset: &Dataset) -> Value {
        json!({
            "input": args.input.display().to_string(),
            "output": args.output.display().to_string(),
            "counts_from": self.counts.as_ref().map(|c| c.place.to_string()),
            "counts_taken": self.counts,
            "features": self.features,
            "n_obs": {"before": self.before.0, "after": dataset.n_obs()},
            "n_vars": {"before": self.before.1, "after": dataset.n_vars()},
            "steps": self.fitted.steps.iter().map(short).collect::<Vec<_>>(),
            "replay": self.notes,
        })
    }
}

/// What a step did, for people; filters are told by what is left.
fn words(step: &FittedStep) -> Option<String> {
    match step {
        FittedStep::FilterCells { .. } | FittedStep::FilterGenes { .. } => None,
        FittedStep::NormalizeTotal { target_sum } => Some(format!("scaled each cell to {target_sum}")),
        FittedStep::Log1p => Some("took ln(1 + x)".into()),
        FittedStep::HighlyVariableGenes { flavor, subset, chosen, .. } => {
            let kept = if *subset { "kept" } else { "marked" };
            Some(format!("{kept} {} highly variable genes ({})", thousands(chosen.len()), flavor.name()))
        }
        FittedStep::Scale { .. } => Some("centred and scaled each gene".into()),
        FittedStep::Compensate { spillover } => {
            Some(format!("compensated {} channels", spillover.channels().len()))
        }
        FittedStep::Arcsinh { cofactor, channels } => {
            Some(format!("took arcsinh(x / {cofactor}) of {}", of_channels(channels.as_deref())))
        }
        FittedStep::Logicle { t, w, m, a, channels } => Some(format!(
            "brought {} to the logicle scale (t {t}, w {w}, m {m}, a {a})",
            of_channels(channels.as_deref())
        )),
        FittedStep::Amplify => Some("undid amplifiers".into()),
    }
}

fn of_channels(channels: Option<&[String]>) -> String {
    channels.map_or_else(|| "all channels".into(), |c| format!("{} channels", c.len()))
}

/// A fitted step without its long lists.
fn short(step: &FittedStep) -> Value {
    let mut value = serde_json::to_value(step).unwrap_or_default();
    if let Value::Object(map) = &mut value {
        for (name, list) in [("kept", "n_kept"), ("chosen", "n_chosen")] {
            if let Some(Value::Array(all)) = map.remove(name) {
                map.insert(list.into(), all.len().into());
            }
        }
        for long in ["scores", "mean", "sd"] {
            map.remove(long);
        }
    }
    value
}

/// Puts the columns that a recipe will add into a data set, without their values.
fn add_columns(dataset: &mut Dataset, plan: &RecipePlan) {
    let RecipePlan::Fit(recipe) = plan else { return };
    let (n, g) = dataset.shape();
    for (obs, var) in recipe.steps.iter().map(Step::adds) {
        for (table, names, len) in [(&mut dataset.obs, obs, n), (&mut dataset.var, var, g)] {
            names.iter().for_each(|name| table.set(name, Column::Numbers(Values::F64(vec![0.0; len]))));
        }
    }
    let group = |name: &str, dataset: &mut Dataset| {
        dataset.uns.entry(name.into()).or_insert_with(|| Uns::Map(Default::default()));
    };
    for step in &recipe.steps {
        match step {
            Step::Log1p => group("log1p", dataset),
            Step::HighlyVariableGenes { .. } => group("hvg", dataset),
            _ => {}
        }
    }
    let kept = dataset.layers.contains_key("counts") || dataset.layers.contains_key("original");
    if recipe.steps.iter().any(Step::changes_values) && !kept {
        dataset.layers.extend(dataset.x.clone().map(|x| ("counts".to_owned(), x)));
    }
}

/// What a run would do, for programs and for people.
fn outlook(
    args: &PreprocessArgs,
    plan: &RecipePlan,
    counts: Option<&Taken>,
    before: (usize, usize),
) -> (Value, String) {
    let (steps, replay) = match plan {
        RecipePlan::Fit(recipe) => (json!(recipe), false),
        RecipePlan::Replay(fitted) => (fitted.steps.iter().map(short).collect(), true),
    };
    let mut text = format!(
        "  read {}: {} cells × {} variables\n",
        args.input.display(),
        thousands(before.0),
        thousands(before.1)
    );
    if let Some(counts) = counts {
        let _ = writeln!(text, "  take counts from {}", counts.words());
    }
    for step in steps.as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {step}");
    }
    let object = json!({
        "replay": replay, "counts_from": counts.map(|c| c.place.to_string()), "n_obs": before.0, "n_vars": before.1, "steps": steps,
    });
    (object, text)
}

/// The record that goes into the file, with the fitted recipe.
fn record(args: &PreprocessArgs, plan: &RecipePlan, done: &Done, dataset: &Dataset) -> Record {
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let recipe = match plan {
        RecipePlan::Fit(recipe) => json!(recipe),
        RecipePlan::Replay(_) => json!({"replay": args.replay.as_deref().map(name)}),
    };
    let settings = json!({"recipe": recipe, "layer": args.layer, "counts_taken": done.counts, "features": done.features});
    Record::new("preprocess", settings).input("input", &args.input, done.before).result(json!({
        "n_obs": dataset.n_obs(), "n_vars": dataset.n_vars(), "replay": done.notes, "fitted": done.fitted,
    }))
}
