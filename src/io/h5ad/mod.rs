//! AnnData's h5ad files.
