//! One file a verb: open, call, save, print. No algorithm lives here.

pub(super) mod augment;
pub(super) mod check;
pub(super) mod classify;
pub(super) mod cluster;
pub(super) mod concat;
pub(super) mod convert;
pub(super) mod correct;
pub(super) mod demo;
pub(super) mod docs;
pub(super) mod evaluate;
pub(super) mod generate;
pub(super) mod info;
pub(super) mod models;
pub(super) mod preprocess;
pub(super) mod simulate;
pub(super) mod split;
pub(super) mod train;
