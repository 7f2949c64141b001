//! Times random forests under cross-validation: `forest_speed FILE TREES [dense|sparse]` prints seconds and the mean area
//! under the ROC curve. `RAYON_NUM_THREADS` sets the threads. Used by `benches/forest.py`.
//!
//! FILE, little-endian: rows and columns (u64), class of each row (u8), fold of each row (u8), values row by row (f32).
#![allow(clippy::print_stdout)]

use std::time::Instant;

use ndarray::{Array2, Axis};
use scx::eval::roc_auc;
use scx::linalg::{Forest, ForestConfig, SparseRows};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, trees, how] = args.as_slice() else { return Err("FILE TREES dense|sparse".into()) };
    let bytes = std::fs::read(path)?;
    let number = |at: usize| -> Result<usize, Box<dyn std::error::Error>> {
        Ok(u64::from_le_bytes(bytes[at..at + 8].try_into()?) as usize)
    };
    let (rows, columns) = (number(0)?, number(8)?);
    let classes: Vec<usize> = bytes[16..16 + rows].iter().map(|b| usize::from(*b)).collect();
    let folds = &bytes[16 + rows..16 + 2 * rows];
    let values = bytes[16 + 2 * rows..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let x = Array2::from_shape_vec((rows, columns), values.collect())?;
    let mut sparse = SparseRows::empty(columns);
    x.rows().into_iter().for_each(|r| sparse.push(r.iter().enumerate().map(|(j, &v)| (j as u32, v))));
    let config = ForestConfig { trees: trees.parse()?, ..ForestConfig::default() };
    let last = folds.iter().max().copied().unwrap_or(0);
    let (mut seconds, mut auc) = (0.0, 0.0);
    for fold in 0..=last {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..rows).partition(|&i| folds[i] == fold);
        let of = |rows: &[usize]| rows.iter().map(|&i| classes[i]).collect::<Vec<_>>();
        let positive: Vec<bool> = of(&test).iter().map(|c| *c == 1).collect();
        let p = if how == "sparse" {
            let (a, b) = (sparse.select(&train), sparse.select(&test));
            let start = Instant::now();
            let p = Forest::fit_sparse(&a, &of(&train), 2, &config)?.probabilities_sparse(&b)?;
            seconds += start.elapsed().as_secs_f64();
            p
        } else {
            let (a, b) = (x.select(Axis(0), &train), x.select(Axis(0), &test));
            let start = Instant::now();
            let p = Forest::fit(a.view(), &of(&train), 2, &config)?.probabilities(b.view())?;
            seconds += start.elapsed().as_secs_f64();
            p
        };
        auc += roc_auc(&p.column(1).to_vec(), &positive) / f64::from(u32::from(last) + 1);
    }
    println!("{seconds} {auc}");
    Ok(())
}
