//! Times reading X of an h5ad file from end to end: `h5ad_read keep IN` holds all of it in memory, `h5ad_read walk IN`
//! looks at one run of rows after the other. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use scx::data::{Block, DataError};
use scx::io::{self, ReadOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [how, input] = args.as_slice() else { return Err("keep IN | walk IN".into()) };
    let options = ReadOptions::default();
    let since = Instant::now();
    let dataset = io::open(Path::new(input), &options)?;
    let x = dataset.x.as_ref().ok_or("no X")?;
    let (mut runs, mut rows): (Vec<Block>, usize) = (Vec::new(), 0);
    x.stream(options.memory, &mut |_, block| -> Result<(), DataError> {
        rows += block.len();
        if how == "keep" {
            runs.push(block);
        }
        Ok(())
    })?;
    println!("{rows} rows, {:.3} s", since.elapsed().as_secs_f64());
    Ok(())
}
