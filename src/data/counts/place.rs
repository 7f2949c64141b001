//! The matrices of a data set that may hold counts.

use serde::{Deserialize, Serialize};

use super::CountsError;
use crate::data::{Dataset, Frame, Matrix};

/// A matrix of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A layer, by name.
    Layer(String),
    /// `raw`, with its own genes.
    Raw,
    /// X.
    X,
}

impl Place {
    /// What `--layer` says: `X`, `raw`, or the name of a layer.
    pub fn named(name: &str) -> Self {
        match name {
            "X" => Place::X,
            "raw" => Place::Raw,
            other => Place::Layer(other.into()),
        }
    }

    /// What `--layer` must say for it.
    pub fn option(&self) -> &str {
        match self {
            Place::Layer(name) => name,
            Place::Raw => "raw",
            Place::X => "X",
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Layer(name) => write!(f, "layers[\"{name}\"]"),
            Place::Raw => f.write_str("raw"),
            Place::X => f.write_str("X"),
        }
    }
}

/// A matrix with its genes.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Cells × genes.
    pub matrix: &'a Matrix,
    /// Its genes.
    pub var: &'a Frame,
}

/// The matrix of that place and its genes.
///
/// # Errors
/// [`CountsError::Missing`] with what is there.
pub fn chosen<'a>(dataset: &'a Dataset, place: &Place) -> Result<Chosen<'a>, CountsError> {
    let found = match place {
        Place::Layer(name) => dataset.layers.get(name).map(|matrix| Chosen { matrix, var: &dataset.var }),
        Place::Raw => dataset.raw.as_ref().map(|raw| Chosen { matrix: &raw.x, var: &raw.var }),
        Place::X => dataset.x.as_ref().map(|matrix| Chosen { matrix, var: &dataset.var }),
    };
    found.ok_or_else(|| {
        if let Place::Layer(name) = place
            && let Some(left) = dataset.left_out(&format!("layers[{name:?}]"))
        {
            return CountsError::LeftOut { place: place.clone(), why: left.what.clone() };
        }
        let layers: Vec<&str> = dataset.layers.keys().map(String::as_str).collect();
        let mut there = vec![if dataset.x.is_some() { "X is there" } else { "X is missing" }.to_owned()];
        if dataset.raw.is_some() {
            there.push("raw is there".into());
        }
        if !layers.is_empty() {
            there.push(format!("layers: {}", layers.join(", ")));
        }
        CountsError::Missing { place: place.clone(), there: there.join(", ") }
    })
}
