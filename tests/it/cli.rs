//! The program as a user meets it: wrong requests, bad files, a full disk, signals, help and the demo.

mod docs;
mod input;
mod resources;
mod usage;
