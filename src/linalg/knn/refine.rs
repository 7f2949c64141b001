//! Approximate search: leaves of random trees as a start, then neighbours of neighbours until little changes.

use rayon::prelude::*;

use super::forest::Tree;
use super::{Candidate, Counter, NEW, Neighbours, Points, insert, squared_distance};
use crate::linalg::LinalgError;
use crate::progress::Progress;
use crate::rng::Seed;

/// Rounds at most.
const ROUNDS: usize = 10;
/// Rounds end when fewer than one place in this many changed.
const STILL: usize = 2000;
/// Places beyond `k` in each list: a wider view finds more. Measured with k = 14 on 100,000 rows whose last 38 of 50
/// columns are noise, which is as hard as it gets: 5 find 84 % of the neighbours, 16 94 %, 22 96 %.
const WIDER: usize = 22;
/// Rows one thread takes at a time.
const RUN: usize = 1024;

/// The nearest `k` other rows of each row, nearly all of them found.
pub(super) fn search(
    points: &Points,
    k: usize,
    seed: Seed,
    progress: &dyn Progress,
) -> Result<Neighbours, LinalgError> {
    let n = points.len();
    let wide = (k + WIDER).min(n - 1);
    let mut lists = vec![Candidate::NONE; n * wide];
    // As many as umap-learn takes for a start, but fewer where there are many rows: rounds are cheaper than trees.
    let trees = (5 + (n as f64).sqrt() as usize / 40).min(20);
    let counter = Counter::new(progress, "neighbours", trees * n, "trees");
    for number in 0..trees {
        let tree = Tree::grow(points, seed, number);
        let taken = in_runs(&mut lists, wide, |i, list| {
            from_rows(points, i, tree.leaf(i).iter().copied(), list);
        });
        if !counter.add(taken) {
            break;
        }
    }
    counter.finish()?;
    for round in 1..=ROUNDS {
        let counter = Counter::new(progress, "neighbours", n, "refining");
        let changed = refine(points, &mut lists, wide, &counter);
        counter.finish()?;
        tracing::debug!("neighbours: round {round}, {changed} places changed");
        if changed * STILL < lists.len() {
            break;
        }
    }
    // A row that neither trees nor rounds gave enough neighbours looks at all rows.
    in_runs(&mut lists, wide, |i, list| {
        if list.get(k - 1).is_none_or(|c| c.square.is_infinite()) {
            from_rows(points, i, 0..n as u32, list);
        }
    });
    Ok(Neighbours::from_lists(k, &lists, wide))
}

/// Lets threads work on runs of lists, each list by one; returns the number of rows.
fn in_runs(lists: &mut [Candidate], wide: usize, work: impl Fn(usize, &mut [Candidate]) + Sync) -> usize {
    lists.par_chunks_mut(RUN * wide).enumerate().for_each(|(run, lists)| {
        for (i, list) in lists.chunks_exact_mut(wide).enumerate() {
            work(run * RUN + i, list);
        }
    });
    lists.len() / wide
}

/// Takes rows into the list of row `i`; returns how many came in.
fn from_rows(points: &Points, i: usize, rows: impl Iterator<Item = u32>, list: &mut [Candidate]) -> usize {
    let own = points.row(i);
    let mut came = 0;
    for row in rows.filter(|&row| row as usize != i) {
        let square = squared_distance(own, points.row(row as usize));
        came += usize::from(insert(list, Candidate { square, id: row | NEW }));
    }
    came
}

/// One round: each row looks at the neighbours of those it is a neighbour of and of those that are its own, where either
/// step is new. Every list is worked out from the lists before the round, so that threads do not matter.
fn refine(points: &Points, lists: &mut [Candidate], wide: usize, counter: &Counter) -> usize {
    let before = lists.to_vec();
    let list = |i: u32| before.get(i as usize * wide..(i as usize + 1) * wide).unwrap_or(&[]);
    let back = Reverse::new(&before, wide, points.len());
    lists
        .par_chunks_mut(RUN * wide)
        .enumerate()
        .map(|(run, lists)| {
            let mut rows = Vec::new();
            let mut changed = 0;
            for (at, own) in lists.chunks_exact_mut(wide).enumerate() {
                let i = run * RUN + at;
                rows.clear();
                own.iter_mut().for_each(|c| c.id &= !NEW);
                let near = list(i as u32).iter().filter(|c| c.square.is_finite()).map(|c| c.id);
                for step in near.chain(back.of(i).iter().copied()) {
                    let fresh = step & NEW != 0;
                    let next = list(step & !NEW).iter().filter(|c| c.square.is_finite());
                    rows.extend(next.filter(|c| fresh || c.id & NEW != 0).map(|c| c.id & !NEW));
                }
                rows.sort_unstable();
                rows.dedup();
                changed += from_rows(points, i, rows.iter().copied(), own);
            }
            if counter.add(lists.len() / wide) { changed } else { 0 }
        })
        .sum()
}

/// For each row, some of the rows in whose lists it is; the mark of the entry stays.
struct Reverse {
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl Reverse {
    fn new(lists: &[Candidate], wide: usize, n: usize) -> Self {
        let entries = || lists.iter().enumerate().filter(|(_, c)| c.square.is_finite());
        let mut starts = vec![0usize; n + 1];
        for (_, c) in entries() {
            let count = &mut starts[(c.id & !NEW) as usize + 1];
            *count = (*count + 1).min(wide);
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; starts[n]];
        for (at, c) in entries() {
            let to = (c.id & !NEW) as usize;
            if next[to] < starts[to + 1] {
                rows[next[to]] = (at / wide) as u32 | (c.id & NEW);
                next[to] += 1;
            }
        }
        Self { starts, rows }
    }

    fn of(&self, i: usize) -> &[u32] {
        &self.rows[self.starts[i]..self.starts[i + 1]]
    }
}
