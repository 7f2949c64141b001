//! Raw counts: where a data set holds them, reading them, and what count models take and make.

mod builder;
mod error;
mod features;
mod find;
mod main;
mod matrix;
mod place;
mod read;
mod rounded;
mod rows;

pub use builder::CountsBuilder;
pub use error::CountsError;
pub use features::{FeatureType, Features};
pub use find::{Fractions, Taken, Wanted, find};
pub use main::{make_main, round_main};
pub use matrix::Counts;
pub use place::{Chosen, Place, chosen};
pub use read::read;
pub use rounded::{Rounded, rounded};
pub use rows::{CountRows, RowRun, largest, typed};
