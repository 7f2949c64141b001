//! Integration tests.

mod fcs;
