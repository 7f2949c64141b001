//! Sample sheets: a table with one row for each file of a study, which says what the file is.

mod columns;
mod error;
mod obs;
mod paths;
mod read;
mod rows;

pub use error::SheetError;
pub use rows::{Sheet, SheetRow};
