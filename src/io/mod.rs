//! Files in and out. Knows data, never a tensor. A format is one folder and one row of [`CODECS`].

mod additions;
mod atomic;
mod check;
mod codec;
mod detect;
mod error;
mod estimate;
pub mod fcs;
mod foreign;
mod formats;
pub mod h5ad;
mod hdf5;
mod limits;
pub mod loom;
pub mod loss;
mod options;
mod outline;
mod output;
pub mod table;
mod tenx;
pub mod tenx_h5;
pub mod tenx_mtx;
mod write;
mod writers;

pub use crate::data::scratch::read_exact_at;
pub use additions::{Additions, NewValues};
pub use atomic::{replace, replace_folder};
pub use check::{CheckReport, Finding, Level, check};
pub use codec::{
    AnnotateFn, CheckFn, Codec, FilesFn, Fit, Format, HoldsFn, OutlineFn, OwnFateFn, Probe, RecordsFn,
};
pub use detect::{detect, open, outline};
pub use error::{ReadError, WriteError};
pub use estimate::Estimate;
pub use foreign::check_place;
pub use formats::{CODECS, codec, folder_of};
pub use hdf5::{is_hdf5, prepare};
pub use limits::ReadLimits;
pub use options::{
    Append, COMPRESSION, Compat, Compression, DEFAULT_MEMORY, FcsOffsets, FcsVersion, FormatOption,
    ReadOptions, Table, Tables, WriteOptions,
};
pub use outline::{Item, Outline, Storage};
pub use output::{Mark, Output, OutputPlan, Target, commit_all, or_table};
pub use table::{TextRow, TextTable, read_text_table};
pub use write::{annotate, keep_keywords, save};
