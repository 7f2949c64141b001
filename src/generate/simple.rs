//! Generators that are no networks, behind one face: what they are called, how they are fitted, stored and asked.

use serde::{Deserialize, Serialize};

use super::GenerateError;
use crate::classic::sampling::{Baseline, CountSampler, Sampler};
use crate::data::Counts;
use crate::progress::Silent;
use crate::rng::{Seed, Stream};
use crate::simulate::splat::SplatModel;
use crate::simulate::sugar::{Amount, Sugar, SugarSettings};

/// Their names, what they are, where they come from.
pub const KINDS: &[(&str, &str, &str)] = &[
    ("nb", "independent negative binomial genes, for each label", "baseline"),
    ("nb-pooled", "independent negative binomial genes, one law for all labels", "baseline"),
    ("nb-copula", "negative binomial genes with a Gaussian copula, for each label", "baseline"),
    ("smote", "interpolation between neighbours of a label", "Chawla et al. 2002; baseline"),
    ("oversample", "real cells once more", "baseline"),
    (
        "splat",
        "gamma-Poisson counts from a few numbers of each label",
        "Zappia et al. 2017, Genome Biology 18",
    ),
    (
        "sugar",
        "cells where real ones are rare, along their geometry; whole populations",
        "Lindenbaum et al. 2018",
    ),
];

/// A fitted one, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Simple {
    /// A baseline.
    Sampler(Sampler),
    /// Splat for each label.
    Splat(SplatModel),
    /// SUGAR, which gives labels and takes none.
    Sugar(Box<Sugar>),
}

impl Simple {
    /// Fits the one of that name to counts and the label of each cell.
    ///
    /// # Errors
    /// [`GenerateError`] when there is none of that name, or the data do not let it be fitted.
    pub(super) fn fit(
        kind: &str,
        counts: &Counts,
        labels: &[usize],
        n_labels: usize,
        seed: Seed,
    ) -> Result<Self, GenerateError> {
        match kind {
            "splat" => SplatModel::fit(counts, labels, n_labels, seed)
                .map(Self::Splat)
                .map_err(|e| GenerateError::input(e.to_string())),
            "sugar" => Sugar::fit(counts, labels, n_labels, SugarSettings::default(), seed)
                .map(|s| Self::Sugar(Box::new(s)))
                .map_err(|e| GenerateError::input(e.to_string())),
            name => {
                let baseline = Baseline::ALL.into_iter().find(|b| b.name() == name);
                let baseline =
                    baseline.ok_or_else(|| GenerateError::usage(format!("no simple generator {name}")))?;
                Ok(Self::Sampler(baseline.fit(counts, labels, n_labels, seed)?))
            }
        }
    }

    /// Whether it can be asked for a label.
    pub(super) fn takes_labels(&self) -> bool {
        !matches!(self, Self::Sugar(_))
    }

    /// Whether all cells of a request are made at once, because they depend on each other.
    pub(super) fn at_once(&self) -> bool {
        matches!(self, Self::Sugar(_))
    }

    /// `n` cells with their labels.
    pub(super) fn cells(
        &self,
        label: Option<u32>,
        n: usize,
        stream: &mut Stream,
    ) -> Result<(Counts, Vec<Option<u32>>), GenerateError> {
        let wanted = || label.ok_or_else(|| GenerateError::usage("a label is needed"));
        let counts = match self {
            Self::Sampler(sampler) => sampler.sample(wanted()? as usize, n, stream)?,
            Self::Splat(splat) => splat
                .sample(wanted()? as usize, n, stream)
                .map_err(|e| GenerateError::input(e.to_string()))?,
            Self::Sugar(_) if label.is_some() => {
                return Err(GenerateError::usage(
                    "sugar makes whole populations and cannot be asked for a label; take splat or nb-copula",
                ));
            }
            Self::Sugar(sugar) => {
                let made = sugar
                    .sample(Amount::Total(n), stream, &Silent)
                    .map_err(|e| GenerateError::usage(e.to_string()))?;
                let labels = made.labels.into_iter().map(|l| Some(l as u32)).collect();
                return Ok((made.counts, labels));
            }
        };
        Ok((counts, vec![label; n]))
    }
}
