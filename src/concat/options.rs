//! How to put data sets together, and what is put together.

use serde::Serialize;

use crate::data::Dataset;

/// Which variables the result has; for obs and obsm, which columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Join {
    /// Those that all files have, in the order of the first.
    #[default]
    Inner,
    /// All, in the order of first appearance.
    Outer,
}

/// What to do when two cells share a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicate {
    /// Refuse, with the list.
    #[default]
    Error,
    /// Put `-` and the number of the file behind the names of all cells, as anndata's `index_unique="-"`.
    Suffix,
    /// Put the name of the batch and `_` before the names of all cells.
    Prefix,
}

/// How to concatenate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which variables.
    pub join: Join,
    /// When cells share a name.
    pub on_duplicate: OnDuplicate,
    /// Column of obs that tells the file of each cell.
    pub batch_key: String,
    /// Layers to keep; all that every file has when `None`.
    pub layers: Option<Vec<String>>,
    /// Whether the channel Time of each file goes on where that of the file before ended.
    pub continuous_time: bool,
    /// Bytes that may be in memory at once.
    pub memory: u64,
}

/// One data set to put below the others.
#[derive(Debug, Clone)]
pub struct Piece {
    /// What the batch column calls it.
    pub batch: String,
    /// What messages call it.
    pub file: String,
    /// The data.
    pub dataset: Dataset,
}
