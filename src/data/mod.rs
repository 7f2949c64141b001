//! What every reader makes and every writer takes. Knows no format and no tensor.

mod amplifier;
mod arrange;
mod beside;
mod bytes;
mod change;
pub mod counts;
mod dataset;
mod error;
mod frame;
mod genes;
mod kind;
mod linear;
mod looks;
mod mapped;
mod matrix;
mod names;
mod patch;
mod patched;
pub mod scratch;
mod select;
mod spelling;
mod spillover;
mod stream;
mod summary;
pub mod synthetic;
mod take;
mod uns;
mod values;

pub use amplifier::{Amplifier, amplifiers, amplify, mark_linear};
pub use beside::beside;
pub use bytes::Word;
pub use change::Change;
pub use counts::{Counts, CountsBuilder};
pub use dataset::{Annotation, Dataset, Raw, Source};
pub use error::DataError;
pub use frame::{Categorical, Categories, Column, Frame, Index};
pub use genes::{GeneNames, NoGeneColumn};
pub use kind::ValueKind;
pub use linear::{linear, linear_patch, logarithmic};
pub use looks::{LOOK_ROWS, LOOK_VALUES, Looks, Odd, Sample, not_finite, place};
pub use matrix::{
    Block, Dense, Layout, Matrix, RowSource, Sparse, StoredArrays, check_indices, check_indptr, pick_csr,
    pick_dense,
};
pub use names::{Names, Repeats};
pub use patch::Patch;
pub use spelling::{did_you_mean, find_value, is_missing, same_value};
pub use spillover::{Compensation, Spillover};
pub use stream::{BlockSink, append, csr_slice, in_runs, rows_per_run, slice};
pub use summary::Summary;
pub use take::Take;
pub use uns::{StoredObject, Uns};
pub use values::{DType, Element, Values};
