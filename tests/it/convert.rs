//! `scx convert`: through the binary, and every writer held to the table of losses.

mod formats;
mod losses;
mod usage;
