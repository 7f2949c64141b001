//! One classification tree, grown on a bootstrap.

use super::columns::{Column, Columns, Entry};
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
    /// The class shares of the leaf a row falls into; `row` gives the value of a column.
    pub(super) fn shares(&self, row: impl Fn(usize) -> f32) -> &[f64] {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf { first_share } => {
                    return &self.shares[first_share as usize..first_share as usize + self.classes];
                }
                Node::Split { column, threshold, left, right } => {
                    at = if row(column as usize) <= threshold { left } else { right } as usize;
                }
            }
        }
    }
}

/// What every tree of a forest is grown from.
pub(super) struct Grower<'a> {
    pub(super) columns: &'a Columns,
    /// Class of each row.
    pub(super) y: &'a [usize],
    pub(super) classes: usize,
    /// Weight of each class.
    /// Weight of each class when rows are drawn; none when all rows are drawn alike.
    pub(super) weights: Option<Vec<f64>>,
    pub(super) max_features: usize,
    pub(super) min_samples_split: usize,
}

/// A split found: where, and how pure it leaves both sides.
struct Best {
    column: usize,
    threshold: f32,
    score: f64,
}

/// A node still to be split.
struct Open {
    node: usize,
    start: usize,
    end: usize,
    /// Columns known to have one value here: the first so many of the order.
    constant: usize,
}

/// A row of a node on the walk along one column: class and times drawn, and its value.
#[derive(Clone, Copy)]
struct Step {
    draw: Draw,
    value: f32,
}

/// How often a row was drawn, and its class: zero for rows that are not there.
#[derive(Clone, Copy, PartialEq)]
struct Draw(u32);

impl Draw {
    const NONE: Self = Self(0);

    fn new(times: u32, class: usize) -> Self {
        Self(times.min(u32::from(u16::MAX)) << 16 | class as u32)
    }

    fn times(self) -> f64 {
        f64::from(self.0 >> 16)
    }

    fn class(self) -> usize {
        (self.0 & 0xffff) as usize
    }
}

/// Buffers one tree reuses at every node.
struct Scratch {
    /// Rows of the bootstrap, each once, in the order of the nodes.
    rows: Vec<u32>,
    /// Draws of every row of the data.
    draws: Vec<Draw>,
    /// The same for the rows of the current node, none for others; filled when a column asks for it.
    here: Vec<Draw>,
    is_here: bool,
    /// Rows that go to the other side.
    marked: Vec<bool>,
    /// Columns: those with one value, those not looked at, those looked at.
    order: Vec<u32>,
    /// Value and row, to be sorted.
    pairs: Vec<u64>,
    steps: Vec<Step>,
    side: Vec<f64>,
}

impl Grower<'_> {
    /// Grows one tree on a bootstrap of all rows.
    pub(super) fn grow(&self, mut random: Stream) -> Tree {
        let n = self.columns.rows();
        let times = self.bootstrap(&mut random);
        let draw = |(row, &t): (usize, &u32)| if t > 0 { Draw::new(t, self.y[row]) } else { Draw::NONE };
        let mut s = Scratch {
            rows: (0..n as u32).filter(|&r| times[r as usize] > 0).collect(),
            draws: times.iter().enumerate().map(draw).collect(),
            here: vec![Draw::NONE; n],
            is_here: false,
            marked: vec![false; n],
            order: (0..self.columns.len() as u32).collect(),
            pairs: Vec::new(),
            steps: vec![Step { draw: Draw::NONE, value: 0.0 }; n],
            side: vec![0.0; self.classes],
        };
        let mut tree = Tree { nodes: Vec::new(), shares: Vec::new(), classes: self.classes };
        tree.nodes.push(Node::Leaf { first_share: 0 });
        let mut open = vec![Open { node: 0, start: 0, end: s.rows.len(), constant: 0 }];
        let mut totals = vec![0.0; self.classes];
        while let Some(mut at) = open.pop() {
            self.totals(&s.draws, &s.rows[at.start..at.end], &mut totals);
            let mixed = totals.iter().filter(|t| **t > 0.0).count() > 1;
            let split = if mixed && at.end - at.start >= self.min_samples_split {
                let split = self.split(&mut s, &mut at, &totals, &mut random);
                s.leave(&at);
                split
            } else {
                None
            };
            match split {
                None => {
                    let sum: f64 = totals.iter().sum();
                    tree.nodes[at.node] = Node::Leaf { first_share: tree.shares.len() as u32 };
                    tree.shares.extend(totals.iter().map(|t| t / sum));
                }
                Some(best) => {
                    let middle = at.start + self.part(&mut s, &at, &best);
                    let left = tree.nodes.len();
                    tree.nodes.push(Node::Leaf { first_share: 0 });
                    tree.nodes.push(Node::Leaf { first_share: 0 });
                    tree.nodes[at.node] = Node::Split {
                        column: best.column as u32,
                        threshold: best.threshold,
                        left: left as u32,
                        right: left as u32 + 1,
                    };
                    open.push(Open { node: left + 1, start: middle, ..at });
                    open.push(Open { node: left, end: middle, ..at });
                }
            }
        }
        tree
    }

    /// How often each row is drawn: as many draws as rows, with replacement. With weights, a row is drawn with a chance in
    /// proportion to the weight of its class.
    fn bootstrap(&self, random: &mut Stream) -> Vec<u32> {
        let n = self.columns.rows();
        let mut times = vec![0u32; n];
        let Some(weights) = &self.weights else {
            (0..n).for_each(|_| times[random.below(n)] += 1);
            return times;
        };
        let mut rows = vec![Vec::new(); self.classes];
        self.y.iter().enumerate().for_each(|(row, &class)| rows[class].push(row));
        let mass: Vec<f64> = rows.iter().zip(weights).map(|(r, w)| r.len() as f64 * w).collect();
        for _ in 0..n {
            let of = &rows[random.weighted(&mass)];
            let at = random.below(of.len());
            if let Some(&row) = of.get(at) {
                times[row] += 1;
            }
        }
        times
    }

    /// Draws of each class in a node.
    fn totals(&self, draws: &[Draw], rows: &[u32], totals: &mut [f64]) {
        totals.fill(0.0);
        for &r in rows {
            let draw = draws[r as usize];
            totals[draw.class()] += draw.times();
        }
    }

    /// The best of `max_features` columns drawn at random. Columns with one value count as drawn and do not help; drawing
    /// goes on until there is one that does. What is constant in a node is so in its children, which are told.
    fn split(&self, s: &mut Scratch, at: &mut Open, totals: &[f64], random: &mut Stream) -> Option<Best> {
        let mut best: Option<Best> = None;
        let known = at.constant;
        let (mut known_drawn, mut end, mut useful) = (0, self.columns.len(), false);
        let mut drawn = 0;
        while end > at.constant && (drawn < self.max_features || !useful) {
            drawn += 1;
            // Among the columns not drawn yet: those known to be constant first, then the others.
            let known_left = known - known_drawn;
            let pick = random.below(known_left + end - at.constant);
            if pick < known_left {
                known_drawn += 1;
                continue;
            }
            let place = at.constant + pick - known_left;
            let column = s.order[place] as usize;
            if self.try_column(s, at, totals, column, &mut best) {
                useful = true;
                end -= 1;
                s.order.swap(place, end);
            } else {
                s.order.swap(place, at.constant);
                at.constant += 1;
            }
        }
        best
    }

    /// Looks for a better split of a node by one column; false when the column has one value there.
    ///
    /// Values are walked from both ends towards zero, so that rows with a zero are never looked at: they are what is left.
    fn try_column(
        &self,
        s: &mut Scratch,
        at: &Open,
        totals: &[f64],
        index: usize,
        best: &mut Option<Best>,
    ) -> bool {
        let column = self.columns.column(index);
        let size = at.end - at.start;
        // Sorting the node's rows, or reading the sorted column and leaving out what is elsewhere?
        let sorting = size * (2 + size.ilog2() as usize);
        let negatives = match column.dense.filter(|_| sorting < column.len()) {
            Some(values) => s.gather(at, values),
            None => s.filter(at, column),
        };
        let (negative, positive) = s.steps.split_at(negatives.0);
        let positive = &positive[..negatives.1];
        let zeros = size - negative.len() - positive.len();
        let zero = (zeros > 0).then_some(0.0);
        let inner = |half: &[Step]| half.last().map(|s| s.value);
        let mut search = Search {
            totals,
            total: totals.iter().sum(),
            score: best.as_ref().map_or(f64::NEG_INFINITY, |b| b.score),
            between: None,
            varies: false,
        };
        search.walk(negative, zero.or(inner(positive)), &mut s.side);
        search.walk(positive, zero.or(inner(negative)), &mut s.side);
        if let Some((a, b)) = search.between {
            let (a, b) = if a < b { (a, b) } else { (b, a) };
            let middle = a / 2.0 + b / 2.0;
            // Between neighbours there may be no number: then the smaller one.
            let threshold = if middle < b && middle >= a { middle } else { a };
            *best = Some(Best { column: index, threshold, score: search.score });
        }
        search.varies
    }

    /// Rows at or below the threshold first; how many they are.
    fn part(&self, s: &mut Scratch, at: &Open, best: &Best) -> usize {
        let column = self.columns.column(best.column);
        let rows = &mut s.rows[at.start..at.end];
        if let Some(values) = column.dense {
            return partition(rows, |r| values[r as usize] <= best.threshold);
        }
        let (list, left) = if best.threshold < 0.0 {
            (&column.negative[..column.negative.partition_point(|e| e.value <= best.threshold)], true)
        } else {
            (&column.positive[column.positive.partition_point(|e| e.value <= best.threshold)..], false)
        };
        list.iter().for_each(|e| s.marked[e.row as usize] = true);
        let marked = &s.marked;
        let middle = partition(rows, |r| marked[r as usize] == left);
        list.iter().for_each(|e| s.marked[e.row as usize] = false);
        middle
    }
}

impl Scratch {
    /// The node's rows with values other than zero, by sorting them: negative ones from the smallest up, then positive ones
    /// from the largest down. Returns how many of each.
    fn gather(&mut self, at: &Open, values: &[f32]) -> (usize, usize) {
        self.pairs.clear();
        for &r in &self.rows[at.start..at.end] {
            let value = values[r as usize];
            if value != 0.0 {
                self.pairs.push(u64::from(key(value)) << 32 | u64::from(r));
            }
        }
        self.pairs.sort_unstable();
        let negative = self.pairs.partition_point(|p| *p < 1 << 63);
        let (low, high) = self.pairs.split_at(negative);
        for (to, pair) in self.steps.iter_mut().zip(low.iter().chain(high.iter().rev())) {
            let row = *pair as u32 as usize;
            *to = Step { draw: self.draws[row], value: values[row] };
        }
        (low.len(), high.len())
    }

    /// The same by reading the sorted column.
    fn filter(&mut self, at: &Open, column: Column<'_>) -> (usize, usize) {
        if !self.is_here {
            self.is_here = true;
            for &r in &self.rows[at.start..at.end] {
                self.here[r as usize] = self.draws[r as usize];
            }
        }
        let mut k = 0;
        // Every entry is written; only those of the node move the end on.
        let mut take = |e: &Entry| {
            let draw = self.here[e.row as usize];
            if let Some(to) = self.steps.get_mut(k) {
                *to = Step { draw, value: e.value };
            }
            k += usize::from(draw != Draw::NONE);
        };
        column.negative.iter().for_each(&mut take);
        column.positive.iter().rev().for_each(&mut take);
        let all = k;
        let negative = self.steps[..all].partition_point(|s| s.value < 0.0);
        (negative, all - negative)
    }

    /// Forgets which rows the node had.
    fn leave(&mut self, at: &Open) {
        if std::mem::take(&mut self.is_here) {
            for &r in &self.rows[at.start..at.end] {
                self.here[r as usize] = Draw::NONE;
            }
        }
    }
}

/// The search for the best place to cut one column.
struct Search<'a> {
    totals: &'a [f64],
    total: f64,
    /// Of the best cut so far.
    score: f64,
    /// The values it lies between.
    between: Option<(f32, f32)>,
    varies: bool,
}

impl Search<'_> {
    /// Walks from the outer end of one half; `beyond` is the value that follows its last one.
    fn walk(&mut self, steps: &[Step], beyond: Option<f32>, side: &mut [f64]) {
        if self.totals.len() == 2 {
            self.walk_two(steps, beyond);
        } else {
            self.walk_many(steps, beyond, side);
        }
    }

    fn cut(&mut self, score: f64, outer: f32, inner: f32) {
        self.varies = true;
        if score > self.score {
            self.score = score;
            self.between = Some((outer, inner));
        }
    }

    fn walk_two(&mut self, steps: &[Step], beyond: Option<f32>) {
        let &[t0, t1] = self.totals else { return };
        // What is left of Gini impurity, turned round: larger is better.
        let score = |times: f64, ones: f64| {
            let (a0, a1) = (times - ones, ones);
            let (b0, b1) = (t0 - a0, t1 - a1);
            (a0 * a0 + a1 * a1) / (a0 + a1) + (b0 * b0 + b1 * b1) / (b0 + b1)
        };
        let (mut times, mut ones) = (0.0, 0.0);
        let Some(mut last) = steps.first().map(|s| s.value) else { return };
        for step in steps {
            if step.value != last {
                self.cut(score(times, ones), last, step.value);
                last = step.value;
            }
            times += step.draw.times();
            ones += step.draw.times() * f64::from(step.draw.0 & 1);
        }
        if let Some(inner) = beyond {
            self.cut(score(times, ones), last, inner);
        }
    }

    fn walk_many(&mut self, steps: &[Step], beyond: Option<f32>, side: &mut [f64]) {
        side.fill(0.0);
        // Sums of squares, so that a row that changes sides costs a few operations; whole numbers, so nothing is rounded.
        let (mut here, mut weight) = (0.0, 0.0);
        let mut there: f64 = self.totals.iter().map(|t| t * t).sum();
        let Some(mut last) = steps.first().map(|s| s.value) else { return };
        for step in steps {
            if step.value != last {
                self.cut(here / weight + there / (self.total - weight), last, step.value);
                last = step.value;
            }
            let (class, w) = (step.draw.class(), step.draw.times());
            let (a, b) = (side[class], self.totals[class] - side[class]);
            here += w * (2.0 * a + w);
            there -= w * (2.0 * b - w);
            side[class] = a + w;
            weight += w;
        }
        if let Some(inner) = beyond {
            self.cut(here / weight + there / (self.total - weight), last, inner);
        }
    }
}

/// Rows for which `first` holds come first; how many they are.
fn partition(rows: &mut [u32], first: impl Fn(u32) -> bool) -> usize {
    let mut middle = 0;
    for i in 0..rows.len() {
        if first(rows[i]) {
            rows.swap(i, middle);
            middle += 1;
        }
    }
    middle
}

/// Bits of a number that sort as it does; those of positive numbers have the first bit set.
fn key(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::SparseRows;
    use crate::rng::Seed;

    #[test]
    fn keys_sort_as_numbers_do() {
        let numbers = [f32::MIN, -2.0, -f32::MIN_POSITIVE, f32::MIN_POSITIVE, 1.0, f32::MAX];
        assert!(numbers.windows(2).all(|w| key(w[0]) < key(w[1])));
        assert!(key(-f32::MIN_POSITIVE) < 1 << 31 && key(f32::MIN_POSITIVE) >= 1 << 31);
    }

    /// Columns of all kinds: few values, many, negative ones, ties, one value only.
    fn mixed(rows: usize) -> (SparseRows, Vec<usize>) {
        let mut s = Seed(2).stream("mixed");
        let mut x = SparseRows::empty(6);
        let mut y = Vec::new();
        for i in 0..rows {
            let class = i % 3;
            let c = class as f32;
            let rare = if s.uniform() < 0.05 { 1.0 + c } else { 0.0 };
            let signs = (s.below(5) as f32 - 2.0) + if class == 0 { 1.0 } else { 0.0 };
            let many = s.normal() as f32 + c;
            let below = if s.uniform() < 0.1 { -1.0 - s.uniform() as f32 - c } else { 0.0 };
            x.push([(0, rare), (1, signs), (2, many), (3, 7.0), (4, below), (5, s.below(2) as f32)]);
            y.push(class);
        }
        (x, y)
    }

    /// Every cut of every column by brute force, against what the walks find.
    #[test]
    fn the_best_cut_is_the_best_of_all() {
        let (x, y) = mixed(200);
        let columns = Columns::from_sparse(&x);
        let dense = x.dense();
        let grower = Grower {
            columns: &columns,
            y: &y,
            classes: 3,
            weights: None,
            max_features: 6,
            min_samples_split: 2,
        };
        let mut random = Seed(1).stream("tree");
        let mut draws = vec![Draw::NONE; 200];
        (0..200).for_each(|i| draws[i] = Draw::new(1 + random.below(3) as u32, y[i]));
        for rows in [(0..200u32).collect::<Vec<_>>(), (40..52).collect(), vec![3, 4, 9]] {
            let at = Open { node: 0, start: 0, end: rows.len(), constant: 0 };
            let mut s = Scratch {
                rows: rows.clone(),
                draws: draws.clone(),
                here: vec![Draw::NONE; 200],
                is_here: false,
                marked: vec![false; 200],
                order: (0..6).collect(),
                pairs: Vec::new(),
                steps: vec![Step { draw: Draw::NONE, value: 0.0 }; 200],
                side: vec![0.0; 3],
            };
            let mut totals = vec![0.0; 3];
            grower.totals(&s.draws, &s.rows, &mut totals);
            for column in 0..6 {
                let mut best = None;
                let varies = grower.try_column(&mut s, &at, &totals, column, &mut best);
                let weight = |r: u32| draws[r as usize].times();
                let purity = |left: bool, cut: f32| {
                    let mut sums = [0.0; 3];
                    let side = rows.iter().filter(|&&r| (dense[(r as usize, column)] <= cut) == left);
                    side.for_each(|&r| sums[y[r as usize]] += weight(r));
                    let sum: f64 = sums.iter().sum();
                    if sum > 0.0 { sums.iter().map(|v| v * v).sum::<f64>() / sum } else { f64::NAN }
                };
                let all = rows.iter().map(|&r| dense[(r as usize, column)]);
                let cuts = all.map(|cut| purity(true, cut) + purity(false, cut));
                let expected = cuts.filter(|s| s.is_finite()).fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(varies, expected.is_finite(), "column {column}");
                if let Some(b) = best {
                    assert!((b.score - expected).abs() < 1e-9, "column {column}: {} {expected}", b.score);
                    let found = purity(true, b.threshold) + purity(false, b.threshold);
                    assert!((found - expected).abs() < 1e-9);
                    let below = rows.iter().filter(|&&r| dense[(r as usize, column)] <= b.threshold).count();
                    assert_eq!(grower.part(&mut s, &at, &b), below);
                    s.rows.clone_from(&rows);
                }
            }
            s.leave(&at);
        }
    }

    #[test]
    fn two_classes_are_cut_as_many_are() {
        let (x, y) = mixed(120);
        let columns = Columns::from_sparse(&x);
        let y: Vec<usize> = y.iter().map(|c| usize::from(*c == 1)).collect();
        // A third class that nobody has must change nothing.
        let grow = |classes: usize| {
            let (max_features, min_samples_split) = (2, 2);
            let weights = None;
            let g = Grower { columns: &columns, y: &y, classes, weights, max_features, min_samples_split };
            let tree = g.grow(Seed(5).stream("tree"));
            let dense = x.dense();
            (0..120).map(|i| tree.shares(|j| dense[(i, j)])[..2].to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(grow(2), grow(3));
    }
}
