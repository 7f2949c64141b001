//! Loom files: versions 2 and 3 and older ones read, 3.0.0 written. A loom stores genes × cells, every value; here as
//! everywhere X is cells × genes, and a matrix of mostly zeros is handed over in compressed rows.

mod array;
mod attrs;
mod bands;
mod check;
mod codec;
mod column;
mod entities;
mod globals;
mod graphs;
mod left;
mod losses;
mod matrix;
mod names;
mod outline;
mod read;
mod text;
mod turn;
mod write;

pub use check::check;
pub(super) use codec::CODEC;
pub use outline::outline;
pub use read::{probe, read};
pub use write::{holds, write};
