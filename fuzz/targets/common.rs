//! Reads a file to its last value: an error or a data set, never a panic, never more memory than the limit.

use std::path::Path;

use scx::io::{ReadLimits, ReadOptions};

/// Memory one array may take: what a claim of a small file must not get past.
const LIMIT: u64 = 16 << 20;

/// Opens a file and walks through every matrix.
pub fn read(path: &Path) {
    let options = ReadOptions {
        limits: ReadLimits { max_bytes: LIMIT },
        memory: 64 << 20,
        ..ReadOptions::default()
    };
    let Ok(d) = scx::io::open(path, &options) else { return };
    let _ = d.check();
    for m in d.x.iter().chain(d.layers.values()).chain(d.raw.iter().map(|r| &r.x)) {
        let _ = m.stream(options.memory, &mut |_, block| {
            std::hint::black_box(block.len());
            Ok(())
        });
    }
}

/// A folder in memory where there is one.
pub fn folder() -> std::path::PathBuf {
    let shm = Path::new("/dev/shm");
    let base = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
    let dir = base.join(format!("scx-fuzz-{}", std::process::id()));
    let _ = std::fs::create_dir_all(&dir);
    dir
}
