//! Flow Cytometry Standard files.
