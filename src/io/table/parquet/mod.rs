//! Tables as Apache Parquet, written here and read by pandas, pyarrow, R's arrow and DuckDB.
//!
//! A writer of our own: a table needs plain and dictionary pages and a footer, and only so do categories keep their
//! order and the unused ones among them (a general writer makes its dictionary of the values it meets).

mod arrow;
mod codec;
mod column;
mod encode;
mod file;
mod group;
mod pandas;
mod probe;
mod thrift;
mod write;

pub(in crate::io) use codec::CODEC;
use group::{GROUP, Group, SHARE};
use probe::MAGIC;
pub(in crate::io) use probe::{probe, read};
use write::name_run;
pub(in crate::io) use write::write;
pub use write::{write_frame_parquet, write_matrix_parquet};
