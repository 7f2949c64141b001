//! Trees of random projections: rows that end in the same leaf are likely to be near each other.

use super::{Points, squared_distance};
use crate::rng::{Seed, Stream};

/// Rows of a leaf at most.
const LEAF: usize = 40;
/// A side of a split with a smaller share than this gets its rows by number instead.
const LEAST_SHARE: usize = 20;
/// Splits with more rows than this are worked on by two threads.
const SPLIT_WORK: usize = 20_000;

/// A tree: the rows in the order of its leaves, and for each row where its leaf starts and ends.
pub(super) struct Tree {
    order: Vec<u32>,
    leaf: Vec<(u32, u32)>,
}

impl Tree {
    /// Builds tree number `number`. Each split has a stream of its own, so that threads do not matter.
    pub(super) fn grow(points: &Points, seed: Seed, number: usize) -> Self {
        let mut order: Vec<u32> = (0..points.len() as u32).collect();
        let mut ends = vec![false; order.len()];
        split(points, seed, &format!("tree {number} "), &mut order, &mut ends);
        let mut leaf = vec![(0, 0); order.len()];
        let mut start = 0;
        for end in ends.iter().enumerate().filter(|(_, last)| **last).map(|(at, _)| at + 1) {
            for &row in &order[start..end] {
                leaf[row as usize] = (start as u32, end as u32);
            }
            start = end;
        }
        Self { order, leaf }
    }

    /// The rows in the leaf of row `i`, itself among them.
    pub(super) fn leaf(&self, i: usize) -> &[u32] {
        let (start, end) = self.leaf.get(i).copied().unwrap_or_default();
        &self.order[start as usize..end as usize]
    }
}

/// Sorts rows into leaves; `ends` is set at the last place of each.
fn split(points: &Points, seed: Seed, path: &str, rows: &mut [u32], ends: &mut [bool]) {
    if rows.len() <= LEAF {
        if let Some(last) = ends.last_mut() {
            *last = true;
        }
        return;
    }
    let at = divide(points, &mut seed.stream(path), rows);
    let (left, right) = rows.split_at_mut(at);
    let (left_ends, right_ends) = ends.split_at_mut(at);
    let mut sides = [(format!("{path}l"), left, left_ends), (format!("{path}r"), right, right_ends)];
    let [(left_path, left, left_ends), (right_path, right, right_ends)] = &mut sides;
    if left.len() + right.len() > SPLIT_WORK {
        rayon::join(
            || split(points, seed, left_path, left, left_ends),
            || split(points, seed, right_path, right, right_ends),
        );
    } else {
        split(points, seed, left_path, left, left_ends);
        split(points, seed, right_path, right, right_ends);
    }
}

/// Moves the rows nearer to the first of two random rows to the front; returns their number.
fn divide(points: &Points, stream: &mut Stream, rows: &mut [u32]) -> usize {
    let a = rows[stream.below(rows.len())];
    let b = rows[stream.below(rows.len())];
    let (a, b) = (points.row(a as usize), points.row(b as usize));
    let nearer = |row: u32| {
        let row = points.row(row as usize);
        squared_distance(row, a) < squared_distance(row, b)
    };
    let (front, back): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| nearer(row));
    let at = front.len();
    for (to, from) in rows.iter_mut().zip(front.into_iter().chain(back)) {
        *to = from;
    }
    if at.min(rows.len() - at) < rows.len() / LEAST_SHARE { rows.len() / 2 } else { at }
}
