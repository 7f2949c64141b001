//! Nearest neighbours by Euclidean distance: exact by blocked products, or approximate through a forest of random
//! projections and the neighbours of neighbours. The same bits at any number of threads.

mod candidate;
mod exact;
mod forest;
mod points;
mod refine;
mod search;
#[cfg(test)]
mod tests;

use candidate::{Candidate, NEW, insert};
use points::{Counter, Points, squared_distance};
pub use search::{EXACT_UP_TO, Neighbours, Search, nearest, neighbours, recall};
