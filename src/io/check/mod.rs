//! Looking for faults in a file, element by element, without stopping at the first.

mod arrays;
mod remarks;
mod report;
mod run;
mod sparse;
pub(in crate::io) mod values;

pub(super) use arrays::{Arrays, unbacked};
pub use report::{CheckReport, Finding, Level};
pub use run::check;
pub(super) use run::values;
pub(super) use sparse::Compressed;
