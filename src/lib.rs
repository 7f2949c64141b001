//! scx: single-cell and cytometry files, batch correction from spike-in controls.
pub mod classic;
pub mod correct;
pub mod data;
pub mod eval;
pub mod io;
pub mod loader;
pub mod nn;
pub mod progress;
pub mod recipe;
pub mod rng;
pub mod zoo;
