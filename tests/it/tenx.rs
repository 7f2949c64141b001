//! 10x files and folders: against scanpy's reading of them, bad ones, and what scx writes in the hands of others.

mod bad;
mod expected;
mod field;
mod peers;
mod round_trip;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use scx::data::{Block, Dataset, Matrix};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// The folder of real files, when there is one here.
fn real() -> Option<PathBuf> {
    let Some(root) = std::env::var_os("SCX_REAL_DATA") else {
        println!("skipped: SCX_REAL_DATA is not set");
        return None;
    };
    Some(Path::new(&root).join("tenx"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let all = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    all.map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// All stored entries of X as rows, columns and values, row by row.
fn entries(d: &Dataset) -> Vec<(usize, u32, f64)> {
    entries_of(d.x.as_ref().unwrap()).unwrap()
}

fn entries_of(x: &Matrix) -> Result<Vec<(usize, u32, f64)>, scx::data::DataError> {
    let mut out = Vec::new();
    x.stream(1 << 20, &mut |start, block| {
        match block {
            Block::Csr(rows) => {
                for (row, w) in rows.indptr().windows(2).enumerate() {
                    for i in w[0] as usize..w[1] as usize {
                        out.push((start + row, rows.indices()[i], rows.values().get(i).unwrap()));
                    }
                }
            }
            Block::Dense(rows) => {
                let columns = rows.shape().1;
                for (i, v) in rows.values().iter().enumerate().filter(|(_, v)| *v != 0.0) {
                    out.push((start + i / columns, (i % columns) as u32, v));
                }
            }
        }
        Ok(())
    })?;
    Ok(out)
}
