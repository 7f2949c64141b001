//! Small helpers over the HDF5 library. Knows no cell biology.
