//! Unstructured values: what `uns` holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Column, Frame, Matrix, Values};

/// An object left in an HDF5 file, so that a writer of the same format may copy it as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The file.
    pub path: PathBuf,
    /// Where in it the object lies, from the root (`/uns/odd`).
    pub object: String,
}

/// One value of `uns`.
#[derive(Debug, Clone, PartialEq)]
pub enum Uns {
    /// A named group of values.
    Map(BTreeMap<String, Uns>),
    /// A text.
    String(String),
    /// A list of texts.
    Strings(Vec<String>),
    /// Texts along no axis but one; `Strings` has the usual one.
    StringArray {
        /// Length along each axis.
        shape: Vec<usize>,
        /// Row-major texts.
        values: Vec<String>,
    },
    /// A single number or boolean.
    Number(Values),
    /// An array of numbers with its shape.
    Array {
        /// Length along each axis.
        shape: Vec<usize>,
        /// Row-major values.
        values: Values,
    },
    /// A list with categories or with missing entries.
    Column(Column),
    /// A sparse matrix.
    Matrix(Matrix),
    /// A table.
    Frame(Frame),
    /// A list of records, such as scanpy's `rank_genes_groups/names`: one column a field.
    Records {
        /// Names and values of the fields.
        fields: Vec<(String, Column)>,
        /// Where it lies in an HDF5 file; a writer without it makes a table of the fields.
        stored: Option<StoredObject>,
    },
    /// Nothing: Python's `None`.
    Null,
    /// Something scx does not read; it stays in the file untouched.
    Opaque {
        /// What the file calls it.
        encoding: String,
        /// Where it lies in an HDF5 file.
        stored: Option<StoredObject>,
    },
}
