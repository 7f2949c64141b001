//! h5ad files against Python's anndata, damaged files, round trips, and what annotating leaves alone.

mod annotate;
mod bad;
mod compare;
mod expected;
mod round_trip;
