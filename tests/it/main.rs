//! Integration tests.
mod h5ad;
