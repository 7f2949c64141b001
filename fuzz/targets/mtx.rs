//! Any bytes as the three files of a 10x folder: matrix, barcodes and features, separated by a byte 0.
#![no_main]

#[path = "common.rs"]
mod common;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let dir = common::folder().join("mtx");
    let _ = std::fs::create_dir_all(&dir);
    let mut parts = bytes.split(|b| *b == 0);
    for name in ["matrix.mtx", "barcodes.tsv", "features.tsv"] {
        if std::fs::write(dir.join(name), parts.next().unwrap_or(b"")).is_err() {
            return;
        }
    }
    common::read(&dir);
});
