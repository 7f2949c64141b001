//! `scx correct` through the program: what it writes, and that it repeats.

mod annotated;
mod files;
mod formats;
mod markers;
mod only;
mod panels;
mod repeats;
mod study;
mod verdict;
mod zeros;
