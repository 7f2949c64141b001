//! Tables of text and Parquet against pandas and R.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod ids;
mod parquet;
mod read;
mod write;
