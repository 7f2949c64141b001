//! Opens a file and walks through all its events, several times, and prints the best time in seconds, with the sum of
//! its first column as a check: `fcs_read FILE [TIMES]`. Used by `benches/fcs_read.py`.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use scx::data::Block;
use scx::io::{DEFAULT_MEMORY, ReadOptions, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let path = PathBuf::from(args.next().ok_or("usage: fcs_read FILE [TIMES]")?);
    let times: usize = args.next().map_or(Ok(5), |t| t.to_string_lossy().parse())?;
    let mut best = f64::INFINITY;
    let mut sum = 0.0;
    for _ in 0..times {
        let start = Instant::now();
        let dataset = open(&path, &ReadOptions::default())?;
        sum = 0.0;
        if let Some(x) = &dataset.x {
            // Every event in order, as a writer takes them.
            x.stream(DEFAULT_MEMORY, &mut |_, block| {
                if let Block::Dense(d) = block {
                    let (rows, width) = d.shape();
                    sum += (0..rows).filter_map(|r| d.values().get(r * width)).sum::<f64>();
                }
                Ok(())
            })?;
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{best} {sum}");
    Ok(())
}
