//! From options to a recipe. The one place where its defaults live.

use std::path::Path;

use serde_json::Value;

use crate::cli::kit::error::CliError;
use crate::cli::preprocess::PreprocessArgs;
use crate::data::Dataset;
use crate::io::{self, ReadOptions};
use crate::recipe::{FittedRecipe, Flavor, Recipe, Step, TargetSum};

/// What will be done.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum RecipePlan {
    /// Learn and apply.
    Fit(Recipe),
    /// Apply what was learnt.
    Replay(Box<FittedRecipe>),
}

/// Works out the plan.
pub(in crate::cli) fn plan(args: &PreprocessArgs) -> Result<RecipePlan, CliError> {
    let asked = steps(args)?;
    if let Some(path) = &args.replay {
        if let Some(step) = asked.first() {
            return Err(CliError::usage(format!(
                "--replay repeats a fitted recipe as it is; leave out the option for {}",
                step.name()
            )));
        }
        return Ok(RecipePlan::Replay(Box::new(fitted(path)?)));
    }
    let Some(name) = &args.recipe else {
        if asked.is_empty() {
            return Err(CliError::usage(format!(
                "nothing to do: give --recipe ({} or FILE.yaml), --replay FILE, or steps such as --target-sum 20000 --log1p",
                Recipe::NAMES.join(", ")
            )));
        }
        return Ok(RecipePlan::Fit(Recipe { steps: asked }));
    };
    let mut recipe = named(name)?;
    if args.genes_first {
        let (cells, genes) = (place(&recipe, "filter_cells"), place(&recipe, "filter_genes"));
        if let (Some(cells), Some(genes)) = (cells, genes)
            && cells < genes
        {
            recipe.steps.swap(cells, genes);
        }
    }
    for step in asked {
        match place(&recipe, step.name()) {
            Some(at) => recipe.steps[at] = merged(&recipe.steps[at], step, args),
            None if matches!(
                step,
                Step::FilterCells { .. } | Step::FilterGenes { .. } | Step::NormalizeTotal { .. }
            ) =>
            {
                return Err(CliError::usage(format!(
                    "the recipe {name} has no step {} to change; write a recipe of your own with it",
                    step.name()
                )));
            }
            None => recipe.steps.push(step),
        }
    }
    Ok(RecipePlan::Fit(recipe))
}

fn place(recipe: &Recipe, name: &str) -> Option<usize> {
    recipe.steps.iter().position(|s| s.name() == name)
}

/// A step of a recipe with the numbers the options give.
fn merged(old: &Step, new: Step, args: &PreprocessArgs) -> Step {
    match (old, new) {
        (
            Step::HighlyVariableGenes { flavor, subset, .. },
            Step::HighlyVariableGenes { n_top, flavor: asked, .. },
        ) => Step::HighlyVariableGenes {
            n_top,
            flavor: if args.flavor.is_some() { asked } else { *flavor },
            subset: *subset || args.subset,
        },
        (_, new) => new,
    }
}

fn named(name: &str) -> Result<Recipe, CliError> {
    if let Some(recipe) = Recipe::named(name) {
        return Ok(recipe);
    }
    let path = Path::new(name);
    let yaml =
        path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|y| e.eq_ignore_ascii_case(y)));
    if !yaml && !path.exists() {
        return Err(CliError::usage(format!(
            "--recipe {name}: no recipe of that name; there are {}, or give a YAML file",
            Recipe::NAMES.join(", ")
        )));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::input(format!("{name}: cannot read the recipe: {e}")))?;
    let recipe: Recipe = serde_yaml::from_str(&text)
        .map_err(|e| CliError::usage(format!("{name}: not a recipe (a list of steps): {e}")))?;
    if recipe.steps.is_empty() {
        return Err(CliError::usage(format!("{name}: a recipe without steps")));
    }
    Ok(recipe)
}

/// The fitted recipe of the last run of `preprocess` on a file.
fn fitted(path: &Path) -> Result<FittedRecipe, CliError> {
    let dataset = io::open(path, &ReadOptions::default())?;
    let records = crate::correct::records(&dataset);
    let last = records.iter().rev().find_map(|r| r.pointer("/result/fitted").cloned());
    let Some(value) = last else {
        return Err(CliError::input(format!(
            "{}: holds no fitted recipe; --replay takes a file that scx preprocess wrote",
            path.display()
        )));
    };
    FittedRecipe::from_json(&value).map_err(|e| CliError::input(format!("{}: {e}", path.display())))
}

/// Whether a run of `preprocess` or `correct` has taken spillover out of these values.
pub(in crate::cli) fn compensated(dataset: &Dataset) -> bool {
    crate::correct::records(dataset).iter().any(|record| {
        let steps = record.pointer("/result/fitted/steps").and_then(Value::as_array);
        let preprocessed = steps.into_iter().flatten().any(|s| s["step"] == "compensate");
        preprocessed || record.pointer("/settings/compensate") == Some(&Value::Bool(true))
    })
}

/// The steps the options ask for, in the order they are done in.
fn steps(args: &PreprocessArgs) -> Result<Vec<Step>, CliError> {
    let mut steps = Vec::new();
    if args.amplify {
        steps.push(Step::Amplify);
    }
    if args.compensate {
        steps.push(Step::Compensate { spillover: None });
    }
    let start = steps.len();
    steps.extend(args.min_genes.map(|min_genes| Step::FilterCells { min_genes }));
    steps.extend(args.min_cells.map(|min_cells| Step::FilterGenes { min_cells }));
    if args.genes_first {
        steps[start..].reverse();
    }
    let flavor = args.flavor.unwrap_or(Flavor::Seurat);
    let variable =
        args.n_top_genes.map(|n_top| Step::HighlyVariableGenes { n_top, flavor, subset: args.subset });
    if args.n_top_genes.is_none() && (args.subset || args.flavor.is_some()) {
        return Err(CliError::usage("--flavor and --subset belong to --n-top-genes N"));
    }
    if args.n_top_genes == Some(0) {
        return Err(CliError::usage("--n-top-genes takes a number above 0"));
    }
    // This flavor looks at raw counts; the others at what log1p leaves.
    let early = flavor == Flavor::SeuratV3;
    steps.extend(variable.clone().filter(|_| early));
    if let Some(text) = &args.target_sum {
        steps.push(Step::NormalizeTotal { target_sum: target_sum(text)? });
    }
    if args.log1p {
        steps.push(Step::Log1p);
    }
    steps.extend(variable.filter(|_| !early));
    if let Some(cofactor) = args.arcsinh {
        if !(cofactor.is_finite() && cofactor > 0.0) {
            return Err(CliError::usage(format!("--arcsinh {cofactor}: expected a number above 0")));
        }
        steps.push(Step::Arcsinh { cofactor, channels: None });
    }
    if let Some(text) = &args.logicle {
        steps.push(logicle(text)?);
    }
    if let Some(text) = &args.scale {
        let max_value = if text.is_empty() { None } else { Some(above_zero("--scale", text)?) };
        steps.push(Step::Scale { max_value });
    }
    Ok(steps)
}

fn target_sum(text: &str) -> Result<TargetSum, CliError> {
    if text == "median" {
        return Ok(TargetSum::MEDIAN);
    }
    above_zero("--target-sum", text)
        .map(TargetSum::Sum)
        .map_err(|_| CliError::usage(format!("--target-sum {text}: expected a number above 0, or median")))
}

fn above_zero(option: &str, text: &str) -> Result<f64, CliError> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && x > 0.0 => Ok(x),
        _ => Err(CliError::usage(format!("{option} {text}: expected a number above 0"))),
    }
}

fn logicle(text: &str) -> Result<Step, CliError> {
    let mut numbers = [262_144.0, 0.5, 4.5, 0.0];
    let words: Vec<&str> = if text.is_empty() { Vec::new() } else { text.split(',').collect() };
    let wrong = || CliError::usage(format!("--logicle {text}: expected up to four numbers T,W,M,A"));
    if words.len() > 4 {
        return Err(wrong());
    }
    for (slot, word) in numbers.iter_mut().zip(words) {
        *slot = word.trim().parse().map_err(|_| wrong())?;
    }
    let [t, w, m, a] = numbers;
    crate::recipe::Logicle::new(t, w, m, a)?;
    Ok(Step::Logicle { t, w, m, a, channels: None })
}
