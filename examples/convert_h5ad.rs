//! Times one job on an h5ad file: `convert_h5ad read IN` walks through X and keeps it in memory, `convert_h5ad write IN
//! OUT [gzip:N|lzf|none]` writes the file again. `SCX_MEMORY` is the memory in MiB, `RAYON_NUM_THREADS` the threads.

use std::path::Path;
use std::time::Instant;

use scx::data::{Block, DataError};
use scx::io::{self, Compression, Format, ReadOptions, WriteOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let memory =
        std::env::var("SCX_MEMORY").ok().and_then(|m| m.parse::<u64>().ok()).map_or(2 << 30, |m| m << 20);
    let options = ReadOptions { memory, ..ReadOptions::default() };
    let since = Instant::now();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["read", input] => {
            let dataset = io::open(Path::new(input), &options)?;
            let mut runs: Vec<Block> = Vec::new();
            if let Some(x) = &dataset.x {
                x.stream(memory, &mut |_, block| {
                    runs.push(block);
                    Ok(())
                })?;
            }
            let values = runs.iter().map(|b| match b {
                Block::Dense(d) => d.values().len(),
                Block::Csr(s) => s.values().len(),
            });
            println!("{} values, {:.3} s", values.sum::<usize>(), since.elapsed().as_secs_f64());
        }
        ["walk", input] => {
            let dataset = io::open(Path::new(input), &options)?;
            let mut rows = 0;
            if let Some(x) = &dataset.x {
                x.stream(memory, &mut |_, block| -> Result<(), DataError> {
                    rows += block.len();
                    Ok(())
                })?;
            }
            println!("{rows} rows, {:.3} s", since.elapsed().as_secs_f64());
        }
        ["write", input, output, ref rest @ ..] => {
            let compression = match rest.first() {
                None => None,
                Some(&"lzf") => Some(Compression::Lzf),
                Some(&"none") => Some(Compression::None),
                Some(gzip) => Some(Compression::Gzip(gzip.rsplit(':').next().unwrap_or("4").parse()?)),
            };
            let dataset = io::open(Path::new(input), &options)?;
            let options = WriteOptions { memory, compression, ..WriteOptions::default() };
            io::save(&dataset, Format::H5ad, Path::new(output), true, &options)?;
            println!("{:.3} s", since.elapsed().as_secs_f64());
        }
        _ => return Err("read IN | walk IN | write IN OUT [gzip:N|lzf|none]".into()),
    }
    Ok(())
}
