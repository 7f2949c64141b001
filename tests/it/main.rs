//! All integration tests in one binary: HDF5 and the tensor library link slowly.

mod fcs;
mod h5ad;
mod reference;
mod report;
mod zoo;
