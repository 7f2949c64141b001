//! Which features of a matrix are modelled: genes, where antibodies, guides and the like stand beside them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CountsError, Place};
use crate::data::{DataError, Frame, Matrix, Take};

/// Column of var with the type of each feature.
const COLUMN: &str = "feature_types";

/// What 10x Genomics calls genes.
const GENES: &str = "Gene Expression";

/// Which features are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FeatureType {
    /// Genes, where other features stand beside them; else all.
    #[default]
    Genes,
    /// All, whatever they are.
    All,
    /// Those of this type.
    Named(String),
}

impl FeatureType {
    /// What `--feature-type` says: `all`, or the name of a type; genes when nothing is said.
    pub fn named(name: Option<&str>) -> Self {
        match name {
            None => FeatureType::Genes,
            Some("all") => FeatureType::All,
            Some(name) => FeatureType::Named(name.into()),
        }
    }
}

/// Some of the features of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Features {
    /// Their type.
    pub taken: String,
    /// How many there are of every other type.
    pub left: BTreeMap<String, usize>,
    /// Numbers of those that are taken, increasing.
    #[serde(skip)]
    pub columns: Vec<usize>,
}

impl Features {
    /// Those that are wanted; `None` when these are all.
    ///
    /// # Errors
    /// [`CountsError::NoFeatures`] when there are none of the type that was asked for.
    pub fn of(var: &Frame, wanted: &FeatureType, place: &Place) -> Result<Option<Self>, CountsError> {
        let (name, asked) = match wanted {
            FeatureType::All => return Ok(None),
            FeatureType::Genes => (GENES, false),
            FeatureType::Named(name) => (name.as_str(), true),
        };
        let missing =
            |there: String| CountsError::NoFeatures { place: place.clone(), asked: name.into(), there };
        let Some(column) = var.column(COLUMN) else {
            return if asked { Err(missing(format!("there is no var[\"{COLUMN}\"]"))) } else { Ok(None) };
        };
        let text = |i: usize| column.text(i).map_or_else(String::new, |t| t.into_owned());
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        (0..var.len()).for_each(|i| *sizes.entry(text(i)).or_default() += 1);
        if sizes.remove(name).is_none() {
            let list: Vec<String> = sizes.iter().map(|(t, n)| format!("{t} ({n})")).collect();
            if asked {
                return Err(missing(format!("there are: {}", list.join(", "))));
            }
            tracing::warn!(
                "no feature of {place} has the type {GENES} (there are: {}), and all are taken as if they were genes; \
                 --feature-type names the one to take",
                list.join(", ")
            );
            return Ok(None);
        }
        if sizes.is_empty() {
            return Ok(None);
        }
        let columns = (0..var.len()).filter(|&i| text(i) == name).collect();
        Ok(Some(Self { taken: name.into(), left: sizes, columns }))
    }

    /// In words.
    pub fn words(&self) -> String {
        let left: Vec<String> = self.left.iter().map(|(t, n)| format!("{n} {t}")).collect();
        format!(
            "{} {} features are taken, {} are not (--feature-type all takes all)",
            self.columns.len(),
            self.taken,
            left.join(" and ")
        )
    }

    /// The features of a matrix and of its table.
    ///
    /// # Errors
    /// [`DataError`] when the matrix has others.
    pub fn select(&self, matrix: &Matrix, var: &Frame) -> Result<(Matrix, Frame), DataError> {
        let columns = Take::entries(var.len(), &self.columns)?;
        Ok((matrix.select(&Take::all(matrix.shape().0), &columns)?, var.take(&columns)?))
    }

    /// All other features of a matrix of so many.
    pub fn others(&self, n: usize) -> Vec<usize> {
        (0..n).filter(|i| self.columns.binary_search(i).is_err()).collect()
    }
}
