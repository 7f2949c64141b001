//! One classification tree, grown on a bootstrap.

use ndarray::ArrayView1;

use crate::rng::Stream;

/// A node: a split, or a leaf with the share of each class.
#[derive(Debug, Clone)]
enum Node {
    Split { column: u32, threshold: f32, left: u32, right: u32 },
    Leaf { first_share: u32 },
}

/// A grown tree.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    shares: Vec<f64>,
    classes: usize,
}

impl Tree {
    /// The class shares of the leaf a row falls into.
    pub(super) fn shares(&self, row: ArrayView1<'_, f32>) -> &[f64] {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { first_share } => {
                    return &self.shares[first_share as usize..first_share as usize + self.classes];
                }
                Node::Split { column, threshold, left, right } => {
                    at = if row[column as usize] <= threshold { left } else { right } as usize;
                }
            }
        }
    }
}

/// What every tree of a forest is grown from.
pub(super) struct Grower<'a> {
    /// Values, column by column.
    pub(super) by_column: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Class of each row.
    pub(super) y: &'a [usize],
    pub(super) classes: usize,
    /// Weight of each class.
    pub(super) weights: Vec<f64>,
    pub(super) max_features: usize,
    pub(super) min_samples_split: usize,
}

/// A split found: where, and how much impurity it leaves.
struct Best {
    column: usize,
    threshold: f32,
    score: f64,
}

/// Buffers one tree reuses at every node.
struct Scratch {
    /// Rows of the bootstrap, each once, in the order of the nodes.
    rows: Vec<u32>,
    /// How often each row was drawn.
    times: Vec<u32>,
    /// Columns, the first of them being drawn.
    order: Vec<u32>,
    /// Value and row, to be sorted.
    pairs: Vec<u64>,
    left: Vec<f64>,
}

impl Grower<'_> {
    /// Grows one tree on a bootstrap of all rows.
    pub(super) fn grow(&self, mut random: Stream) -> Tree {
        let mut times = vec![0u32; self.rows];
        for _ in 0..self.rows {
            times[random.below(self.rows)] += 1;
        }
        let drawn = (0..self.rows as u32).filter(|&r| times[r as usize] > 0).collect();
        let mut s = Scratch {
            rows: drawn,
            times,
            order: (0..self.columns as u32).collect(),
            pairs: Vec::new(),
            left: vec![0.0; self.classes],
        };
        let mut tree = Tree { nodes: Vec::new(), shares: Vec::new(), classes: self.classes };
        tree.nodes.push(Node::Leaf { first_share: 0 });
        let mut open = vec![(0usize, 0usize, s.rows.len())];
        while let Some((node, start, end)) = open.pop() {
            let totals = self.totals(&s, start, end);
            let split = if self.is_leaf(&s, start, end, &totals) {
                None
            } else {
                self.split(&mut s, start, end, &totals, &mut random)
            };
            match split {
                None => {
                    let sum: f64 = totals.iter().sum();
                    tree.nodes[node] = Node::Leaf { first_share: tree.shares.len() as u32 };
                    tree.shares.extend(totals.iter().map(|t| t / sum));
                }
                Some(best) => {
                    let middle = self.part(&mut s.rows[start..end], &best) + start;
                    let left = tree.nodes.len();
                    tree.nodes.push(Node::Leaf { first_share: 0 });
                    tree.nodes.push(Node::Leaf { first_share: 0 });
                    tree.nodes[node] = Node::Split {
                        column: best.column as u32,
                        threshold: best.threshold,
                        left: left as u32,
                        right: left as u32 + 1,
                    };
                    open.push((left + 1, middle, end));
                    open.push((left, start, middle));
                }
            }
        }
        tree
    }

    fn value(&self, column: usize, row: u32) -> f32 {
        self.by_column[column * self.rows + row as usize]
    }

    fn weight(&self, s: &Scratch, row: u32) -> f64 {
        f64::from(s.times[row as usize]) * self.weights[self.y[row as usize]]
    }

    /// Weight of each class in a node.
    fn totals(&self, s: &Scratch, start: usize, end: usize) -> Vec<f64> {
        let mut totals = vec![0.0; self.classes];
        for &r in &s.rows[start..end] {
            totals[self.y[r as usize]] += self.weight(s, r);
        }
        totals
    }

    fn is_leaf(&self, s: &Scratch, start: usize, end: usize, totals: &[f64]) -> bool {
        let drawn: usize = s.rows[start..end].iter().map(|&r| s.times[r as usize] as usize).sum();
        drawn < self.min_samples_split || totals.iter().filter(|t| **t > 0.0).count() < 2
    }

    /// The best of `max_features` columns drawn at random; columns with one value do not help, and drawing goes on until
    /// there is one that does.
    fn split(
        &self,
        s: &mut Scratch,
        start: usize,
        end: usize,
        totals: &[f64],
        random: &mut Stream,
    ) -> Option<Best> {
        let mut best: Option<Best> = None;
        let mut useful = false;
        for drawn in 0..self.columns {
            if drawn >= self.max_features && useful {
                break;
            }
            s.order.swap(drawn, drawn + random.below(self.columns - drawn));
            let column = s.order[drawn] as usize;
            useful |= self.try_column(s, start, end, totals, column, &mut best);
        }
        best
    }

    /// Looks for a better split of a node by one column; false when the column has one value there.
    fn try_column(
        &self,
        s: &mut Scratch,
        start: usize,
        end: usize,
        totals: &[f64],
        column: usize,
        best: &mut Option<Best>,
    ) -> bool {
        s.pairs.clear();
        let values = &self.by_column[column * self.rows..(column + 1) * self.rows];
        s.pairs.extend(s.rows[start..end].iter().map(|&r| key(values[r as usize]) << 32 | u64::from(r)));
        let first = s.pairs.first().map(|p| p >> 32);
        if s.pairs.iter().all(|p| Some(p >> 32) == first) {
            return false;
        }
        s.pairs.sort_unstable();
        s.left.fill(0.0);
        let total: f64 = totals.iter().sum();
        // Sums of squares, so that moving a row from right to left costs a few operations.
        let mut left_squares = 0.0;
        let mut right_squares: f64 = totals.iter().map(|t| t * t).sum();
        let mut left_weight = 0.0;
        for i in 0..s.pairs.len() - 1 {
            let row = s.pairs[i] as u32;
            let class = self.y[row as usize];
            let w = f64::from(s.times[row as usize]) * self.weights[class];
            let l = s.left[class];
            let r = totals[class] - l;
            left_squares += w * (2.0 * l + w);
            right_squares -= w * (2.0 * r - w);
            s.left[class] = l + w;
            left_weight += w;
            if s.pairs[i] >> 32 == s.pairs[i + 1] >> 32 {
                continue;
            }
            // What is left of Gini impurity, turned round: larger is better.
            let score = left_squares / left_weight + right_squares / (total - left_weight);
            if best.as_ref().is_none_or(|b| score > b.score) {
                let (a, b) = (self.value(column, row), self.value(column, s.pairs[i + 1] as u32));
                let middle = a / 2.0 + b / 2.0;
                // Between neighbours there may be no number: then the smaller one.
                let threshold = if middle < b && middle >= a { middle } else { a };
                *best = Some(Best { column, threshold, score });
            }
        }
        true
    }

    /// Rows at or below the threshold first; how many they are.
    fn part(&self, rows: &mut [u32], best: &Best) -> usize {
        let mut middle = 0;
        for i in 0..rows.len() {
            if self.value(best.column, rows[i]) <= best.threshold {
                rows.swap(i, middle);
                middle += 1;
            }
        }
        middle
    }
}

/// Bits of a number that sort as it does; −0 is 0.
fn key(x: f32) -> u64 {
    let bits = (x + 0.0).to_bits();
    u64::from(if bits >> 31 == 0 { bits | 1 << 31 } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_numbers_do() {
        let numbers = [f32::MIN, -2.0, -f32::MIN_POSITIVE, 0.0, f32::MIN_POSITIVE, 1.0, f32::MAX];
        assert!(numbers.windows(2).all(|w| key(w[0]) < key(w[1])));
        assert_eq!(key(-0.0), key(0.0));
    }
}
