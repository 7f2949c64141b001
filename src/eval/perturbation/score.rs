//! All figures of a predicted response.

use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;
use serde::Serialize;

use super::distance::at_most;
use super::{
    Moments, Ranking, Test, corrected_half, correlation, e_distance, energy_distance, r2, rank, strongest,
    top,
};
use crate::linalg::{LinalgError, Pca};
use crate::rng::{Seed, Stream};

/// Components that distances are taken in.
const COMPONENTS: usize = 50;

/// Genes that components are taken of at most.
const MOST_GENES: usize = 5000;

/// Of more genes, the components are those of the ones that vary most.
const GENES_OF_MANY: usize = 2000;

/// Cells of a side that distances are taken of at most.
const MOST_CELLS: usize = 3000;

/// Genes that respond most, whose sign is asked for.
const SIGNS: usize = 50;

/// How often control cells are cut in two.
pub const SPLITS: usize = 4;

/// Three sets of cells over the same genes.
#[derive(Debug, Clone, Copy)]
pub struct Sets<'a> {
    /// Predicted cells.
    pub predicted: ArrayView2<'a, f32>,
    /// Real cells of the same type and condition, which the model has not seen.
    pub real: ArrayView2<'a, f32>,
    /// Control cells of the same type.
    pub control: ArrayView2<'a, f32>,
}

/// How to score.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Test that ranks the genes that respond.
    pub test: Test,
    /// How many of them make the second set of genes.
    pub top: usize,
    /// These genes instead.
    pub listed: Option<Vec<usize>>,
    /// Resamples of each scheme; 0 for none.
    pub resamples: usize,
    /// For each predicted cell the control cell it was made from, where that is known.
    pub sources: Option<Vec<usize>>,
    /// Seed of everything random.
    pub seed: Seed,
}

/// R² of means and variances over one set of genes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// Of the means.
    pub r2_mean: f64,
    /// Of the variances.
    pub r2_variance: f64,
    /// Correlation of predicted and real changes, both against all control cells.
    pub change: f64,
}

/// A figure over resamples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// Which scheme.
    pub scheme: &'static str,
    /// Which genes.
    pub genes: &'static str,
    /// Which figure.
    pub figure: &'static str,
    /// Mean over the resamples.
    pub mean: f64,
    /// Standard deviation.
    pub sd: f64,
    /// 2.5 % of the resamples lie below.
    pub low: f64,
    /// 2.5 % lie above.
    pub high: f64,
}

/// All figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Over all genes.
    pub all: Agreement,
    /// Over the genes that respond most, or those listed.
    pub top: Agreement,
    /// Correlation of changes, the predicted one against one half of the control cells, the real one against the other;
    /// mean of four splits.
    pub change_half: f64,
    /// Whether predicted cells were split with the control cells they were made from.
    pub split_by_source: bool,
    /// Energy distance of predicted and real cells on 50 components.
    pub energy: f64,
    /// E-distance on the same.
    pub e_distance: f64,
    /// Of the genes that respond most, how many move the right way.
    pub signs_right: usize,
    /// How many were asked.
    pub signs: usize,
    /// Cells: predicted, real, control.
    pub cells: [usize; 3],
    /// R² over resamples.
    pub spread: Vec<Spread>,
}

/// What two halves of the real cells reach: the most that can be asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halves {
    /// Correlation of their means, squared.
    pub r2_mean: f64,
    /// Correlation of their variances, squared.
    pub r2_variance: f64,
    /// Correlation of their changes.
    pub change: f64,
    /// Energy distance between them.
    pub energy: f64,
    /// For cells twice as many, after Spearman and Brown: the square of 2 r / (1 + r).
    pub r2_mean_corrected: f64,
    /// The same of the variances.
    pub r2_variance_corrected: f64,
    /// 2 r / (1 + r) of the changes.
    pub change_corrected: f64,
}

/// Components of real and control cells.
///
/// # Errors
/// [`LinalgError`] for too few cells and values that are not finite.
pub fn components(real: ArrayView2<'_, f32>, control: ArrayView2<'_, f32>) -> Result<Space, LinalgError> {
    let both = concatenate(Axis(0), &[real, control])
        .map_err(|_| LinalgError::Columns { expected: real.ncols(), found: control.ncols() })?;
    let genes = (both.ncols() > MOST_GENES).then(|| most_variable(both.view()));
    let x = genes.as_ref().map_or_else(|| both.clone(), |g| both.select(Axis(1), g));
    let k = COMPONENTS.min(x.nrows().saturating_sub(1)).min(x.ncols()).max(1);
    Ok(Space { pca: Pca::fit_small_side(x.view(), k)?, genes })
}

/// Components, and the genes they are of where not of all.
#[derive(Debug, Clone)]
pub struct Space {
    pca: Pca,
    genes: Option<Vec<usize>>,
}

impl Space {
    /// Cells on the components.
    ///
    /// # Errors
    /// [`LinalgError`] for another number of genes.
    pub fn place(&self, x: ArrayView2<'_, f32>) -> Result<Array2<f64>, LinalgError> {
        match &self.genes {
            None => self.pca.transform(x),
            Some(genes) => self.pca.transform(x.select(Axis(1), genes).view()),
        }
    }
}

fn most_variable(x: ArrayView2<'_, f32>) -> Vec<usize> {
    let variance = Moments::of(x).variance;
    let mut order: Vec<usize> = (0..variance.len()).collect();
    order.sort_by(|&a, &b| variance[b].total_cmp(&variance[a]).then(a.cmp(&b)));
    order.truncate(GENES_OF_MANY);
    order.sort_unstable();
    order
}

/// Works out all figures; see [`Score`].
///
/// # Errors
/// [`LinalgError`] for values that are not finite.
pub fn score(sets: &Sets, plan: &Plan, space: &Space) -> Result<Score, LinalgError> {
    let ranking = rank(sets.real, sets.control, plan.test);
    let genes = plan.listed.clone().unwrap_or_else(|| top(&ranking, plan.top));
    let (p, r, c) = (Moments::of(sets.predicted), Moments::of(sets.real), Moments::of(sets.control));
    let agree = |genes: Option<&[usize]>| Agreement {
        r2_mean: r2(&p.mean, &r.mean, genes),
        r2_variance: r2(&p.variance, &r.variance, genes),
        change: correlation(&minus(&p.mean, &c.mean), &minus(&r.mean, &c.mean), genes),
    };
    let (energy, squared) = distances(sets.predicted, sets.real, space, plan.seed)?;
    let (signs_right, signs) = signs(&ranking, &p.mean, &r.mean, &c.mean);
    Ok(Score {
        all: agree(None),
        top: agree(Some(&genes)),
        change_half: change_half(sets, plan, &r.mean),
        split_by_source: plan.sources.is_some(),
        energy,
        e_distance: squared,
        signs_right,
        signs,
        cells: [sets.predicted.nrows(), sets.real.nrows(), sets.control.nrows()],
        spread: spread(sets, plan, &genes),
    })
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn distances(
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    space: &Space,
    seed: Seed,
) -> Result<(f64, f64), LinalgError> {
    let mut stream = seed.stream("perturbation/distances");
    let mut some = |x| Ok::<_, LinalgError>(at_most(space.place(x)?, MOST_CELLS, &mut stream));
    let (a, b) = (some(a)?, some(b)?);
    Ok((energy_distance(a.view(), b.view()), e_distance(a.view(), b.view())))
}

/// Of the genes with the strongest response, those that are predicted to move the way they move.
fn signs(ranking: &Ranking, p: &[f64], r: &[f64], c: &[f64]) -> (usize, usize) {
    let genes = strongest(ranking, SIGNS);
    let right = genes.iter().filter(|&&g| (p[g] - c[g]) * (r[g] - c[g]) > 0.0);
    (right.count(), genes.len())
}

/// Cuts control cells in two: which are in the first half.
pub fn cut(n: usize, seed: Seed, split: usize) -> Vec<bool> {
    let order = seed.stream(&format!("perturbation/split/{split}")).permutation(n);
    let mut first = vec![false; n];
    order.iter().step_by(2).for_each(|&i| first[i] = true);
    first
}

/// The change against one half of the control cells, and the real one against the other.
fn change_half(sets: &Sets, plan: &Plan, real: &[f64]) -> f64 {
    let n = sets.control.nrows();
    let of = |split: usize| {
        let first = cut(n, plan.seed, split);
        let half = |wanted: bool| (0..n).filter(|&i| first[i] == wanted).collect::<Vec<_>>();
        let (a, b) = (half(true), half(false));
        let made: Vec<usize> = match &plan.sources {
            Some(s) => (0..s.len()).filter(|&i| first.get(s[i]).copied().unwrap_or(false)).collect(),
            None => (0..sets.predicted.nrows()).collect(),
        };
        let mean = |x, cells: &[usize]| Moments::over(x, cells.iter().copied()).mean;
        let predicted = minus(&mean(sets.predicted, &made), &mean(sets.control, &a));
        correlation(&predicted, &minus(real, &mean(sets.control, &b)), None)
    };
    (0..SPLITS).map(of).sum::<f64>() / SPLITS as f64
}

/// The two schemes of resampling: all cells drawn with replacement, and nine tenths of them.
const SCHEMES: [(&str, f64); 2] = [
    ("bootstrap: as many cells as there are, with replacement", 1.0),
    ("90 % of the cells, with replacement", 0.9),
];

fn spread(sets: &Sets, plan: &Plan, top: &[usize]) -> Vec<Spread> {
    let mut out = Vec::new();
    for (scheme, share) in SCHEMES {
        let of = |i: usize| {
            let mut stream = plan.seed.stream(&format!("perturbation/resample/{share}/{i}"));
            let p = drawn(sets.predicted, share, &mut stream);
            let r = drawn(sets.real, share, &mut stream);
            [None, Some(top)].map(|g| [r2(&p.mean, &r.mean, g), r2(&p.variance, &r.variance, g)])
        };
        let all: Vec<[[f64; 2]; 2]> = (0..plan.resamples).into_par_iter().map(of).collect();
        if all.is_empty() {
            continue;
        }
        for (g, genes) in
            ["all", if plan.listed.is_some() { "listed" } else { "top" }].into_iter().enumerate()
        {
            for (f, figure) in ["r2_mean", "r2_variance"].into_iter().enumerate() {
                out.push(Spread::of(scheme, genes, figure, all.iter().map(|a| a[g][f]).collect()));
            }
        }
    }
    out
}

fn drawn(x: ArrayView2<'_, f32>, share: f64, stream: &mut Stream) -> Moments {
    let n = ((x.nrows() as f64 * share).round() as usize).max(1);
    let cells: Vec<usize> = (0..n).map(|_| stream.below(x.nrows())).collect();
    Moments::over(x, cells.into_iter())
}

impl Spread {
    fn of(scheme: &'static str, genes: &'static str, figure: &'static str, mut v: Vec<f64>) -> Self {
        let n = v.len() as f64;
        let mean = v.iter().sum::<f64>() / n;
        let sd = (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
        v.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let at = q * (v.len() - 1) as f64;
            let below = at.floor() as usize;
            v[below] + at.fract() * (v[(below + 1).min(v.len() - 1)] - v[below])
        };
        Self { scheme, genes, figure, mean, sd, low: at(0.025), high: at(0.975) }
    }
}

/// Halves of the real cells against each other, mean over five cuts; `None` for fewer than four cells.
///
/// # Errors
/// As [`score`].
pub fn halves(sets: &Sets, space: &Space, seed: Seed) -> Result<Option<Halves>, LinalgError> {
    const CUTS: usize = 5;
    let n = sets.real.nrows();
    if n < 4 {
        return Ok(None);
    }
    let c = Moments::of(sets.control).mean;
    let mut sum = [0.0; 4];
    for i in 0..CUTS {
        let first = cut(n, Seed(seed.0 ^ 0x5bd1_e995), i);
        let take = |wanted: bool| {
            sets.real.select(Axis(0), &(0..n).filter(|&i| first[i] == wanted).collect::<Vec<_>>())
        };
        let (a, b) = (take(true), take(false));
        let (ma, mb) = (Moments::of(a.view()), Moments::of(b.view()));
        let figures = [
            correlation(&ma.mean, &mb.mean, None),
            correlation(&ma.variance, &mb.variance, None),
            correlation(&minus(&ma.mean, &c), &minus(&mb.mean, &c), None),
            distances(a.view(), b.view(), space, seed)?.0,
        ];
        sum.iter_mut().zip(figures).for_each(|(s, f)| *s += f / CUTS as f64);
    }
    let [mean, variance, change, energy] = sum;
    Ok(Some(Halves {
        r2_mean: mean * mean,
        r2_variance: variance * variance,
        change,
        energy,
        r2_mean_corrected: corrected_half(mean).powi(2),
        r2_variance_corrected: corrected_half(variance).powi(2),
        change_corrected: corrected_half(change),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(n: usize, shift: f32, seed: u64) -> Array2<f32> {
        let mut s = Seed(seed).stream("cells");
        Array2::from_shape_fn((n, 30), |(_, g)| {
            s.normal() as f32 * 0.5 + g as f32 * 0.1 + if g < 10 { shift } else { 0.0 }
        })
    }

    fn plan() -> Plan {
        Plan { test: Test::Wilcoxon, top: 10, listed: None, resamples: 20, sources: None, seed: Seed(0) }
    }

    #[test]
    fn a_right_prediction_scores_as_real_halves_and_no_change_scores_nothing() {
        let (control, real, right) = (cells(120, 0.0, 1), cells(100, 2.0, 2), cells(90, 2.0, 3));
        let space = components(real.view(), control.view()).unwrap();
        let of = |p: &Array2<f32>| {
            let sets = Sets { predicted: p.view(), real: real.view(), control: control.view() };
            (score(&sets, &plan(), &space).unwrap(), halves(&sets, &space, Seed(0)).unwrap().unwrap())
        };
        let ((good, half), (none, _)) = (of(&right), of(&control));
        assert!(good.all.r2_mean > 0.98 && good.all.change > 0.95 && good.energy < 0.05, "{good:?}");
        assert!(good.change_half > 0.95 && good.signs == 30 && good.signs_right >= 15, "{good:?}");
        assert!((half.r2_mean - good.all.r2_mean).abs() < 0.03, "{half:?} {good:?}");
        assert!(half.r2_mean_corrected > half.r2_mean && half.r2_mean_corrected < 1.0, "{half:?}");
        assert!(none.all.change == 0.0 && none.energy > 1.0 && none.signs_right == 0, "{none:?}");
        assert_eq!(good.spread.len(), 8);
        let boot = &good.spread[0];
        assert!(
            boot.low <= boot.mean && boot.mean <= boot.high && boot.sd > 0.0 && boot.high <= 1.0,
            "{boot:?}"
        );
    }

    /// Control cells copied: against the same control cells there is no change at all; against another half there is only
    /// noise, unless the copies are split with the cells they come from.
    #[test]
    fn copies_of_control_cells_are_split_with_them() {
        let (control, real) = (cells(80, 0.0, 1), cells(60, 2.0, 2));
        let space = components(real.view(), control.view()).unwrap();
        let sets = Sets { predicted: control.view(), real: real.view(), control: control.view() };
        let plan = Plan { sources: Some((0..80).collect()), resamples: 0, ..plan() };
        let s = score(&sets, &plan, &space).unwrap();
        assert!(s.change_half.abs() < 1e-9 && s.split_by_source && s.spread.is_empty(), "{s:?}");
    }
}
