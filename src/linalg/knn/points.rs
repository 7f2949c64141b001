//! Rows as they are searched, and progress over them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ndarray::ArrayView2;

use crate::linalg::LinalgError;
use crate::progress::Progress;

/// Rows as they are searched: row after row, moved so that their centre is at zero, which keeps products accurate.
pub(super) struct Points {
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
    pub(super) squares: Vec<f32>,
    pub(super) centre: Vec<f64>,
}

impl Points {
    pub(super) fn new(x: ArrayView2<'_, f32>, centre: Option<&[f64]>) -> Result<Self, LinalgError> {
        if let Some(((row, column), &value)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(LinalgError::NotFinite { row, column, value: f64::from(value) });
        }
        let centre = centre.map_or_else(
            || {
                let mut sum = vec![0.0; x.ncols()];
                for row in x.rows() {
                    sum.iter_mut().zip(row).for_each(|(s, v)| *s += f64::from(*v));
                }
                sum.iter().map(|s| s / x.nrows().max(1) as f64).collect()
            },
            <[f64]>::to_vec,
        );
        let mut values = Vec::with_capacity(x.len());
        for row in x.rows() {
            values.extend(row.iter().zip(&centre).map(|(v, c)| (f64::from(*v) - c) as f32));
        }
        let columns = x.ncols();
        let squares = values.chunks_exact(columns.max(1)).map(|r| r.iter().map(|v| v * v).sum()).collect();
        Ok(Self { columns, values, squares, centre })
    }

    pub(super) fn len(&self) -> usize {
        self.squares.len()
    }

    pub(super) fn row(&self, i: usize) -> &[f32] {
        self.values.get(i * self.columns..(i + 1) * self.columns).unwrap_or(&[])
    }
}

/// Squared distance, in lanes of fixed order: the same bits however it is compiled for one machine.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| (x - y) * (x - y)).sum();
    for (x, y) in a.zip(b) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *s += (x - y) * (x - y);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Counts finished rows of work that several threads do, and carries the wish to stop to all of them.
pub(super) struct Counter<'a> {
    progress: &'a dyn Progress,
    note: &'a str,
    done: AtomicU64,
    stop: AtomicBool,
}

impl<'a> Counter<'a> {
    pub(super) fn new(progress: &'a dyn Progress, what: &str, total: usize, note: &'a str) -> Self {
        progress.start(what, total as u64);
        Self { progress, note, done: AtomicU64::new(0), stop: AtomicBool::new(false) }
    }

    /// Adds finished rows; false when the work should stop.
    pub(super) fn add(&self, rows: usize) -> bool {
        let done = self.done.fetch_add(rows as u64, Ordering::Relaxed) + rows as u64;
        self.progress.advance(done, self.note);
        if self.progress.cancelled() {
            self.stop.store(true, Ordering::Relaxed);
        }
        !self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn finish(self) -> Result<(), LinalgError> {
        self.progress.finish();
        if self.stop.into_inner() { Err(LinalgError::Cancelled) } else { Ok(()) }
    }
}
