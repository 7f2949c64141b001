//! Fitting a recipe on one data set, and repeating it on others.

use std::collections::HashMap;

use serde::Serialize;

use super::apply::apply;
use super::fit::fit;
use super::fitted::{FittedRecipe, FittedStep, VERSION};
use super::step::Recipe;
use super::work::Work;
use super::{Options, RecipeError};
use crate::data::{Column, Dataset, GeneNames, Index, Take};

/// Column of var with the names genes had, where they were matched by others.
const OWN_NAMES: &str = "original_var_names";

/// How another data set differed from what a recipe was fitted on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReplayNotes {
    /// Genes of the result.
    pub genes: usize,
    /// Genes of the result the data set lacks; they were filled with zeros.
    pub missing: Vec<String>,
    /// All genes the recipe started from that the data set lacks.
    pub missing_before: usize,
    /// Genes of the data set the recipe does not know; they were left out.
    pub unknown: usize,
    /// By which names genes were matched.
    pub names: GeneNames,
}

impl Recipe {
    /// Whether a step scales cells to a sum, which makes sense for raw counts only.
    pub fn needs_counts(&self) -> bool {
        self.steps.iter().any(|s| matches!(s, super::Step::NormalizeTotal { .. }))
    }

    /// Fits each step on `dataset` and applies it. Matrices stay unread: values change when they are walked through. Raw
    /// values stay in `layers["counts"]` (whole numbers) or `layers["original"]` when X changes and neither is there.
    ///
    /// # Errors
    /// [`RecipeError`] when a step does not fit the data. `dataset` may then be half way through.
    pub fn fit_apply(&self, dataset: &mut Dataset, options: &Options) -> Result<FittedRecipe, RecipeError> {
        if self.steps.is_empty() {
            return Err(RecipeError::usage("a recipe without steps"));
        }
        let genes = dataset.var.index.iter().map(|n| n.into_owned()).collect();
        let mut work = Work::start(dataset, options, self.steps.iter().any(super::Step::changes_values))?;
        let mut steps = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let fitted = fit(step, dataset, &mut work, options)
                .and_then(|fitted| apply(&fitted, dataset, &mut work, options).map(|()| fitted))
                .map_err(|e| e.named(dataset))
                .map_err(|e| within(step.name(), e))?;
            steps.push(fitted);
        }
        Ok(FittedRecipe { version: VERSION, genes, steps })
    }
}

pub(super) fn within(step: &str, e: RecipeError) -> RecipeError {
    let name = |what: String| if what.starts_with(step) { what } else { format!("{step}: {what}") };
    match e {
        RecipeError::Usage { what } => RecipeError::Usage { what: name(what) },
        RecipeError::Input { what } => RecipeError::Input { what: name(what) },
        RecipeError::Numerical { what } => RecipeError::Numerical { what: name(what) },
        e => e,
    }
}

impl FittedRecipe {
    /// Repeats the recipe on another data set, by name of gene; nothing is learnt anew.
    ///
    /// # Errors
    /// [`RecipeError`] when a channel or too many genes are missing, or a step does not fit the data.
    pub fn replay(&self, dataset: &mut Dataset, options: &Options) -> Result<ReplayNotes, RecipeError> {
        let notes = self.align(dataset, options)?;
        let changes = |s: &FittedStep| {
            !matches!(
                s,
                FittedStep::FilterCells { .. }
                    | FittedStep::FilterGenes { .. }
                    | FittedStep::HighlyVariableGenes { .. }
            )
        };
        let mut work = Work::start(dataset, options, self.steps.iter().any(changes))?;
        for step in &self.steps {
            apply(step, dataset, &mut work, options).map_err(|e| e.named(dataset))?;
        }
        Ok(notes)
    }

    /// Brings the genes of a data set into the order the recipe starts from.
    fn align(&self, dataset: &mut Dataset, options: &Options) -> Result<ReplayNotes, RecipeError> {
        let names = GeneNames::find(&dataset.var, &self.genes, options.gene_column)
            .map_err(|e| RecipeError::usage(e.to_string()))?;
        // A name that stands twice is matched in order.
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, name) in names.names.iter().enumerate() {
            places.entry(name.clone()).or_default().push(i);
        }
        places.values_mut().for_each(|p| p.reverse());
        let picks: Vec<Option<usize>> =
            self.genes.iter().map(|g| places.get_mut(g).and_then(Vec::pop)).collect();
        let name = |i: &usize| self.genes.get(*i).cloned().unwrap_or_default();
        let lacks = |i: &usize| picks.get(*i).is_some_and(Option::is_none);
        let kept = self.kept();
        let missing: Vec<String> = kept.iter().filter(|i| lacks(i)).map(name).collect();
        let missing_before = picks.iter().filter(|p| p.is_none()).count();
        let some = |names: &[String]| {
            let more = if names.len() > 5 { ", …" } else { "" };
            names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ") + more
        };
        if self.is_cytometry() && !missing.is_empty() {
            return Err(RecipeError::input(format!(
                "{} channels of the recipe are missing ({}); zero would be a real reading, so they cannot be filled",
                missing.len(),
                some(&missing)
            )));
        }
        let share = missing.len() as f64 / kept.len().max(1) as f64;
        if share > options.max_missing {
            return Err(RecipeError::input(format!(
                "{} of {} genes of the recipe are missing ({:.1} %, {:.1} % allowed), e.g. {}: are names of the same kind?",
                missing.len(),
                kept.len(),
                100.0 * share,
                100.0 * options.max_missing,
                some(&missing)
            )));
        }
        let found = picks.len() - missing_before;
        let notes = ReplayNotes {
            genes: kept.len(),
            missing,
            missing_before,
            unknown: dataset.n_vars().saturating_sub(found),
            names,
        };
        let take = Take::new(dataset.n_vars(), picks)?;
        let cells = Take::all(dataset.n_obs());
        if notes.names.column.is_some() || notes.names.without_versions {
            let own = dataset.var.index.iter().map(|n| n.into_owned()).collect();
            dataset.var.set(OWN_NAMES, Column::Strings(own));
        }
        *dataset = dataset.select(&cells, &take)?;
        if let Index::Names { values, .. } = &mut dataset.var.index {
            *values = self.genes.iter().collect();
        }
        Ok(notes)
    }
}
