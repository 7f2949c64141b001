//! Unstructured values: what `uns` holds.

use std::collections::BTreeMap;

use super::Values;

/// One value of `uns`.
#[derive(Debug, Clone, PartialEq)]
pub enum Uns {
    /// A named group of values.
    Map(BTreeMap<String, Uns>),
    /// A text.
    String(String),
    /// A list of texts.
    Strings(Vec<String>),
    /// A single number or boolean.
    Number(Values),
    /// An array of numbers with its shape.
    Array {
        /// Length along each axis.
        shape: Vec<usize>,
        /// Row-major values.
        values: Values,
    },
    /// Something scx does not read; it stays in the file untouched.
    Opaque {
        /// What the file calls it.
        encoding: String,
    },
}
