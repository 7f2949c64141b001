//! Small helpers over the HDF5 library. Knows no cell biology.

mod array;
mod array_out;
mod cell;
mod codec;
mod copy;
mod direct;
mod glance;
mod judge;
mod kind;
mod library;
mod links;
mod matrix;
mod matrix_out;
mod meter;
mod names;
mod numbers;
mod open;
mod pointers;
mod raw;
mod shape;
mod source;
mod sparse;
mod store;
mod stranger;
mod text;
mod tiles;
mod walk;

pub(super) use array::Array;
pub(super) use glance::storage;
pub(super) use judge::{judge_compressed, judge_dense};
pub(super) use kind::Kind;
pub(super) use library::{has_magic, words};
pub use library::{is_hdf5, prepare};
pub(super) use matrix::{Compressed, Parts, Stored, Three, open_compressed, open_dense, whole as whole_size};
pub(super) use matrix_out::{write_compressed, write_dense};
pub(super) use meter::Meter;
pub(super) use open::open_shared;
pub(super) use raw::has_attr;
pub(super) use shape::{elements, extent, is_null, length};
pub(super) use source::{BEST_RATIO, Node, Source, UNBACKED};
pub(super) use sparse::{by_row, whole, wide_enough};
pub(super) use store::{
    Storage, Texts, create, new_group, set_shape, set_text, set_texts, set_value, write_error, write_file,
    write_fixed_strings, write_rows, write_string, write_strings,
};
use text::{read_text, unpadded};
pub(super) use tiles::{Band, Tile, TilesOut};
