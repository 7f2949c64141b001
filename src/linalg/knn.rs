//! Nearest neighbours by Euclidean distance: exact by blocked products, or approximate through a forest of random
//! projections and the neighbours of neighbours. The same bits at any number of threads.

mod exact;
mod forest;
mod refine;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ndarray::{ArrayView2, Axis};

use super::LinalgError;
use crate::progress::Progress;
use crate::rng::Seed;

/// Up to this many rows every pair is looked at: 100,000 rows of 50 columns take 25 s of one core, less than a good
/// approximate search. Beyond, time would grow with the square of the rows.
pub const EXACT_UP_TO: usize = 200_000;

/// How neighbours are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Search {
    /// Exact up to [`EXACT_UP_TO`] rows, approximate beyond.
    #[default]
    Auto,
    /// Every pair.
    Exact,
    /// A forest and neighbours of neighbours.
    Approximate,
}

/// The nearest neighbours of each row, the nearest first; rows at the same distance come by number.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    k: usize,
    indices: Vec<u32>,
    distances: Vec<f32>,
}

impl Neighbours {
    /// Rows searched for.
    pub fn len(&self) -> usize {
        self.indices.len().checked_div(self.k).unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Neighbours of each row.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Numbers of all neighbours, rows × k.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Euclidean distances of all neighbours, rows × k.
    pub fn distances(&self) -> &[f32] {
        &self.distances
    }

    /// Neighbours of row `i` and their distances; empty past the end.
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let span = i.saturating_mul(self.k)..i.saturating_add(1).saturating_mul(self.k);
        (self.indices.get(span.clone()).unwrap_or(&[]), self.distances.get(span).unwrap_or(&[]))
    }

    fn from_lists(k: usize, lists: &[Candidate], stride: usize) -> Self {
        let kept = || lists.chunks_exact(stride.max(1)).flat_map(|list| list.iter().take(k));
        Self {
            k,
            indices: kept().map(|c| c.id & !NEW).collect(),
            distances: kept().map(|c| c.square.sqrt()).collect(),
        }
    }
}

/// The `k` nearest other rows of each row of `x`.
///
/// # Errors
/// [`LinalgError`] when there are not more than `k` rows or more than 2^31, values are not finite, or `progress` stops.
pub fn neighbours(
    x: ArrayView2<'_, f32>,
    k: usize,
    search: Search,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Neighbours, LinalgError> {
    let n = x.nrows();
    if k == 0 || n <= k {
        return Err(LinalgError::TooFewRows { found: n, needed: k + 1 });
    }
    check_count(n)?;
    let points = Points::new(x, None)?;
    let exact = match search {
        Search::Auto => n <= EXACT_UP_TO,
        Search::Exact => true,
        Search::Approximate => false,
    };
    if exact {
        exact::search(&points, &points, k, true, progress)
    } else {
        refine::search(&points, k, seed, progress)
    }
}

/// The `k` rows of `reference` nearest to each row of `query`, exactly.
///
/// # Errors
/// [`LinalgError`] when the columns differ, `reference` has fewer than `k` rows, values are not finite, or `progress`
/// stops.
pub fn nearest(
    query: ArrayView2<'_, f32>,
    reference: ArrayView2<'_, f32>,
    k: usize,
    progress: &dyn Progress,
) -> Result<Neighbours, LinalgError> {
    if query.ncols() != reference.ncols() {
        return Err(LinalgError::Columns { expected: reference.ncols(), found: query.ncols() });
    }
    if k == 0 || reference.nrows() < k {
        return Err(LinalgError::TooFewRows { found: reference.nrows(), needed: k.max(1) });
    }
    check_count(reference.nrows())?;
    let reference = Points::new(reference, None)?;
    let query = Points::new(query, Some(&reference.centre))?;
    exact::search(&query, &reference, k, false, progress)
}

/// Share of the true neighbours of some rows, chosen by `seed`, that `found` holds; ties count as found.
///
/// # Errors
/// As [`neighbours`].
pub fn recall(
    x: ArrayView2<'_, f32>,
    found: &Neighbours,
    rows: usize,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<f64, LinalgError> {
    let sample = seed.stream("recall").sample(x.nrows(), rows);
    // Each row is its own nearest, which the others follow.
    let truth = nearest(x.select(Axis(0), &sample).view(), x, found.k() + 1, progress)?;
    let hits = sample.iter().enumerate().map(|(i, &row)| {
        let farthest = truth.row(i).1.last().map_or(0.0, |d| d * (1.0 + 1e-6));
        found.row(row).1.iter().filter(|d| **d <= farthest).count()
    });
    Ok(hits.sum::<usize>() as f64 / (sample.len() * found.k()).max(1) as f64)
}

/// Row numbers take 31 bits, and one number stands for none.
fn check_count(rows: usize) -> Result<(), LinalgError> {
    let limit = (NEW - 1) as usize;
    if rows > limit { Err(LinalgError::TooManyRows { found: rows, limit }) } else { Ok(()) }
}

/// Rows as they are searched: row after row, moved so that their centre is at zero, which keeps products accurate.
struct Points {
    columns: usize,
    values: Vec<f32>,
    squares: Vec<f32>,
    centre: Vec<f64>,
}

impl Points {
    fn new(x: ArrayView2<'_, f32>, centre: Option<&[f64]>) -> Result<Self, LinalgError> {
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

    fn len(&self) -> usize {
        self.squares.len()
    }

    fn row(&self, i: usize) -> &[f32] {
        self.values.get(i * self.columns..(i + 1) * self.columns).unwrap_or(&[])
    }
}

/// Squared distance, in lanes of fixed order: the same bits however it is compiled for one machine.
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
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

/// Marks a candidate that came in the last round.
const NEW: u32 = 1 << 31;

/// A neighbour that may become one of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    square: f32,
    id: u32,
}

impl Candidate {
    /// An empty place: farther than anything.
    const NONE: Self = Self { square: f32::INFINITY, id: !NEW };

    fn before(self, other: Self) -> bool {
        self.square < other.square || (self.square == other.square && self.id & !NEW < other.id & !NEW)
    }
}

/// Puts a candidate into a sorted list unless it is there or too far; says whether it did.
fn insert(list: &mut [Candidate], c: Candidate) -> bool {
    let Some(last) = list.len().checked_sub(1) else { return false };
    if !c.before(list[last]) || list.iter().any(|o| o.id & !NEW == c.id & !NEW) {
        return false;
    }
    let at = list.partition_point(|o| o.before(c));
    list.copy_within(at..last, at + 1);
    list[at] = c;
    true
}

/// Counts finished rows of work that several threads do, and carries the wish to stop to all of them.
struct Counter<'a> {
    progress: &'a dyn Progress,
    note: &'a str,
    done: AtomicU64,
    stop: AtomicBool,
}

impl<'a> Counter<'a> {
    fn new(progress: &'a dyn Progress, what: &str, total: usize, note: &'a str) -> Self {
        progress.start(what, total as u64);
        Self { progress, note, done: AtomicU64::new(0), stop: AtomicBool::new(false) }
    }

    /// Adds finished rows; false when the work should stop.
    fn add(&self, rows: usize) -> bool {
        let done = self.done.fetch_add(rows as u64, Ordering::Relaxed) + rows as u64;
        self.progress.advance(done, self.note);
        if self.progress.cancelled() {
            self.stop.store(true, Ordering::Relaxed);
        }
        !self.stop.load(Ordering::Relaxed)
    }

    fn finish(self) -> Result<(), LinalgError> {
        self.progress.finish();
        if self.stop.into_inner() { Err(LinalgError::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
