//! What a format cannot hold, said before anything is written. What each format answers for each [`ElementKind`] makes the
//! report of a conversion, the table in the documentation, and the tests that hold every writer to it.

mod entry;
mod kind;
mod parts;
mod report;
mod size;

pub use entry::Entry;
pub use kind::{ArrayKind, ColumnKind, ElementKind, LayerKind, MatrixKind, UnsKind};
pub use parts::{Part, Place, fates, parts};
pub use report::{Fate, Loss, LossReport, table_of, tables_of};
pub use size::in_units;
pub(in crate::io) use size::too_wide;
