//! All integration tests in one binary: HDF5 and the tensor library link slowly.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod advice;
mod classify;
mod cli;
mod cluster;
mod concat;
mod convert;
mod correct;
mod counts;
mod evaluate;
mod faults;
mod fcs;
mod generate;
mod h5ad;
mod labels;
mod loom;
mod marks;
mod outputs;
mod predict;
mod preprocess;
mod recipe;
mod reference;
mod report;
mod simulate;
mod support;
mod table;
mod tenx;
mod zoo;
