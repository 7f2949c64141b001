//! `scx concat` and the library behind it, against anndata.concat.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod anndata;
mod channels;
mod memory;
mod pieces;
mod usage;
