//! A recipe with what it learnt from one data set, to be repeated exactly on another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RecipeError;
use super::step::Flavor;
use crate::data::{Spillover, Take};

/// Version of the stored form.
pub(super) const VERSION: u32 = 1;

/// A step and what it learnt. Genes are numbers in the list that the step before left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum FittedStep {
    /// A rule on single cells: nothing is learnt.
    FilterCells {
        /// Genes above zero.
        min_genes: u64,
    },
    /// Genes that are kept.
    FilterGenes {
        /// The rule they were found by.
        min_cells: u64,
        /// Their numbers.
        kept: Vec<usize>,
    },
    /// Each cell is scaled to this sum.
    NormalizeTotal {
        /// The sum.
        target_sum: f64,
    },
    /// ln(1 + x).
    Log1p,
    /// The most variable genes.
    HighlyVariableGenes {
        /// How many were asked for.
        n_top: usize,
        /// By which measure.
        flavor: Flavor,
        /// Whether the others go.
        subset: bool,
        /// Their numbers.
        chosen: Vec<usize>,
        /// Numbers behind the choice, one list of all genes each; `null` where a gene has none.
        scores: BTreeMap<String, Vec<Option<f64>>>,
    },
    /// Mean and standard deviation of each gene.
    Scale {
        /// Values beyond are cut.
        max_value: Option<f64>,
        /// Means.
        mean: Vec<f64>,
        /// Standard deviations; 1 for genes that do not vary.
        sd: Vec<f64>,
    },
    /// The spill-over that is taken out.
    Compensate {
        /// Its matrix.
        spillover: Spillover,
    },
    /// arcsinh(x / cofactor).
    Arcsinh {
        /// The cofactor.
        cofactor: f64,
        /// Names of the channels.
        channels: Option<Vec<String>>,
    },
    /// The logicle scale.
    Logicle {
        /// Top of the data scale.
        t: f64,
        /// Linear decades.
        w: f64,
        /// Decades.
        m: f64,
        /// Decades below zero.
        a: f64,
        /// Names of the channels.
        channels: Option<Vec<String>>,
    },
    /// Amplifiers undone; each file states its own.
    Amplify,
}

/// A fitted recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedRecipe {
    pub(super) version: u32,
    /// Genes or channels the recipe starts from, in order.
    pub genes: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<FittedStep>,
}

impl FittedRecipe {
    /// Reads the stored form.
    ///
    /// # Errors
    /// [`RecipeError::Input`] when it is damaged or of another version.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, RecipeError> {
        let fitted: FittedRecipe = serde_json::from_value(value.clone())
            .map_err(|e| RecipeError::input(format!("not a fitted recipe: {e}")))?;
        if fitted.version != VERSION {
            return Err(RecipeError::input(format!(
                "a fitted recipe of version {}, this scx reads version {VERSION}",
                fitted.version
            )));
        }
        fitted.check()?;
        Ok(fitted)
    }

    /// Checks that lists have the lengths their steps ask for.
    fn check(&self) -> Result<(), RecipeError> {
        let mut genes = self.genes.len();
        let bad = |what: &str| Err(RecipeError::input(format!("a damaged fitted recipe: {what}")));
        for step in &self.steps {
            match step {
                FittedStep::FilterGenes { kept, .. } => {
                    if Take::entries(genes, kept).is_err() {
                        return bad("kept genes outside the list");
                    }
                    genes = kept.len();
                }
                FittedStep::HighlyVariableGenes { chosen, scores, subset, .. } => {
                    if Take::entries(genes, chosen).is_err() || scores.values().any(|s| s.len() != genes) {
                        return bad("variable genes outside the list");
                    }
                    if *subset {
                        genes = chosen.len();
                    }
                }
                FittedStep::Scale { mean, sd, .. } if mean.len() != genes || sd.len() != genes => {
                    return bad("as many means as genes expected");
                }
                FittedStep::Compensate { spillover } => {
                    spillover.inverse().map_err(|e| RecipeError::input(e.to_string()))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// As [`Recipe::needs_counts`].
    pub fn needs_counts(&self) -> bool {
        self.steps.iter().any(|s| matches!(s, FittedStep::NormalizeTotal { .. }))
    }

    /// Whether a step reads values of cytometry, where a missing channel cannot be taken as zero.
    pub(super) fn is_cytometry(&self) -> bool {
        self.steps.iter().any(|s| {
            matches!(
                s,
                FittedStep::Compensate { .. }
                    | FittedStep::Arcsinh { .. }
                    | FittedStep::Logicle { .. }
                    | FittedStep::Amplify
            )
        })
    }

    /// Numbers of the genes of the result in [`FittedRecipe::genes`].
    pub(super) fn kept(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.genes.len()).collect();
        for step in &self.steps {
            if let FittedStep::FilterGenes { kept, .. }
            | FittedStep::HighlyVariableGenes { chosen: kept, subset: true, .. } = step
            {
                all = kept.iter().filter_map(|&k| all.get(k).copied()).collect();
            }
        }
        all
    }
}
