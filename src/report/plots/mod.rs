//! The figures.

mod axes;
mod clouds;
mod density;
mod generated;
mod loss;
mod medians;
mod response;
mod triangle;
mod violin;

use axes::{Axes, FULL, with_unit};
pub(super) use axes::{GENERATED, REAL, TYPES};
pub(super) use clouds::{biaxial, pca};
pub(super) use density::density;
pub(super) use generated::{cloud, roc, zeros};
pub(super) use loss::loss;
pub(super) use medians::{Against, change_plot};
pub(super) use response::{clouds_of, scatter, violins_of};
pub(super) use triangle::triangle;
pub(super) use violin::violin;
