//! Tables: delimited text in and out, Parquet out. One file holds one table: obs, var, or X with its names; a folder holds
//! several.

mod codec;
mod id_names;
mod ids;
mod losses;
mod matrix;
mod number;
pub(super) mod parquet;
mod plain;
mod read;
mod records;
mod scan;
mod sniff;
mod target;
mod text;
mod transpose;

pub(super) use codec::CODEC;
pub use codec::{INDEX_COLUMN, OBS_COLUMNS, TABLE, TRANSPOSE};
pub use parquet::{write_frame_parquet, write_matrix_parquet};
pub use plain::{TextRow, TextTable, read_text_table};
pub(super) use read::read;
pub(super) use records::is_gzip;
pub(super) use sniff::probe;
pub use target::{FILES, holds};
use target::{advance, files, write_folder};
pub(super) use text::write;
pub use text::{delimiter_for, write_frame_csv, write_matrix_csv};
