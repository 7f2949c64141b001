//! Rows outside memory: one rule for the folder, unnamed files that are gone when nobody reads them any more or the
//! process ends, however it ends.

mod folder;
mod numbers;
mod positioned;
mod rows;
mod sorter;

pub use folder::{folder, unnamed};
pub(super) use numbers::Numbers;
pub use positioned::read_exact_at;
pub use rows::{RowsWriter, StoredRows};
pub use sorter::Sorter;
