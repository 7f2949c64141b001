//! Panels: which columns of a file are markers, and which column of one file is which of another.
//!
//! Two columns are the same marker when their stains fold to the same key, when neither has a stain and the channel is the
//! same, or when a panel file says so. Nothing else pairs: different stains on one channel are different markers.

mod choose;
mod column;
mod csv;
mod disagree;
mod error;
mod file;
mod find;
mod first;
mod isotope;
mod pair;
#[cfg(test)]
mod pair_tests;
mod patterns;
mod stain;
mod technical;

pub use choose::{Choice, File, MOST, Marker, NoMarker, choose, reasons};
pub use error::PanelError;
pub use file::{PanelFile, Role};
pub use first::{FirstPanel, FirstRow};
pub use pair::{How, Left, Pair, Pairing, Spelled, Why};
pub use stain::{key as stain_key, short as short_stain};
pub use technical::Reason;
