//! loom files against loompy, damaged files, round trips, and what is written in the eyes of loompy and anndata.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bad;
mod expected;
mod matrix;
mod round_trip;
mod wide;
mod written;
