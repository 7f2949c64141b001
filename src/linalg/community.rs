//! Communities of a weighted graph: the partition of largest modularity that Leiden or Louvain finds.
//!
//! The search itself is the crate `leiden-rs`, used without its threads: one stream of random numbers, the same
//! communities on any number of cores.

use std::collections::BTreeMap;

use leiden_rs::{GraphData, GraphDataBuilder, Leiden, LeidenConfig, LeidenError, Partition};

use super::LinalgError;
use crate::data::{Layout, Sparse};
use crate::progress::Progress;
use crate::rng::Seed;

/// How communities are searched.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Leiden (Traag, Waltman & van Eck 2019): communities are connected.
    #[default]
    Leiden,
    /// Louvain (Blondel et al. 2008).
    Louvain,
}

impl Method {
    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Method::Leiden => "leiden",
            Method::Louvain => "louvain",
        }
    }
}

/// What decides about the communities of a graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeidenSettings {
    /// The search.
    pub method: Method,
    /// Larger values give more and smaller communities; 1 is plain modularity.
    pub resolution: f64,
    /// Times the whole search runs, each from the partition of the one before.
    pub iterations: usize,
    /// The order in which nodes are visited follows from it.
    pub seed: Seed,
}

/// A partition of the nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Communities {
    /// Community of each node, from 0 by decreasing size; equal sizes by their smallest node.
    pub labels: Vec<u32>,
    /// Nodes of each community.
    pub sizes: Vec<usize>,
    /// Modularity at the resolution asked for.
    pub modularity: f64,
}

/// Finds the communities of a symmetric CSR graph, whose stored values are the weights of its edges.
///
/// # Errors
/// [`LinalgError`] when the graph is not square, a weight is negative or not finite, the resolution is negative, or
/// `progress` stops.
pub fn find(
    graph: &Sparse,
    settings: LeidenSettings,
    progress: &dyn Progress,
) -> Result<Communities, LinalgError> {
    let data = edges(graph)?;
    let config = LeidenConfig::builder()
        .resolution(settings.resolution)
        .seed(settings.seed.0)
        .skip_refinement(settings.method == Method::Louvain)
        .build();
    let search = Leiden::new(config);
    let mut found: Option<Partition> = None;
    progress.start("communities", settings.iterations as u64);
    for done in 0..settings.iterations.max(1) {
        if progress.cancelled() {
            progress.finish();
            return Err(LinalgError::Cancelled);
        }
        progress.advance(done as u64, settings.method.name());
        let next = match found {
            None => search.run(&data),
            Some(before) => search.run_with_initial_partition(&data, before),
        };
        found = Some(next.map_err(refused)?.partition);
    }
    progress.finish();
    let raw: Vec<usize> =
        found.map_or_else(Vec::new, |p| (0..graph.shape().0).map(|node| p.community_of(node)).collect());
    let (labels, sizes) = by_size(&joined(graph, &raw, settings.resolution));
    let modularity = modularity(graph, &labels, settings.resolution);
    Ok(Communities { labels, sizes, modularity })
}

fn refused(e: LeidenError) -> LinalgError {
    LinalgError::Community { what: e.to_string() }
}

/// The graph as the crate takes it: every edge once.
fn edges(graph: &Sparse) -> Result<GraphData, LinalgError> {
    let (n, m) = graph.shape();
    if n != m || graph.layout() != Layout::Csr {
        return Err(LinalgError::Columns { expected: n, found: m });
    }
    let mut builder = GraphDataBuilder::new(n);
    for (i, j, weight) in entries(graph).filter(|(i, j, _)| i <= j) {
        builder.add_edge(i, j, weight).map_err(refused)?;
    }
    builder.build().map_err(refused)
}

fn entries(graph: &Sparse) -> impl Iterator<Item = (usize, usize, f64)> {
    let rows = graph.indptr().windows(2).enumerate();
    let places = rows.flat_map(|(i, w)| (w[0] as usize..w[1] as usize).map(move |at| (i, at)));
    places.zip(graph.indices()).zip(graph.values().iter()).map(|(((i, _), j), w)| (i, *j as usize, w))
}

/// Joins communities, the best pair first, for as long as that makes modularity larger: a search that stops after a few
/// rounds can leave a community in two halves.
fn joined(graph: &Sparse, raw: &[usize], resolution: f64) -> Vec<usize> {
    let mut label = raw.to_vec();
    let mut degrees = BTreeMap::<usize, f64>::new();
    let mut between = BTreeMap::<(usize, usize), f64>::new();
    let mut total = 0.0;
    for (i, j, weight) in entries(graph) {
        let (Some(&a), Some(&b)) = (raw.get(i), raw.get(j)) else { continue };
        *degrees.entry(a).or_default() += weight;
        total += weight;
        if a != b {
            *between.entry((a.min(b), a.max(b))).or_default() += weight;
        }
    }
    loop {
        let degree = |c: usize| degrees.get(&c).copied().unwrap_or(0.0);
        let gain = |(&(a, b), w): (&(usize, usize), &f64)| {
            // `between` has every edge in both directions, as `total` has.
            ((a, b), w / total - 2.0 * resolution * degree(a) * degree(b) / (total * total))
        };
        let best = between.iter().map(gain).max_by(|x, y| x.1.total_cmp(&y.1).then(y.0.cmp(&x.0)));
        let Some(((keep, gone), _)) = best.filter(|(_, gain)| *gain > 1e-12) else { return label };
        label.iter_mut().filter(|l| **l == gone).for_each(|l| *l = keep);
        let moved = degrees.remove(&gone).unwrap_or(0.0);
        *degrees.entry(keep).or_default() += moved;
        for ((a, b), w) in std::mem::take(&mut between) {
            let (a, b) = (if a == gone { keep } else { a }, if b == gone { keep } else { b });
            if a != b {
                *between.entry((a.min(b), a.max(b))).or_default() += w;
            }
        }
    }
}

/// Numbers communities by decreasing size, equal sizes by their smallest node; labels and sizes.
fn by_size(raw: &[usize]) -> (Vec<u32>, Vec<usize>) {
    // First node and size of each community, in the order of first nodes.
    let mut first = BTreeMap::<usize, (usize, usize)>::new();
    for (node, &c) in raw.iter().enumerate() {
        first.entry(c).or_insert((node, 0)).1 += 1;
    }
    let mut order: Vec<(usize, (usize, usize))> = first.into_iter().collect();
    order.sort_by_key(|&(_, (node, size))| (std::cmp::Reverse(size), node));
    let number: BTreeMap<usize, u32> = order.iter().zip(0..).map(|(&(c, _), label)| (c, label)).collect();
    let labels = raw.iter().filter_map(|c| number.get(c).copied()).collect();
    (labels, order.into_iter().map(|(_, (_, size))| size).collect())
}

/// Modularity of a partition of a symmetric graph (Reichardt & Bornholdt's with the configuration model as null model,
/// divided by the total weight): the share of weight within communities minus `resolution` times the share expected
/// from the degrees.
pub fn modularity(graph: &Sparse, labels: &[u32], resolution: f64) -> f64 {
    let label = |i: usize| labels.get(i).copied().unwrap_or(u32::MAX);
    let mut degrees = BTreeMap::<u32, f64>::new();
    let (mut within, mut total) = (0.0, 0.0);
    for (i, j, weight) in entries(graph) {
        // A loop is one entry of the matrix and two ends of an edge.
        let weight = if i == j { 2.0 * weight } else { weight };
        total += weight;
        *degrees.entry(label(i)).or_default() += weight;
        if label(i) == label(j) {
            within += weight;
        }
    }
    if total == 0.0 {
        return 0.0;
    }
    within / total - resolution * degrees.values().map(|d| (d / total) * (d / total)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Values;
    use crate::progress::Silent;

    fn graph(n: usize, edges: &[(usize, usize)]) -> Sparse {
        let mut rows = vec![Vec::new(); n];
        for &(a, b) in edges {
            rows[a].push(b as u32);
            rows[b].push(a as u32);
        }
        let (mut indptr, mut indices) = (vec![0], Vec::new());
        for mut row in rows {
            row.sort_unstable();
            indices.extend(row);
            indptr.push(indices.len() as u64);
        }
        let ones = Values::F32(vec![1.0; indices.len()]);
        Sparse::new(Layout::Csr, (n, n), indptr, indices, ones).unwrap()
    }

    #[test]
    fn halves_of_a_clique_are_joined_and_cliques_are_not() {
        let g = ring(4, 6);
        let halves: Vec<usize> = (0..24).map(|i| i / 3).collect();
        let (labels, sizes) = by_size(&joined(&g, &halves, 1.0));
        assert_eq!(sizes, [6, 6, 6, 6]);
        assert!((0..24).all(|i| labels[i] == labels[i / 6 * 6]));
    }

    fn settings(method: Method, resolution: f64, seed: u64) -> LeidenSettings {
        LeidenSettings { method, resolution, iterations: 2, seed: Seed(seed) }
    }

    /// Cliques in a ring, each joined to the next by one edge.
    fn ring(cliques: usize, size: usize) -> Sparse {
        let mut edges = Vec::new();
        for c in 0..cliques {
            let base = c * size;
            edges.extend((0..size).flat_map(|a| (0..a).map(move |b| (base + a, base + b))));
            edges.push((base + size - 1, (base + size) % (cliques * size)));
        }
        graph(cliques * size, &edges)
    }

    #[test]
    fn each_clique_of_a_ring_is_a_community() {
        for method in [Method::Leiden, Method::Louvain] {
            let found = find(&ring(8, 6), settings(method, 1.0, 0), &Silent).unwrap();
            // Equal sizes: numbered by the smallest node.
            let expected: Vec<u32> = (0..48).map(|i| i / 6).collect();
            assert_eq!(found.labels, expected, "{method:?}");
            assert_eq!(found.sizes, [6; 8]);
        }
    }

    #[test]
    fn a_small_resolution_joins_what_a_large_one_parts() {
        let count = |r: f64| find(&ring(8, 6), settings(Method::Leiden, r, 0), &Silent).unwrap().sizes.len();
        assert!(count(0.1) < 8);
        assert_eq!(count(1.0), 8);
        assert!(count(30.0) > 8);
    }

    /// Zachary's karate club; the best known partition has modularity 0.4198 (Brandes et al. 2008 prove it optimal).
    fn karate() -> Sparse {
        let later: [(usize, &[usize]); 33] = [
            (0, &[1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31]),
            (1, &[2, 3, 7, 13, 17, 19, 21, 30]),
            (2, &[3, 7, 8, 9, 13, 27, 28, 32]),
            (3, &[7, 12, 13]),
            (4, &[6, 10]),
            (5, &[6, 10, 16]),
            (6, &[16]),
            (7, &[]),
            (8, &[30, 32, 33]),
            (9, &[33]),
            (10, &[]),
            (11, &[]),
            (12, &[]),
            (13, &[33]),
            (14, &[32, 33]),
            (15, &[32, 33]),
            (16, &[]),
            (17, &[]),
            (18, &[32, 33]),
            (19, &[33]),
            (20, &[32, 33]),
            (21, &[]),
            (22, &[32, 33]),
            (23, &[25, 27, 29, 32, 33]),
            (24, &[25, 27, 31]),
            (25, &[31]),
            (26, &[29, 33]),
            (27, &[33]),
            (28, &[31, 33]),
            (29, &[32, 33]),
            (30, &[32, 33]),
            (31, &[32, 33]),
            (32, &[33]),
        ];
        let edges: Vec<(usize, usize)> =
            later.iter().flat_map(|(a, bs)| bs.iter().map(move |b| (*a, *b))).collect();
        assert_eq!(edges.len(), 78);
        graph(34, &edges)
    }

    #[test]
    fn the_karate_club_parts_into_its_four_known_communities() {
        let best = (0..10)
            .map(|seed| find(&karate(), settings(Method::Leiden, 1.0, seed), &Silent).unwrap())
            .max_by(|a, b| a.modularity.total_cmp(&b.modularity))
            .unwrap();
        assert!((best.modularity - 0.419_789_6).abs() < 1e-6, "{}", best.modularity);
        assert_eq!(best.sizes, [12, 11, 6, 5]);
        assert_eq!(best.labels[33], 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_partition() {
        let once = find(&karate(), settings(Method::Leiden, 1.0, 7), &Silent).unwrap();
        assert_eq!(once, find(&karate(), settings(Method::Leiden, 1.0, 7), &Silent).unwrap());
    }

    #[test]
    fn nodes_without_edges_are_communities_of_their_own() {
        let g = graph(5, &[(0, 1), (1, 2), (0, 2)]);
        let found = find(&g, settings(Method::Leiden, 1.0, 0), &Silent).unwrap();
        assert_eq!(found.labels, [0, 0, 0, 1, 2]);
        assert_eq!(found.sizes, [3, 1, 1]);
    }

    #[test]
    fn modularity_of_one_community_is_one_minus_the_resolution() {
        assert!((modularity(&karate(), &[0; 34], 0.25) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_negative_weight_and_a_negative_resolution_are_refused() {
        let g = graph(2, &[(0, 1)]);
        let bad = Sparse::new(
            Layout::Csr,
            (2, 2),
            g.indptr().to_vec(),
            g.indices().to_vec(),
            Values::F32(vec![-1.0, -1.0]),
        )
        .unwrap();
        assert!(find(&bad, settings(Method::Leiden, 1.0, 0), &Silent).is_err());
        assert!(find(&g, settings(Method::Leiden, -1.0, 0), &Silent).is_err());
    }
}
