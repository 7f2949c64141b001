//! scx: single-cell and cytometry files, batch correction from spike-in controls.

pub mod data;
mod error;
pub mod io;
pub mod linalg;
pub mod report;

pub use error::Error;
