//! Cells with a predicted mean and variance, each still the cell it was made from.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::pairs::distances;
use super::rules::Displacement;
use super::stack::NEAR;
use super::study::moments;
use super::{PredictError, Task};
use crate::rng::Seed;

/// Rounds of bringing mean and variance back after values were cut off at the floor.
const ROUNDS: usize = 15;

/// Components in which cells with a like residual are looked for.
const COMPONENTS: usize = 20;

/// Cells among which a partner is drawn.
const AMONG: usize = 5;

/// Cells of a type that partners are looked for among at most.
const POOL: usize = 2000;

/// Genes worked on at a time.
const BLOCK: usize = 64;

/// How far a residual may be stretched or shrunk in one round.
const STRETCH: (f64, f64) = (0.2, 5.0);

/// Moves each cell of the type asked for by its displacement.
pub(super) fn moved(task: &Task, displacement: &Displacement) -> Result<Array2<f32>, PredictError> {
    let study = task.facts.study;
    let cells = &study.source[task.of];
    let places = displacement.relative(&task.facts.places(cells)?);
    Ok(floored(
        by_block(cells.len(), study.values.ncols(), |genes, out| {
            let change = places.dot(&displacement.slopes.slice(s![.., genes.clone()]));
            for (i, &cell) in cells.iter().enumerate() {
                for (k, g) in genes.clone().enumerate() {
                    out[(i, k)] = f64::from(study.values[(cell, g)]) + displacement.moved[g] + change[(i, k)];
                }
            }
        }),
        study.floor,
    ))
}

/// Adds a change to each cell of the type asked for.
pub(super) fn shifted(task: &Task, change: &Array1<f64>) -> Array2<f32> {
    let study = task.facts.study;
    let cells = &study.source[task.of];
    floored(
        by_block(cells.len(), study.values.ncols(), |genes, out| {
            for (i, &cell) in cells.iter().enumerate() {
                for (k, g) in genes.clone().enumerate() {
                    out[(i, k)] = f64::from(study.values[(cell, g)]) + change[g];
                }
            }
        }),
        study.floor,
    )
}

/// The cells of the type asked for, moved to a mean and a variance: each keeps its own residual after its own displacement,
/// and takes a real stimulated residual of a cell of a near type for the variance that its own lacks.
pub(super) fn matched(
    task: &Task,
    (mean, variance): (&Array1<f64>, &Array1<f64>),
    displacement: &Displacement,
    seed: Seed,
) -> Result<Array2<f32>, PredictError> {
    let study = task.facts.study;
    let cells = &study.source[task.of];
    let partners = partners(task, seed)?;
    let known = task.known()?;
    let places = displacement.relative(&task.facts.places(cells)?);
    let n = cells.len();
    let floor = study.floor.map_or(f64::NEG_INFINITY, f64::from);
    Ok(floored(
        by_block(n, study.values.ncols(), |genes, out| {
            let change = places.dot(&displacement.slopes.slice(s![.., genes.clone()]));
            let (mut own, mut other) = (vec![0.0; n], vec![0.0; n]);
            for (k, g) in genes.clone().enumerate() {
                for (i, &cell) in cells.iter().enumerate() {
                    own[i] = (f64::from(study.values[(cell, g)]) + displacement.moved[g] + change[(i, k)])
                        .max(floor);
                    let (t, partner) = partners[i];
                    other[i] = f64::from(study.values[(partner, g)]) - known[t].response[g];
                }
                let made = mixed(&own, &other, (mean[g], variance[g]), floor);
                made.into_iter().enumerate().for_each(|(i, v)| out[(i, k)] = v);
            }
        }),
        study.floor,
    ))
}

/// One gene of all cells, from both residuals.
fn mixed(own: &[f64], other: &[f64], (mean, variance): (f64, f64), floor: f64) -> Vec<f64> {
    let ((centre, spread), (_, far)) = (two(own), two(other));
    let a = (variance / spread.max(1e-9)).sqrt().min(1.0);
    let b = ((variance - a * a * spread).max(0.0) / far.max(1e-2)).sqrt();
    let mut v: Vec<f64> = own.iter().zip(other).map(|(x, y)| mean + a * (x - centre) + b * y).collect();
    for _ in 0..ROUNDS {
        let (now, spread) = two(&v);
        let stretch = (variance.sqrt() / spread.sqrt().max(1e-6)).clamp(STRETCH.0, STRETCH.1);
        v.iter_mut().for_each(|x| *x = (mean + (*x - now) * stretch).max(floor));
    }
    v
}

/// Mean and variance.
fn two(v: &[f64]) -> (f64, f64) {
    let n = v.len().max(1) as f64;
    let mean = v.iter().sum::<f64>() / n;
    (mean, v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n)
}

/// For each cell a stimulated cell of a training type: the type drawn by closeness, the cell among those with the nearest
/// residual. Returns the position of the type and the cell.
fn partners(task: &Task, seed: Seed) -> Result<Vec<(usize, usize)>, PredictError> {
    let (facts, study) = (task.facts, task.facts.study);
    let mut stream = seed.stream("predict/partners");
    let near = task.closeness(NEAR);
    let drawn: Vec<usize> = study.source[task.of].iter().map(|_| stream.weighted(&near)).collect();
    let residuals = |cells: &[usize]| -> Result<Array2<f64>, PredictError> {
        let places = facts.places(cells)?;
        let mean = places.mean_axis(Axis(0)).unwrap_or_default();
        let k = COMPONENTS.min(places.ncols());
        Ok((places - &mean).slice(s![.., ..k]).to_owned())
    };
    let own = residuals(&study.source[task.of])?;
    let mut out = vec![(0, 0); drawn.len()];
    for (t, &kind) in task.from.iter().enumerate() {
        let asking: Vec<usize> = (0..drawn.len()).filter(|&i| drawn[i] == t).collect();
        let pool: Vec<usize> = stream
            .sample(study.target[kind].len(), POOL)
            .into_iter()
            .map(|i| study.target[kind][i])
            .collect();
        if asking.is_empty() {
            continue;
        }
        let there = residuals(&pool)?;
        for run in asking.chunks(BLOCK) {
            let d = distances(&own.select(Axis(0), run), &there);
            for (&i, row) in run.iter().zip(d.rows()) {
                let mut order: Vec<usize> = (0..pool.len()).collect();
                let by = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]).then(a.cmp(b));
                let k = AMONG.min(pool.len());
                if k < pool.len() {
                    order.select_nth_unstable_by(k, by);
                }
                order.truncate(k);
                order.sort_by(by);
                out[i] = (t, pool[order[stream.below(k)]]);
            }
        }
    }
    Ok(out)
}

/// A table made by blocks of genes, side by side.
fn by_block(
    cells: usize,
    genes: usize,
    fill: impl Fn(std::ops::Range<usize>, &mut Array2<f64>) + Sync,
) -> Array2<f32> {
    let mut all = Array2::<f32>::zeros((cells, genes));
    let blocks = all.axis_chunks_iter_mut(Axis(1), BLOCK).into_par_iter();
    blocks.enumerate().for_each(|(b, mut to)| {
        let range = b * BLOCK..b * BLOCK + to.ncols();
        let mut block = Array2::zeros(to.dim());
        fill(range, &mut block);
        to.zip_mut_with(&block, |t, v| *t = *v as f32);
    });
    all
}

fn floored(mut table: Array2<f32>, floor: Option<f32>) -> Array2<f32> {
    if let Some(floor) = floor {
        table.mapv_inplace(|v| v.max(floor));
    }
    table
}

/// Mean and variance of each gene of made cells.
pub fn moments_of(cells: ArrayView2<'_, f32>) -> (Array1<f64>, Array1<f64>) {
    moments(cells, &(0..cells.nrows()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gene_gets_its_mean_and_variance_although_values_are_cut_off_at_zero() {
        let mut s = Seed(4).stream("cells");
        let own: Vec<f64> = (0..400).map(|_| (0.3 + 0.4 * s.normal()).max(0.0)).collect();
        let other: Vec<f64> = (0..400).map(|_| 0.8 * s.normal()).collect();
        for (mean, variance) in [(0.5, 0.3), (1.5, 0.2), (0.1, 0.05)] {
            let made = mixed(&own, &other, (mean, variance), 0.0);
            let (m, v) = two(&made);
            assert!(
                (m / mean - 1.0).abs() < 0.05 && (v / variance - 1.0).abs() < 0.15,
                "{mean} {variance}: {m} {v}"
            );
            assert!(made.iter().all(|x| *x >= 0.0));
        }
        // Without a floor both hold exactly, and cells keep their order when nothing is to be added.
        let made = mixed(&own, &other, (-2.0, 0.01), f64::NEG_INFINITY);
        let (m, v) = two(&made);
        assert!((m + 2.0).abs() < 1e-12 && (v - 0.01).abs() < 1e-12);
        let kept = (0..399).all(|i| (own[i] - own[i + 1]) * (made[i] - made[i + 1]) >= 0.0);
        assert!(kept);
    }
}
