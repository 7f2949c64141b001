//! Making cells: which counts to learn from, training, stored models, new cells, and putting them below the real ones.
//!
//! The way of the data: [`Material`] (counts and labels of a data set) → [`train`] → [`Trained`] → [`make`] →
//! [`Synthetic`] → [`alone`] or [`below`]. A stored model enters at [`Trained::load`].

mod by;
mod classify;
mod derive;
mod description;
mod error;
mod join;
mod make;
mod material;
mod outlook;
mod plan;
mod simple;
mod stored;
mod train;
mod trained;

pub use by::{LEAST_OF_A_VALUE, wanted};
pub use classify::{Classified, Matching, classify, first};
pub use error::GenerateError;
pub use join::{alone, below, check_below};
pub use make::{Request, Synthetic, make, proportions};
pub use material::{Material, Sought};
pub use outlook::{NewCells, outlook_alone, outlook_below};
pub use plan::{Stops, TrainPlan};
pub use simple::{KINDS, Simple};
pub use train::train;
pub use trained::{Maker, Trained};
