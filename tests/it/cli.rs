//! The program as a user meets it: wrong requests, bad files, a full disk, signals, help and the demo.

mod check;
mod docs;
mod foreign;
mod info;
mod input;
mod resources;
mod usage;
