//! h5ad files against Python's anndata, damaged files, round trips, and what annotating leaves alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod annotate;
mod bad;
pub(crate) mod compare;
mod damage;
pub(crate) mod expected;
mod field;
mod kept;
mod parts;
pub(crate) mod round_trip;
