//! Splat (Zappia, Phipson, Oshlack 2017): counts of cells from a few numbers, with the truth about each
//! gene and cell; and these numbers estimated from a real data set.
//!
//! Differences from the R package, all in estimation: the common dispersion comes from moments instead of edgeR's
//! likelihood, its degrees of freedom are the package's default of 60.

mod error;
mod estimate;
mod fit;
mod logistic;
mod model;
mod params;
mod run;
mod shapiro;

pub use error::SplatError;
pub use estimate::estimate;
pub use model::SplatModel;
pub use params::{Bcv, DeLaw, Dropout, DropoutKind, Group, LibraryLaw, MeanLaw, Outliers, SplatParams};
pub use run::{GeneTruth, Simulated, simulate};
pub use shapiro::shapiro_wilk;
