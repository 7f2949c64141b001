//! The folders of 10x Genomics: a Matrix Market file, features × cells, with a table of barcodes and one of features,
//! compressed or not in any mix. Read as Cell Ranger 2 (`genes.tsv`) and 3 (`features.tsv.gz`) write them, and with
//! names in front as deposited elsewhere (`GSM1_matrix.mtx.gz` beside `GSM1_barcodes.tsv.gz`); written as by Cell Ranger 3.
//!
//! | in the files | in the data set |
//! |---|---|
//! | first column of the barcodes | names of obs |
//! | features: column 1, 2, 3 | `var["gene_ids"]`, names of var, `var["feature_types"]` |
//! | any further column N | `column_N` of obs or var |
//! | field `integer`, `pattern` | X of int32, or int64 when a value needs it (scanpy: float32) |
//! | field `real` | X of float32 when every value is exactly one, otherwise float64 (scanpy: float32) |
//!
//! All kinds of features are read, as by `scanpy.read_10x_mtx(gex_only=False, make_unique=False)`. Columns of each row
//! come out in order; values given twice for the same cell and feature are added, as in scipy.

mod check;
mod codec;
mod entries;
mod files;
mod gz;
mod header;
mod layouts;
mod listing;
mod load;
mod losses;
mod number;
mod outline;
mod read;
mod rows;
mod show;
mod tables;
mod text;
mod write;

pub use check::check;
pub(super) use codec::CODEC;
pub use files::FILES;
pub use outline::outline;
pub use read::{probe, read};
pub use write::write;
