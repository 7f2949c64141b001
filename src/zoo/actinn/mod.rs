//! ACTINN: labels of cells from a small fully connected network (Ma & Pellegrini 2020, Bioinformatics 36(2)).

mod config;
mod counted;
mod filter;
mod model;

pub use config::ActinnConfig;
pub(super) use counted::COUNTED;
pub use model::{Actinn, KIND};
