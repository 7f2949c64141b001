//! Control and stimulated cells of a type paired by optimal transport: what one cell's response depends on.

use ndarray::{Array1, Array2, Axis, s};

use super::{Facts, PredictError};
use crate::linalg::transport;
use crate::rng::Seed;

/// Components that cells are paired in.
const COMPONENTS: usize = 30;

/// Cells of a side that are paired at most; of more, some are drawn.
const MOST: usize = 1000;

/// Sums over the pairs of one type, from which a ridge over several types follows.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    /// Control cells that have a partner.
    pub(super) n: f64,
    /// Sum of their places.
    pub(super) places: Array1<f64>,
    /// Sum of products of places.
    pub(super) products: Array2<f64>,
    /// Sum of displacements, over genes.
    pub(super) moved: Array1<f64>,
    /// Sum of place × displacement, components × genes.
    pub(super) cross: Array2<f64>,
}

impl Pairs {
    /// Pairs the cells of a type, both sides centred, by the squared distance in the control components. Displacements are
    /// moved by a constant so that their mean is `change`, the change without batches.
    pub(super) fn new(
        facts: &Facts,
        t: usize,
        change: &Array1<f64>,
        seed: Seed,
    ) -> Result<Self, PredictError> {
        let study = facts.study;
        let mut stream = seed.stream(&format!("predict/pairs/{}", study.types[t]));
        let mut draw = |cells: &[usize]| -> Vec<usize> {
            stream.sample(cells.len(), MOST).into_iter().map(|i| cells[i]).collect()
        };
        let (from, to) = (draw(&study.source[t]), draw(&study.target[t]));
        let places = facts.places(&from)?;
        let plan = transport(distances(&centred(&places), &centred(&facts.places(&to)?)).view())?;
        // What each control cell becomes is a mean over its partners; summed up by the places of the control cells.
        let (k, genes, n) = (places.ncols(), study.values.ncols(), from.len());
        let mut cross = Array2::<f64>::zeros((k, genes));
        let mut moved = Array1::<f64>::zeros(genes);
        let mut weights = Array2::<f64>::zeros((to.len(), k));
        let mut given = vec![0.0; to.len()];
        for &(i, j, share) in &plan.moves {
            let share = share * n as f64;
            weights.row_mut(j).scaled_add(share, &places.row(i));
            given[j] += share;
        }
        let mut add = |cells: &[usize], weights: &Array2<f64>, of: &dyn Fn(usize) -> f64| {
            for (first, run) in cells.chunks(RUN).enumerate() {
                let x =
                    Array2::from_shape_fn((run.len(), genes), |(i, g)| f64::from(study.values[(run[i], g)]));
                let w = weights.slice(s![first * RUN..first * RUN + run.len(), ..]);
                cross += &w.t().dot(&x);
                x.rows()
                    .into_iter()
                    .enumerate()
                    .for_each(|(i, row)| moved.scaled_add(of(first * RUN + i), &row));
            }
        };
        add(&to, &weights, &|j| given[j]);
        add(&from, &places.mapv(|v| -v), &|_| -1.0);
        let sum = places.sum_axis(Axis(0));
        let offset = change - &(&moved / n as f64);
        moved.scaled_add(n as f64, &offset);
        for (mut row, z) in cross.rows_mut().into_iter().zip(&sum) {
            row.scaled_add(*z, &offset);
        }
        Ok(Self { n: n as f64, products: places.t().dot(&places), places: sum, moved, cross })
    }
}

/// Cells whose values are held in double precision at a time.
const RUN: usize = 256;

fn centred(places: &Array2<f64>) -> Array2<f64> {
    let near = places.slice(s![.., ..COMPONENTS.min(places.ncols())]);
    let mean = near.mean_axis(Axis(0)).unwrap_or_default();
    &near - &mean
}

/// Squared distances between the rows of two sets.
pub(super) fn distances(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let square = |x: &Array2<f64>| x.map_axis(Axis(1), |r| r.dot(&r));
    let (aa, bb) = (square(a), square(b));
    let mut d = a.dot(&b.t());
    d.indexed_iter_mut().for_each(|((i, j), v)| *v = (aa[i] + bb[j] - 2.0 * *v).max(0.0));
    d
}
