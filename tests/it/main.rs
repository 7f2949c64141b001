//! All integration tests in one binary: HDF5 and the tensor library link slowly.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod cli;
mod concat;
mod convert;
mod correct;
mod fcs;
mod h5ad;
mod reference;
mod report;
mod support;
mod table;
mod zoo;
