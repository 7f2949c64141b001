//! Any bytes as an FCS file.
#![no_main]

#[path = "common.rs"]
mod common;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = common::folder().join("x.fcs");
    if std::fs::write(&path, bytes).is_ok() {
        common::read(&path);
    }
});
