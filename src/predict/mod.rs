//! Predicting a response: what cells of one type would do, told by types that were measured with and without it.
//!
//! The way of the data: [`Study`] (cells of two conditions, by type) → [`Facts`] (what is known of each type, once) →
//! [`Task`] (a type asked for, and those it is learnt from) → a row of [`KINDS`] → [`Prediction`].

mod batches;
mod boost;
mod cells;
mod curve;
mod error;
mod facts;
mod genes;
mod holdout;
mod judge;
mod kinds;
mod output;
mod pairs;
mod read;
mod rules;
mod stack;
mod study;
mod task;

pub use batches::confounded;
pub use cells::moments_of;
pub use error::PredictError;
pub use facts::Facts;
pub use genes::choose;
pub use holdout::{ChooseGenes, Holdout, Row, hold_out};
pub use judge::{Judged, Told, Verdict, best, facts_for, judge, needed, verdict};
pub use kinds::{DEFAULT, KINDS, Kind, Need, Prediction, Predictor, YARDSTICK, kind};
pub use output::{FROM_TO, Predicted, SOURCE_CELL};
pub use read::{Cells, Sought, values};
pub use study::{LEAST_CELLS, Study, moments};
pub use task::Task;
