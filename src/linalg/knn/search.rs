//! Nearest neighbours of rows.

use ndarray::{ArrayView2, Axis};

use super::{Candidate, NEW, Points, exact, refine};
use crate::linalg::LinalgError;
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
    pub(super) distances: Vec<f32>,
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

    pub(super) fn from_lists(k: usize, lists: &[Candidate], stride: usize) -> Self {
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
