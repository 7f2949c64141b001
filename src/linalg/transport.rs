//! Exact optimal transport between two sets of points of equal weight: the transportation problem, by its simplex method.

use ndarray::ArrayView2;

use super::LinalgError;

/// Points a side at most: the costs of two such sides take 800 MB.
pub const MOST_POINTS: usize = 10_000;

/// The cheapest way to bring what lies on the rows to the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// Row, column, and the share of the whole that goes from one to the other; at most rows + columns − 1 of them.
    pub moves: Vec<(usize, usize, f64)>,
    /// Cost of all moves.
    pub cost: f64,
}

/// Optimal transport from rows that hold 1 / n each to columns that take 1 / m each, for `cost` of n × m.
///
/// The simplex method on a spanning tree (Dantzig 1951), with supplies perturbed so that no pivot stands still (Orden
/// 1956): an optimum is found in finitely many steps, and it is exact up to the rounding of the costs. Where several are
/// optimal, the same one is found each time.
///
/// # Errors
/// [`LinalgError`] for a side without points or with more than [`MOST_POINTS`], and for costs that are not finite.
pub fn transport(cost: ArrayView2<'_, f64>) -> Result<Transport, LinalgError> {
    let (n, m) = cost.dim();
    if n == 0 || m == 0 {
        return Err(LinalgError::TooFewRows { found: 0, needed: 1 });
    }
    if n.max(m) > MOST_POINTS {
        return Err(LinalgError::TooManyRows { found: n.max(m), limit: MOST_POINTS });
    }
    if let Some(((row, column), &value)) = cost.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(LinalgError::NotFinite { row, column, value });
    }
    let mut tree = Tree::greedy(cost);
    tree.improve();
    let moves = tree.moves();
    let total = moves.iter().map(|&(i, j, w)| w * cost[(i, j)]).sum();
    Ok(Transport { moves, cost: total })
}

/// No node.
const NONE: usize = usize::MAX;

/// A spanning tree of rows (0 to n − 1) and columns (n to n + m − 1): the moves of a basis.
struct Tree<'a> {
    cost: ArrayView2<'a, f64>,
    n: usize,
    m: usize,
    parent: Vec<usize>,
    depth: Vec<u32>,
    /// What goes along the edge to the parent, perturbed.
    flow: Vec<i64>,
    /// Prices: a move of the tree costs the sum of both ends'.
    price: Vec<f64>,
    near: Vec<Vec<u32>>,
}

impl<'a> Tree<'a> {
    /// Each row in turn to the cheapest columns with room. Every move but the last ends either a row or a column, never
    /// both, because of the perturbation: so the moves are a spanning tree.
    fn greedy(cost: ArrayView2<'a, f64>) -> Self {
        let (n, m) = cost.dim();
        let fine = n as i64 + 1;
        let supply = m as i64 * fine + 1;
        let mut room = vec![n as i64 * fine; m];
        room[m - 1] += n as i64;
        let mut near = vec![Vec::new(); n + m];
        let mut edges: Vec<Vec<(usize, i64)>> = vec![Vec::new(); n];
        for i in 0..n {
            let mut left = supply;
            while left > 0 {
                let open = (0..m).filter(|&j| room[j] > 0);
                let Some(j) = open.min_by(|&p, &q| cost[(i, p)].total_cmp(&cost[(i, q)])) else { break };
                let moved = left.min(room[j]);
                room[j] -= moved;
                left -= moved;
                edges[i].push((n + j, moved));
                near[i].push((n + j) as u32);
                near[n + j].push(i as u32);
            }
        }
        let nodes = n + m;
        let mut tree = Self {
            cost,
            n,
            m,
            parent: vec![NONE; nodes],
            depth: vec![0; nodes],
            flow: vec![0; nodes],
            price: vec![0.0; nodes],
            near,
        };
        tree.hang(0);
        for (i, own) in edges.iter().enumerate() {
            for &(j, moved) in own {
                let child = if tree.parent[j] == i { j } else { i };
                tree.flow[child] = moved;
            }
        }
        tree
    }

    fn cost_of(&self, a: usize, b: usize) -> f64 {
        let (row, column) = if a < self.n { (a, b - self.n) } else { (b, a - self.n) };
        self.cost[(row, column)]
    }

    /// Sets parent, depth and price of all nodes below `top`, whose own are set.
    fn hang(&mut self, top: usize) {
        let mut open = vec![top];
        while let Some(node) = open.pop() {
            for at in 0..self.near[node].len() {
                let next = self.near[node][at] as usize;
                if next == self.parent[node] {
                    continue;
                }
                self.parent[next] = node;
                self.depth[next] = self.depth[node] + 1;
                self.price[next] = self.cost_of(node, next) - self.price[node];
                open.push(next);
            }
        }
    }

    /// Lets the moves that save most enter, block by block, until none saves anything.
    fn improve(&mut self) {
        let arcs = self.n * self.m;
        let block = ((arcs as f64).sqrt() as usize).max(16);
        let largest = self.cost.iter().fold(0.0f64, |a, c| a.max(c.abs()));
        let least = -1e-11 * largest.max(f64::MIN_POSITIVE);
        let (mut at, mut idle) = (0, 0);
        while idle < arcs {
            let (mut best, mut enters) = (least, None);
            for _ in 0..block.min(arcs - idle) {
                let (i, j) = (at / self.m, at % self.m);
                let saves = self.cost[(i, j)] - self.price[i] - self.price[self.n + j];
                if saves < best {
                    (best, enters) = (saves, Some((i, self.n + j)));
                }
                at = if at + 1 == arcs { 0 } else { at + 1 };
                idle += 1;
            }
            if let Some((i, j)) = enters {
                self.pivot(i, j);
                idle = 0;
            }
        }
    }

    /// Puts the move from row `i` to column `j` into the tree, and the one that it empties out of it.
    fn pivot(&mut self, i: usize, j: usize) {
        let top = self.meeting(i, j);
        // From the row upwards, moves away from rows shrink; from the column upwards, moves into columns do.
        let mut out = (i64::MAX, NONE, true);
        for (start, shrinks_rows) in [(i, true), (j, false)] {
            let mut node = start;
            while node != top {
                if (node < self.n) == shrinks_rows && self.flow[node] < out.0 {
                    out = (self.flow[node], node, shrinks_rows);
                }
                node = self.parent[node];
            }
        }
        let (moved, leaves, below_row) = out;
        if leaves == NONE {
            return;
        }
        for (start, shrinks_rows) in [(i, true), (j, false)] {
            let mut node = start;
            while node != top {
                self.flow[node] += if (node < self.n) == shrinks_rows { -moved } else { moved };
                node = self.parent[node];
            }
        }
        let (inner, outer) = if below_row { (i, j) } else { (j, i) };
        let old = self.parent[leaves];
        self.near[leaves].retain(|&x| x as usize != old);
        self.near[old].retain(|&x| x as usize != leaves);
        self.near[inner].push(outer as u32);
        self.near[outer].push(inner as u32);
        // The part below the move that left hangs from the other end now: its parents turn round.
        let (mut node, mut above, mut flow) = (inner, outer, moved);
        loop {
            let next = (self.parent[node], self.flow[node]);
            self.parent[node] = above;
            self.flow[node] = flow;
            if node == leaves {
                break;
            }
            (above, node, flow) = (node, next.0, next.1);
        }
        self.depth[inner] = self.depth[outer] + 1;
        self.price[inner] = self.cost_of(inner, outer) - self.price[outer];
        self.hang(inner);
    }

    /// The lowest node above both.
    fn meeting(&self, mut a: usize, mut b: usize) -> usize {
        while a != b {
            if self.depth[a] >= self.depth[b] { a = self.parent[a] } else { b = self.parent[b] }
        }
        a
    }

    /// The moves, without the perturbation: what each part of the tree has to give is what leaves it.
    fn moves(&self) -> Vec<(usize, usize, f64)> {
        let nodes = self.n + self.m;
        let mut has: Vec<i64> =
            (0..nodes).map(|v| if v < self.n { self.m as i64 } else { -(self.n as i64) }).collect();
        let mut order: Vec<usize> = (0..nodes).collect();
        order.sort_by(|a, b| self.depth[*b].cmp(&self.depth[*a]));
        let whole = self.n as f64 * self.m as f64;
        let mut moves = Vec::with_capacity(nodes);
        for node in order {
            let above = self.parent[node];
            if above == NONE {
                continue;
            }
            let given = has[node];
            has[above] += given;
            let (row, column) = if node < self.n { (node, above) } else { (above, node) };
            if given != 0 {
                moves.push((row, column - self.n, given.unsigned_abs() as f64 / whole));
            }
        }
        moves.sort_by_key(|&(i, j, _)| (i, j));
        moves
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::rng::Seed;

    /// Points in two dimensions that a script can make again: the costs of fixtures/make/make_perturbation.py.
    fn points(n: usize, m: usize) -> Array2<f64> {
        let at = |i: usize, k: f64| ((i * i) as f64 * k + i as f64 * 0.37).sin();
        Array2::from_shape_fn((n, m), |(i, j)| {
            (at(i, 0.11) - at(j, 0.23)).powi(2) + (at(i, 0.71) - 1.3 * at(j, 0.53)).powi(2)
        })
    }

    fn sums(t: &Transport, n: usize, m: usize) {
        let (mut rows, mut columns) = (vec![0.0; n], vec![0.0; m]);
        for &(i, j, w) in &t.moves {
            assert!(w > 0.0);
            rows[i] += w;
            columns[j] += w;
        }
        assert!(rows.iter().all(|r| (r * n as f64 - 1.0).abs() < 1e-12), "{rows:?}");
        assert!(columns.iter().all(|c| (c * m as f64 - 1.0).abs() < 1e-12), "{columns:?}");
    }

    /// POT 0.9.7, ot.emd2 with equal weights: made by fixtures/make/make_perturbation.py.
    #[test]
    fn the_cost_equals_that_of_pot() {
        for (n, m, expected) in COSTS {
            let t = transport(points(n, m).view()).unwrap();
            sums(&t, n, m);
            assert!((t.cost - expected).abs() < 1e-9, "{n} {m}: {} {expected}", t.cost);
        }
    }

    const COSTS: [(usize, usize, f64); 6] = [
        (1, 1, 0.0),
        (1, 5, 0.798_460_257_682_890_1),
        (6, 4, 0.489_382_135_146_295_4),
        (30, 30, 0.111_446_646_947_542_55),
        (57, 83, 0.111_802_646_489_631_56),
        (200, 140, 0.060_984_553_393_353_326),
    ];

    /// No other plan is cheaper: prices exist with which no move saves anything (the dual has the same value).
    #[test]
    fn the_plan_of_few_points_is_the_best_of_all() {
        let mut s = Seed(3).stream("transport");
        for _ in 0..30 {
            let cost = Array2::from_shape_fn((5, 5), |_| s.uniform());
            let t = transport(cost.view()).unwrap();
            sums(&t, 5, 5);
            let best = permutations(5)
                .iter()
                .map(|p| (0..5).map(|i| cost[(i, p[i])]).sum::<f64>() / 5.0)
                .fold(f64::INFINITY, f64::min);
            assert!((t.cost - best).abs() < 1e-12, "{} {best}", t.cost);
        }
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(n - 1);
        let put =
            |p: &Vec<usize>| (0..n).map(|at| [&p[..at], &[n - 1], &p[at..]].concat()).collect::<Vec<_>>();
        shorter.iter().flat_map(put).collect()
    }

    #[test]
    fn equal_costs_end_and_what_is_no_problem_is_refused() {
        let t = transport(Array2::from_elem((7, 4), 2.0).view()).unwrap();
        sums(&t, 7, 4);
        assert!((t.cost - 2.0).abs() < 1e-12);
        assert!(transport(Array2::zeros((0, 3)).view()).is_err());
        assert!(matches!(
            transport(array![[1.0, f64::NAN]].view()),
            Err(LinalgError::NotFinite { column: 1, .. })
        ));
    }
}
