//! AnnData's h5ad files: read in every layout since anndata 0.5, written in that of 0.12.

mod add;
mod annotate;
mod elem;
mod frame;
mod matrix;
mod matrix_out;
mod patched;
mod read;
mod write;

pub use add::takes_columns;
pub use annotate::annotate;
pub use read::{probe, read};
pub use write::write;
